"""Where credits go: an invoice too small, an agreement that ended, another currency; and payments booked wrongly."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain import agreements, compensation, incidents, invoices, journal
from domain.access import Tx
from domain.agreements import Priority, Unit
from domain.compensation import Credit, CreditState
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.invoices import CreditNote, Invoice, InvoiceLine, Party, VatCategory
from domain.journal import Book
from domain.promises import Promise, State
from tests import build
from tests.build import T0, World, minutes
from tests.domain.invoices.test_billing import (
    APRIL,
    MARCH,
    NOW,
    THEM,
    US,
    close_and_bill,
    deliver,
    known,
    system,
)

MAY = date(2026, 5, 1)


async def give(make: Sessions, world: World, cents: int, at: datetime = T0) -> Credit:
    async with transaction(make) as session:
        return await compensation.grant_goodwill(
            Tx(session, system(world), at), world.agreement.id, cents=cents, reason="Sorry."
        )


async def notes(make: Sessions, world: World) -> list[CreditNote]:
    async with make() as session:
        rows = await session.scalars(
            select(CreditNote)
            .where(CreditNote.account_id == world.account.id)
            .order_by(CreditNote.number)
        )
        return list(rows)


async def owed(make: Sessions, world: World, currency: str = "EUR") -> int:
    async with make() as session:
        return -await journal.balance(
            session, system(world), world.account.id, Book.CLIENT_CREDIT, currency=currency
        )


async def test_a_gift_larger_than_the_invoice_is_set_off_as_far_as_it_goes_and_the_rest_waits(
    make: Sessions,
) -> None:
    world = await build.client(make, period_fee_cents=100_000)
    await known(make, world)
    await give(make, world, 500_000)
    first = await close_and_bill(make, world, MARCH)
    second = await close_and_bill(make, world, APRIL, NOW + timedelta(days=31))
    assert first is not None
    assert second is not None
    found = await notes(make, world)
    assert [(note.net_cents, note.gross_cents) for note in found] == [(100_000, 121_000)] * 2
    async with make() as session:
        assert await invoices.outstanding(session, first) == 0
        assert await invoices.outstanding(session, second) == 0
        trial = await journal.trial_balance(session, system(world))
    assert await owed(make, world) == 300_000
    assert sum(trial.values()) == 0


async def late_in_april(make: Sessions, world: World) -> list[Promise]:
    """Promises that were late on 4 April."""
    ticket = await build.incident(
        make, world, priority=Priority.HIGH, at=datetime(2026, 4, 4, 8, tzinfo=UTC)
    )
    async with transaction(make) as session:
        await incidents.acknowledge(
            Tx(session, world.staff, datetime(2026, 4, 4, 10, tzinfo=UTC)), ticket.id
        )
        rows = await session.scalars(
            select(Promise).where(
                Promise.incident_id == ticket.id,
                Promise.state == State.LATE,
                Promise.internal.is_(False),
            )
        )
        return list(rows)


async def ended(make: Sessions, world: World, at: datetime) -> None:
    async with transaction(make) as session:
        await agreements.end(
            Tx(session, system(world), T0), world.agreement.id, ended_at=at, reason="Moved."
        )


async def test_a_credit_after_the_end_of_an_agreement_is_on_a_closing_note(make: Sessions) -> None:
    world = await build.client(make)
    await known(make, world)
    late = await late_in_april(make, world)
    await ended(make, world, datetime(2026, 3, 6, tzinfo=UTC))
    assert await close_and_bill(make, world, MARCH) is not None
    async with transaction(make) as session:
        for promise in late:
            await compensation.decide(Tx(session, system(world), NOW), promise.id)
    assert await notes(make, world) == []
    assert await close_and_bill(make, world, APRIL, NOW + timedelta(days=31)) is None
    [note] = await notes(make, world)
    assert (note.closing, note.net_cents, note.currency) == (True, 5_000, "EUR")
    assert await owed(make, world) == 0
    async with make() as session:
        document = await invoices.credit_note(session, world.client, note.id)
    assert document is not None
    assert document.closing
    assert document.invoice_number == "F2026-00001"
    await give(make, world, 700, at=datetime(2026, 7, 1, tzinfo=UTC))  # long after
    for _ in range(2):  # the sweep finds it, once
        async with make() as session:
            later = datetime(2026, 8, 3, tzinfo=UTC)
            due = await invoices.agreements_to_close(session, at=later, limit=10_000)
        if world.agreement.id in {each.agreement_id for each in due}:
            async with transaction(make) as session:
                await invoices.close_credits(Tx(session, system(world), later), world.agreement.id)
    assert [each.net_cents for each in await notes(make, world)] == [5_000, 700]


async def amended_to_dollars(make: Sessions, world: World, at: datetime) -> None:
    async with transaction(make) as session:
        await agreements.amend(
            Tx(session, system(world), T0),
            world.agreement.id,
            in_force_from=at,
            terms=replace(build.terms_draft(world.calendar), currency="USD"),
        )


async def test_a_month_is_billed_in_the_currency_of_its_own_terms(make: Sessions) -> None:
    world = await build.client(make)
    await known(make, world)
    await amended_to_dollars(make, world, datetime(2026, 4, 30, 22, tzinfo=UTC))
    await give(make, world, 2_000)
    march = await close_and_bill(make, world, MARCH)
    april = await close_and_bill(make, world, APRIL, NOW + timedelta(days=31))
    await give(make, world, 3_000, at=datetime(2026, 5, 9, tzinfo=UTC))
    may = await close_and_bill(make, world, MAY, NOW + timedelta(days=62))
    assert [each and each.currency for each in (march, april, may)] == ["EUR", "EUR", "USD"]
    assert [(note.currency, note.net_cents) for note in await notes(make, world)] == [
        ("EUR", 2_000),
        ("USD", 3_000),
    ]
    async with make() as session:
        trial = await journal.trial_balance(session, system(world))
    for currency in ("EUR", "USD"):
        assert sum(cents for (_, its), cents in trial.items() if its == currency) == 0


async def test_deliveries_at_prices_in_two_currencies_are_on_two_invoices(make: Sessions) -> None:
    world = await build.client(make)
    await known(make, world)
    async with transaction(make) as session:
        await agreements.set_rate(
            Tx(session, system(world), T0),
            world.agreement.id,
            code="dog",
            name="Dog",
            unit=Unit.DAY,
            price_cents=10_000,
            from_on=MARCH,
            currency="USD",
        )
        await invoices.deliver(
            Tx(session, system(world), NOW),
            world.agreement.id,
            rate_code="dog",
            delivered_on=MARCH,
            quantity_milli=2_000,
            reference="dog-1",
        )
    await deliver(make, world, date(2026, 3, 2), 1_000, "shift-1")
    await close_and_bill(make, world, MARCH)
    async with make() as session:
        rows = await session.scalars(
            select(Invoice).where(Invoice.account_id == world.account.id).order_by(Invoice.currency)
        )
        sums = [(row.currency, row.net_cents) for row in rows]
    assert sums == [("EUR", 1_004_155), ("USD", 20_000)]


async def test_credits_left_in_a_currency_that_is_not_billed_any_more_are_closed(
    make: Sessions,
) -> None:
    world = await build.client(make, period_fee_cents=1_000)
    await known(make, world)
    await give(make, world, 50_000)
    await amended_to_dollars(make, world, datetime(2026, 3, 31, 22, tzinfo=UTC))
    await close_and_bill(make, world, MARCH, NOW)
    found = await notes(make, world)
    assert [(note.closing, note.currency, note.net_cents) for note in found] == [
        (False, "EUR", 1_000),
        (True, "EUR", 49_000),
    ]
    assert await owed(make, world) == 0


async def test_a_credit_in_another_currency_than_the_threshold_waits(make: Sessions) -> None:
    world = await build.client(make)
    async with transaction(make) as session:
        await compensation.choose_policy(
            Tx(session, system(world), T0), approval_above_cents=100_000
        )
    await amended_to_dollars(make, world, datetime(2026, 3, 31, 22, tzinfo=UTC))
    euros = await give(make, world, 500)
    dollars = await give(make, world, 500, at=NOW)
    assert (euros.currency, euros.state) == ("EUR", CreditState.GRANTED)
    assert (dollars.currency, dollars.state) == ("USD", CreditState.AWAITING)


async def test_one_setting_of_the_policy_leaves_the_others_alone(make: Sessions) -> None:
    world = await build.client(make)
    async with transaction(make) as session:
        await compensation.choose_policy(
            Tx(session, system(world), T0), approval_above_cents=None, vat_category="O"
        )
        policy = await compensation.choose_policy(
            Tx(session, system(world), T0), approval_above_cents=9
        )
    assert (policy.vat_category, policy.vat_rate_bps) == ("O", 0)


BELGIAN = Party("Anvers NV", "Meir 1", "2000", "Antwerpen", "BE", vat_number="BE0403019261")


@pytest.mark.parametrize(
    ("customer", "category", "rate_bps"),
    [
        (THEM, VatCategory.STANDARD, 2_100),
        (BELGIAN, VatCategory.REVERSE, 0),
        (replace(BELGIAN, vat_number=None), VatCategory.STANDARD, 2_100),
        (replace(BELGIAN, vat_number="NL004495445B01"), VatCategory.STANDARD, 2_100),
        (replace(BELGIAN, country="US", vat_number="12-3456789"), VatCategory.OUTSIDE, 0),
        (replace(BELGIAN, country="US", vat_number=None), VatCategory.STANDARD, 2_100),
    ],
)
async def test_a_sale_and_its_credit_are_taxed_by_where_the_customer_is(
    make: Sessions, customer: Party, category: VatCategory, rate_bps: int
) -> None:
    world = await build.client(make)
    await known(make, world)
    await give(make, world, 5_000)
    async with transaction(make) as session:
        await invoices.set_party(
            Tx(session, system(world), T0), world.account.id, party=customer, bill_from_on=MARCH
        )
    invoice = await close_and_bill(make, world, MARCH)
    assert invoice is not None
    async with make() as session:
        [line] = await session.scalars(
            select(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id)
        )
        [note] = await notes(make, world)
        document = await invoices.credit_note(session, world.client, note.id)
    assert (line.vat_category, line.vat_rate_bps) == (category, rate_bps)
    assert document is not None
    assert {each.vat_category for each in document.lines} == {category}
    assert invoice.vat_cents == invoice.net_cents * rate_bps // 10_000


@pytest.mark.parametrize(
    ("customer", "argument"),
    [
        (replace(BELGIAN, country="XX"), "country"),
        (replace(BELGIAN, vat_number="BE0403019262"), "vatNumber"),
        (replace(BELGIAN, vat_number="12-3456789"), "vatNumber"),
    ],
)
async def test_a_party_that_no_document_can_name_is_refused(
    make: Sessions, customer: Party, argument: str
) -> None:
    world = await build.client(make)
    with pytest.raises(Refused) as refused:
        async with transaction(make) as session:
            await invoices.set_party(
                Tx(session, system(world), T0), world.account.id, party=customer, bill_from_on=MARCH
            )
    assert refused.value.refusal.argument == argument


async def pay(make: Sessions, world: World, invoice: Invoice, cents: int, **how: Any) -> Any:
    async with transaction(make) as session:
        return await invoices.pay(
            Tx(session, system(world), how.pop("at", NOW)), invoice.id, amount_cents=cents,
            **{"paid_on": APRIL, "reference": "bank-1", **how},
        )  # fmt: skip


async def test_a_payment_is_at_most_what_is_open_and_is_taken_back_by_a_counter_entry(
    make: Sessions,
) -> None:
    world = await build.client(make)
    await known(make, world)
    invoice = await close_and_bill(make, world, MARCH)
    assert invoice is not None
    for cents in (invoice.gross_cents + 1, 2**53 - 1, 0, -1):
        with pytest.raises(Refused) as refused:
            await pay(make, world, invoice, cents)
        assert refused.value.refusal.argument == "amountCents"
    booked = await pay(make, world, invoice, invoice.gross_cents)
    async with transaction(make) as session:
        back = await invoices.reverse(
            Tx(session, system(world), NOW), booked.id, reason="Of another client."
        )
    assert back.amount_cents == -invoice.gross_cents
    async with make() as session:
        assert await invoices.outstanding(session, invoice) == invoice.gross_cents
        trial = await journal.trial_balance(session, system(world))
    assert trial[Book.BANK, "EUR"] == 0
    for wrong, code in ((booked, Code.ALREADY_DONE), (back, Code.INVALID)):
        with pytest.raises(Refused) as refused:
            async with transaction(make) as session:
                await invoices.reverse(Tx(session, system(world), NOW), wrong.id, reason="Again.")
        assert refused.value.refusal.code is code
    await pay(make, world, invoice, 100)  # its reference is free again
    with pytest.raises(Refused):
        async with transaction(make) as session:
            await invoices.reverse(Tx(session, world.client, NOW), booked.id, reason="Mine.")


ABSURD_DAYS = [date(1, 1, 1), date(1989, 12, 31), date(2037, 1, 1), date(9999, 12, 31)]


@pytest.mark.parametrize("day", ABSURD_DAYS)
async def test_absurd_days_are_refused_by_the_argument_s_name(make: Sessions, day: date) -> None:
    world = await build.client(make)
    await known(make, world)
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC)
    actor, agreement = system(world), world.agreement.id
    terms = build.terms_draft(world.calendar)
    line: dict[str, Any] = {"rate_code": "guard_hour", "quantity_milli": 1_000}
    tries: list[tuple[str, Any, dict[str, Any]]] = [
        ("inForceFrom", agreements.amend, {"in_force_from": instant, "terms": terms}),
        ("deliveredOn", invoices.deliver, {"delivered_on": day, "reference": "x", **line}),
        ("monthOn", invoices.plan, {"month_on": day, **line}),
        (
            "fromOn",
            agreements.set_rate,
            {
                "code": "x",
                "name": "x",
                "unit": Unit.DAY,
                "price_cents": 1,
                "from_on": day,
            },
        ),
    ]
    for argument, action, how in tries:
        with pytest.raises(Refused) as refused:
            async with transaction(make) as session:
                await action(Tx(session, actor, NOW), agreement, **how)
        assert refused.value.refusal.argument == argument


async def test_what_costs_more_than_any_total_holds_is_refused(make: Sessions) -> None:
    world = await build.client(make)
    await known(make, world)
    for milli in (2**53, 10**9 + 1, -(10**9) - 1):
        with pytest.raises(Refused) as refused:
            await deliver(make, world, date(2026, 3, 2), milli, "shift-1")
        assert refused.value.refusal.argument == "quantityMilli"
    with pytest.raises(Refused) as refused:
        await give(make, world, 2**53)
    assert refused.value.refusal.argument == "amountCents"
    assert minutes(0) == timedelta()
    assert US.kvk_number is not None
