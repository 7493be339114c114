"""Check-in messages: one per planned touchpoint, sent on the morning of its day."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain import messages, touchpoints
from domain.access import Actor, Tx
from domain.accounts.model import Tenant
from domain.core.db import Sessions
from domain.core.deferral import Subject
from domain.touchpoints import CheckInDue
from workers.periodic import attempt_each

ASKED = 50  # loaded per query


async def ask_all(make: Sessions, *, at: datetime) -> None:
    """Send a check-in message for every touchpoint that is due and has none, each in its own transaction."""

    async def ask(session: AsyncSession, subject: Subject) -> None:
        await _ask(session, await touchpoints.figures_of(session, subject.id), at=at)

    after: UUID | None = None
    while True:
        async with make() as session:
            due = await touchpoints.check_ins_due(session, at=at, after=after, limit=ASKED)
        await attempt_each(make, "check-ins", due, ask)
        if len(due) < ASKED:
            return
        after = due[-1].id


async def _ask(session: AsyncSession, due: CheckInDue, *, at: datetime) -> None:
    tenant = await session.get_one(Tenant, due.account.tenant_id)
    await messages.compose(
        Tx(session, Actor.system(tenant.id, "worker"), at),
        due.account.id,
        intent=touchpoints.intent_of(due.touchpoint.id),
        template=messages.CheckIn,
        variables={
            "company": tenant.name,
            "account": due.account.name,
            "since_on": due.touchpoint.anchor_on,
            "tickets": due.incidents,
            "kept": due.kept,
            "promised": due.promised,
        },
    )
