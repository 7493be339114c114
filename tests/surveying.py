"""A company that surveys its clients: a survey of the standard questionnaire, waves that are decided, links."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain import surveys
from domain.access import Actor, Tx
from domain.accounts import Account
from domain.core.db import Sessions, transaction
from domain.surveys import Survey, SurveyInvitation, Trigger
from workers.surveys import decide_all


def system(tenant_id: UUID) -> Actor:
    """The software of a company."""
    return Actor.system(tenant_id, "test")


async def survey(
    make: Sessions, tenant_id: UUID, at: datetime, trigger: Trigger = Trigger.QUARTERLY, **more: Any
) -> Survey:
    """A survey that asks the standard questionnaire."""
    async with transaction(make) as session:
        tx = Tx(session, system(tenant_id), at)
        standard = await surveys.add_standard(tx)
        name = more.pop("name", f"Survey {trigger}")
        return await surveys.add_survey(tx, standard.id, name=name, trigger=trigger, **more)


async def ask(make: Sessions, account: Account, at: datetime) -> list[SurveyInvitation]:
    """Plan the periods of an account, decide what is due, and return its decisions by contact."""
    async with transaction(make) as session:
        await surveys.plan_periods(session, account, at=at)
    await decide_all(make, at=at, limit=1_000)
    return await decisions(make, account)


async def decisions(make: Sessions, account: Account) -> list[SurveyInvitation]:
    """Return the decisions about an account's contacts, the oldest first."""
    async with make() as session:
        found = await session.scalars(
            select(SurveyInvitation)
            .where(SurveyInvitation.account_id == account.id)
            .order_by(SurveyInvitation.decided_at, SurveyInvitation.contact_id)
        )
        return list(found)
