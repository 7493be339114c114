"""Check-in messages: one per planned touchpoint, sent on the morning of its day."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain import touchpoints
from domain.access import Actor, Tx
from domain.core.db import Sessions
from domain.core.deferral import Subject
from workers.periodic import attempt_each

ASKED = 50  # loaded per query


async def ask_all(make: Sessions, *, at: datetime) -> None:
    """Send a check-in message for every touchpoint that is due and has none, each in its own transaction."""

    async def ask(session: AsyncSession, subject: Subject) -> None:
        due = await touchpoints.figures_of(session, subject.id)
        tx = Tx(session, Actor.system(due.account.tenant_id, "worker"), at)
        await touchpoints.send_check_in(tx, due)

    after: UUID | None = None
    while True:
        async with make() as session:
            due = await touchpoints.check_ins_due(session, at=at, after=after, limit=ASKED)
        await attempt_each(make, "check-ins", due, ask)
        if len(due) < ASKED:
            return
        after = due[-1].id
