"""Consequences for invoices: a closed month of a client who is billed here becomes an invoice, once."""

import asyncio
from datetime import UTC, datetime

import structlog

from domain import invoices
from domain.actor import Actor
from domain.db import Sessions, transaction

log = structlog.get_logger()

EVERY_S = 10.0
MONTHS = 50  # billed before the next look
AGREEMENTS = 500  # looked at for closing notes


async def bill_months(make: Sessions) -> None:
    """Bill closed months, until cancelled. Several may run: a month is billed once, under its agreement's lock."""
    while True:
        now = datetime.now(UTC)
        async with make() as session:
            due = await invoices.months_to_bill(session, limit=MONTHS)
        billed = 0
        for month in due:
            try:
                async with transaction(make) as session:
                    actor = Actor.system(month.tenant_id, "worker")
                    await invoices.bill(session, actor, month.agreement_id, month.month_on, at=now)
                billed += 1
            except Exception as error:  # noqa: BLE001 - it comes again; the others must not wait
                log.warning(
                    "month.not_billed", agreement=str(month.agreement_id), error=repr(error)
                )
        await _close_credits(make, now)
        if billed < MONTHS:
            await asyncio.sleep(EVERY_S)


async def _close_credits(make: Sessions, now: datetime) -> None:
    """Issue closing notes where no invoice will come; one agreement that fails does not hold up the others."""
    async with make() as session:
        due = await invoices.agreements_to_close(session, at=now, limit=AGREEMENTS)
    for each in due:
        try:
            async with transaction(make) as session:
                actor = Actor.system(each.tenant_id, "worker")
                await invoices.close_credits(session, actor, each.agreement_id, at=now)
        except Exception as error:  # noqa: BLE001 - it comes again; the others must not wait
            log.warning("credits.not_closed", agreement=str(each.agreement_id), error=repr(error))
