"""Facts about rates and plans hold what was before and what is."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from domain import agreements, invoices
from domain.access import Actor, Tx
from domain.agreements import Unit
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from tests import build

pytestmark = pytest.mark.anyio


async def test_a_rate_and_a_plan_that_change_say_what_was_and_what_is(make: Sessions) -> None:
    world = await build.client(make)
    actor = Actor.system(world.tenant.id, "test")
    now = datetime.now(UTC)
    for from_on, cents in ((date(2026, 1, 1), 4_500), (now.date() + timedelta(days=2), 4_700)):
        async with transaction(make) as session:
            await agreements.set_rate(
                Tx(session, actor, now),
                world.agreement.id,
                code="guard",
                name="Guard",
                unit=Unit.HOUR,
                price_cents=cents,
                from_on=from_on,
            )
    for quantity in (8_000, 9_000):
        async with transaction(make) as session:
            await invoices.plan(
                Tx(session, actor, now),
                world.agreement.id,
                month_on=date(2026, 3, 1),
                rate_code="guard",
                quantity_milli=quantity,
            )
    async with make() as session:
        rates, plans = [
            [
                fact.body
                for fact in await session.scalars(
                    select(LedgerRow)
                    .where(LedgerRow.subject_id == world.agreement.id, LedgerRow.kind == kind)
                    .order_by(LedgerRow.id)
                )
            ]
            for kind in ("agreement.rate_set", "agreement.planned")
        ]
    first = {"name": "Guard", "unit": "HUR", "price_cents": 4_500, "currency": "EUR"}
    assert [(each["before"], each["after"]) for each in rates] == [
        (None, first),
        (first, first | {"price_cents": 4_700}),
    ]
    assert [(each["before"], each["quantity_milli"]) for each in plans] == [
        (None, 8_000),
        (8_000, 9_000),
    ]
