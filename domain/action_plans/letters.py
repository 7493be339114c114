"""The letter "you said, we did": to the people whose answers led to a plan that is done."""

from datetime import timedelta
from pathlib import Path
from typing import ClassVar
from uuid import UUID

from sqlalchemy import select

from domain import messages
from domain.access import Tx
from domain.accounts.model import Contact, Tenant
from domain.action_plans.events import ActionPlanLetterSent
from domain.action_plans.model import ActionPlan, ActionPlanState
from domain.core.base import among
from domain.messages.model import Message, Urgency
from domain.surveys.model import SurveyResponse

TOPIC = "surveys"
"""Topic that a contact can unsubscribe from: who does not want surveys gets no letters about them."""
PAUSE = timedelta(days=30)
"""Time after a letter of this kind in which a contact gets no other one."""


class ActionDoneLetter(messages.Variables, frozen=True, kw_only=True):
    """What clients said, and what the company did about it."""

    template: ClassVar[str] = "you_said_we_did"
    version: ClassVar[int] = 1
    folder: ClassVar[Path] = Path(__file__).parent / "templates"
    topic: ClassVar[str | None] = TOPIC
    urgency: ClassVar[Urgency] = Urgency.LOW
    email_only: ClassVar[bool] = True

    title: str
    words: str
    outcome: str


async def tell_done(tx: Tx, plan_id: UUID) -> list[Message]:
    """Write to the people whose answers led to a plan, once each, and at most one such letter in 30 days."""
    row = await tx.session.get_one(ActionPlan, plan_id, with_for_update=True)
    if row.state is not ActionPlanState.DONE or row.outcome is None or not row.response_ids:
        return []
    people = await tx.session.scalars(
        select(SurveyResponse.contact_id)
        .where(among(SurveyResponse.id, row.response_ids), SurveyResponse.contact_id.is_not(None))
        .distinct()
    )
    authors = {each for each in people if each is not None}
    # Their rows stay locked until commit, so that two plans that are done at once write one letter.
    await tx.session.execute(
        select(Contact.id).where(among(Contact.id, authors)).order_by(Contact.id).with_for_update()
    )
    recent = await tx.session.scalars(
        select(Message.contact_id).where(
            among(Message.contact_id, authors),
            Message.template == ActionDoneLetter.template,
            Message.queued_at > tx.at - PAUSE,
        )
    )
    written_lately = set(recent)
    tenant = await tx.session.get_one(Tenant, row.tenant_id)
    written = await messages.compose(
        tx,
        row.account_id,
        intent=f"action_plan:{row.id}",
        template=ActionDoneLetter,
        variables={
            "company": tenant.name,
            "title": row.title,
            "words": row.words,
            "outcome": row.outcome,
        },
        contacts=authors - written_lately,
    )
    tx.record(
        ActionPlanLetterSent(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            contact_ids=sorted(each.contact_id for each in written if each.contact_id is not None),
            recently=len(written_lately),
            without_consent=len(authors) - len(written_lately) - len(written),
        )
    )
    return written
