"""Check-ins that are due: the client is asked how it goes, once for each planned contact, on the morning of its day."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain import messages, touchpoints
from domain.access import Actor
from domain.accounts.model import Tenant
from domain.db import Sessions, transaction
from domain.touchpoints import CheckInDue

ASKED = 50  # in a transaction


async def ask_all(make: Sessions, *, at: datetime) -> None:
    """Ask every client whose check-in is due and who was not asked for it."""
    after: UUID | None = None
    while True:
        async with transaction(make) as session:
            due = await touchpoints.check_ins_due(session, at=at, after=after, limit=ASKED)
            for each in due:
                await _ask(session, each, at=at)
        if len(due) < ASKED:
            return
        after = due[-1].touchpoint.id


async def _ask(session: AsyncSession, due: CheckInDue, *, at: datetime) -> None:
    tenant = await session.get_one(Tenant, due.account.tenant_id)
    await messages.compose(
        session,
        Actor.system(tenant.id, "worker"),
        due.account.id,
        intent=touchpoints.intent_of(due.touchpoint.id),
        template=messages.CheckIn,
        variables={
            "company": tenant.name,
            "account": due.account.name,
            "since_on": due.touchpoint.anchor_on,
            "tickets": due.tickets,
            "kept": due.kept,
            "promised": due.promised,
        },
        at=at,
    )
