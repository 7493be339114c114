"""Invoicing jobs: bill closed months and issue closing notes for accounts that are invoiced by Waarborg."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain import invoices
from domain.access import Actor, Tx
from domain.core.db import Sessions
from domain.core.deferral import Subject
from domain.invoices import Unbilled
from workers.periodic import WorkContext, attempt

AGREEMENTS = 500  # checked per round for closing notes


async def bill_months(work: WorkContext, limit: int) -> int:
    """Bill closed months; several workers may run this at once, because billing locks the agreement."""
    now = datetime.now(UTC)
    async with work.make() as session:
        due = await invoices.months_to_bill(session, at=now, limit=limit)
    failed: set[UUID] = set()
    for month in due:
        if month.agreement_id in failed:
            continue  # the months of an agreement are billed in order
        if not await _bill(work.make, month, now):
            failed.add(month.agreement_id)
    await _close_credits(work.make, now)
    return len(due)


async def _bill(make: Sessions, month: Unbilled, at: datetime) -> bool:
    async def bill(session: AsyncSession) -> None:
        actor = Actor.system(month.tenant_id, "worker")
        await invoices.bill(Tx(session, actor, at), month.agreement_id, month.month_on)

    return await attempt(make, "invoices", Subject(month.tenant_id, month.agreement_id), bill)


async def _close_credits(make: Sessions, now: datetime) -> None:
    """Issue closing notes for agreements that will get no further invoice."""
    async with make() as session:
        due = await invoices.agreements_to_close(session, at=now, limit=AGREEMENTS)
    for each in due:

        async def close(session: AsyncSession, found: Unbilled = each) -> None:
            actor = Actor.system(found.tenant_id, "worker")
            await invoices.close_credits(Tx(session, actor, now), found.agreement_id)

        await attempt(make, "closing notes", Subject(each.tenant_id, each.agreement_id), close)
