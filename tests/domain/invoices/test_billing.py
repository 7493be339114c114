"""From plan to payment: every line follows from the terms, credits land on a note, numbers have no gaps."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from domain import agreements, compensation, incidents, invoices, journal
from domain.access import Actor, Role, Tx
from domain.agreements import Priority, Unit
from domain.compensation import Credit
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.invoices import CreditNote, Invoice, InvoiceLine, Party
from domain.journal import Book
from domain.promises import Promise, State
from tests import build
from tests.build import T0, World, minutes

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
US = Party(
    "Beveiliging B.V.", "Dam 1", "1012 JS", "Amsterdam",
    kvk_number="12345678", vat_number="NL004495445B01", iban="NL91ABNA0417164300",
)  # fmt: skip
THEM = Party("Klant B.V.", "Coolsingel 2", "3011 AD", "Rotterdam", kvk_number="87654321")


def system(world: World) -> Actor:
    return Actor.system(world.tenant.id, "test")


async def known(make: Sessions, world: World) -> None:
    """Both parties are known, an hour of a guard costs 41.55, and from 16 March 43.00."""
    async with transaction(make) as session:
        actor = system(world)
        await invoices.set_party(Tx(session, actor, T0), None, party=US)
        await invoices.set_party(
            Tx(session, actor, T0), world.account.id, party=THEM, bill_from_on=MARCH
        )
        for price, day in ((4_155, date(2026, 1, 1)), (4_300, date(2026, 3, 16))):
            await agreements.set_rate(
                Tx(session, actor, T0),
                world.agreement.id,
                code="guard_hour",
                name="Guard, hour",
                unit=Unit.HOUR,
                price_cents=price,
                from_on=day,
            )


async def deliver(make: Sessions, world: World, day: date, milli: int, reference: str) -> None:
    async with transaction(make) as session:
        await invoices.deliver(
            Tx(session, system(world), NOW),
            world.agreement.id,
            rate_code="guard_hour",
            delivered_on=day,
            quantity_milli=milli,
            reference=reference,
        )


async def broken(make: Sessions, world: World, *, at: datetime = T0) -> UUID:
    """A promise that was broken, and its credit of fifty euros."""
    ticket = await build.incident(make, world, priority=Priority.HIGH, at=at)
    async with transaction(make) as session:
        await incidents.acknowledge(Tx(session, world.staff, at + minutes(90)), ticket.id)
        [promise] = await session.scalars(
            select(Promise).where(Promise.incident_id == ticket.id, Promise.state == State.LATE)
        )
        await compensation.decide(Tx(session, system(world), at + minutes(91)), promise.id)
    return promise.id


async def close_and_bill(
    make: Sessions, world: World, month_on: date, at: datetime = NOW
) -> Invoice | None:
    async with transaction(make) as session:
        await compensation.close_month(Tx(session, system(world), at), world.agreement.id, month_on)
        return await invoices.bill(Tx(session, system(world), at), world.agreement.id, month_on)


async def test_a_month_is_billed_line_by_line_and_its_credits_are_set_off(make: Sessions) -> None:
    world = await build.client(make)
    await known(make, world)
    async with transaction(make) as session:
        await invoices.plan(
            Tx(session, system(world), T0),
            world.agreement.id,
            month_on=MARCH,
            rate_code="guard_hour",
            quantity_milli=20_000,
        )
    await deliver(make, world, date(2026, 3, 15), 8_500, "shift-1")
    await deliver(make, world, date(2026, 3, 16), 7_250, "shift-2")
    promise_id = await broken(make, world)

    invoice = await close_and_bill(make, world, MARCH)

    assert invoice is not None
    assert invoice.number == "F2026-00001"
    async with make() as session:
        rows = await session.scalars(
            select(InvoiceLine)
            .where(InvoiceLine.invoice_id == invoice.id)
            .order_by(InvoiceLine.position)
        )
        lines = [(row.name, row.quantity_milli, row.price_cents, row.net_cents) for row in rows]
        assert lines == [
            ("Objectbeveiliging", 1_000, 1_000_000, 1_000_000),
            ("Guard, hour", 8_500, 4_155, 35_318),  # 353.175
            ("Guard, hour", 7_250, 4_300, 31_175),
        ]
        assert (invoice.net_cents, invoice.vat_cents) == (1_066_493, 223_964)  # 2,239.6353
        [side] = await invoices.billing(session, system(world), world.agreement.id, MARCH)
        assert (side.planned_milli, side.delivered_milli, side.billed_milli) == (
            20_000,
            15_750,
            15_750,
        )
        assert side.billed_cents == 66_493
        [note] = await session.scalars(
            select(CreditNote).where(CreditNote.invoice_id == invoice.id)
        )
        document = await invoices.credit_note(session, world.client, note.id)
        assert document is not None
        [line] = document.lines
        assert (line.net_cents, document.totals.vat_cents, document.totals.gross_cents) == (
            5_000,
            1_050,
            6_050,
        )
        assert (document.supplier, document.customer) == (US, THEM)
        assert (document.number, document.invoice_number) == ("C2026-00001", "F2026-00001")
        assert line.name == (
            "first_response, INC-000001, Hoofdkantoor, 2026-03-02: The promise was broken."
        )
        assert await invoices.outstanding(session, invoice) == invoice.gross_cents - 6_050
        trial = await journal.trial_balance(session, system(world))
    assert promise_id is not None
    assert trial == {
        (Book.SERVICE_RECOVERY, "EUR"): 5_000,
        (Book.CLIENT_CREDIT, "EUR"): 0,
        (Book.REVENUE, "EUR"): -1_066_493,
        (Book.VAT, "EUR"): -223_964 + 1_050,
        (Book.RECEIVABLE, "EUR"): 1_066_493 + 223_964 - 6_050,
    }
    assert sum(trial.values()) == 0


async def test_a_credit_that_was_approved_later_is_named_with_incident_site_and_day(
    make: Sessions,
) -> None:
    world = await build.client(make)
    await known(make, world)
    async with transaction(make) as session:
        await compensation.choose_policy(Tx(session, system(world), T0), approval_above_cents=1_000)
    promise_id = await broken(make, world)
    async with transaction(make) as session:
        credit = await session.scalar(select(Credit).where(Credit.promise_id == promise_id))
        assert credit is not None
        finance = Actor(world.tenant.id, Role.FINANCE, "user:finance")
        await compensation.approve(Tx(session, finance, NOW), credit.id, reason="Agreed by phone.")
    await close_and_bill(make, world, MARCH, NOW)
    await close_and_bill(make, world, APRIL, NOW + timedelta(days=31))
    async with make() as session:
        notes = await session.scalars(
            select(CreditNote).where(CreditNote.account_id == world.account.id)
        )
        documents = [await invoices.credit_note(session, world.client, each.id) for each in notes]
    [line] = [line for each in documents if each is not None for line in each.lines]
    assert line.name == (
        "first_response, INC-000001, Hoofdkantoor, 2026-03-02:"
        " Somebody of the company agreed to the credit."
    )


async def test_billing_twenty_times_at_once_makes_one_invoice(make: Sessions) -> None:
    world = await build.client(make)
    await known(make, world)
    await broken(make, world)
    async with transaction(make) as session:
        await compensation.close_month(Tx(session, system(world), NOW), world.agreement.id, MARCH)

    async def once() -> Invoice | None:
        async with transaction(make) as session:
            return await invoices.bill(Tx(session, system(world), NOW), world.agreement.id, MARCH)

    made = await asyncio.gather(*(once() for _ in range(20)))
    assert len([invoice for invoice in made if invoice is not None]) == 1
    async with make() as session:
        notes = await session.scalars(
            select(CreditNote).where(CreditNote.agreement_id == world.agreement.id)
        )
        assert [note.net_cents for note in notes] == [5_000]


async def test_a_credit_taken_back_after_its_note_is_netted_on_the_next_one(make: Sessions) -> None:
    world = await build.client(make)
    await known(make, world)
    first = await broken(make, world)
    assert await close_and_bill(make, world, MARCH) is not None
    april = datetime(2026, 4, 10, 9, tzinfo=UTC)
    later = datetime(2026, 5, 1, 9, tzinfo=UTC)
    async with transaction(make) as session:
        credit = await session.scalar(
            select(compensation.Credit).where(compensation.Credit.promise_id == first)
        )
        assert credit is not None
        await compensation.override(
            Tx(session, system(world), april), credit.id, cents=2_000, reason="We agreed on less."
        )
    await broken(make, world, at=april)

    invoice = await close_and_bill(make, world, APRIL, later)

    assert invoice is not None
    async with make() as session:
        [note] = await session.scalars(
            select(CreditNote).where(CreditNote.invoice_id == invoice.id)
        )
        document = await invoices.credit_note(session, system(world), note.id)
    assert document is not None
    told = [(line.quantity_milli, line.price_cents, line.net_cents) for line in document.lines]
    assert told == [(-1_000, 3_000, -3_000), (1_000, 5_000, 5_000)]
    assert (document.totals.net_cents, document.number) == (2_000, "C2026-00002")


async def test_what_was_delivered_late_is_on_the_next_invoice_and_is_entered_once(
    make: Sessions,
) -> None:
    world = await build.client(make, period_fee_cents=0)
    await known(make, world)
    await deliver(make, world, date(2026, 3, 2), 1_000, "shift-1")
    first = await close_and_bill(make, world, MARCH)
    await deliver(make, world, date(2026, 3, 3), 2_000, "shift-2")
    await deliver(make, world, date(2026, 3, 2), -500, "shift-1-corrected")
    with pytest.raises(Refused) as refused:
        await deliver(make, world, date(2026, 3, 3), 2_000, "shift-2")
    assert refused.value.refusal.code is Code.ALREADY_EXISTS
    second = await close_and_bill(make, world, APRIL, NOW + timedelta(days=31))
    assert first is not None
    assert second is not None
    assert (first.net_cents, second.net_cents) == (4_155, 6_233)  # 1.5 hours, 62.325


async def test_nothing_is_delivered_without_a_price_in_the_terms(make: Sessions) -> None:
    world = await build.client(make)
    with pytest.raises(Refused) as refused:
        await deliver(make, world, date(2026, 3, 2), 1_000, "shift-1")
    assert refused.value.refusal.code is Code.NO_TERMS_IN_FORCE


async def test_a_price_that_held_is_never_changed_afterwards(make: Sessions) -> None:
    world = await build.client(make)
    await known(make, world)
    with pytest.raises(Refused) as refused:
        async with transaction(make) as session:
            await agreements.set_rate(
                Tx(session, system(world), NOW),
                world.agreement.id,
                code="guard_hour",
                name="Guard, hour",
                unit=Unit.HOUR,
                price_cents=1,
                from_on=date(2026, 3, 20),
            )
    assert refused.value.refusal.code is Code.TIME_REVERSED


async def test_a_payment_is_booked_once_and_lowers_what_is_open(make: Sessions) -> None:
    world = await build.client(make)
    await known(make, world)
    invoice = await close_and_bill(make, world, MARCH)
    assert invoice is not None

    async def pay() -> None:
        async with transaction(make) as session:
            await invoices.pay(
                Tx(session, system(world), NOW),
                invoice.id,
                amount_cents=1_000,
                paid_on=APRIL,
                reference="bank-1",
            )

    await pay()
    with pytest.raises(Refused):
        await pay()
    async with make() as session:
        assert await invoices.outstanding(session, invoice) == invoice.gross_cents - 1_000


async def test_a_month_is_due_once_it_is_closed_and_both_parties_are_known(make: Sessions) -> None:
    world = await build.client(make)
    async with transaction(make) as session:
        await compensation.close_month(Tx(session, system(world), NOW), world.agreement.id, MARCH)

    async def due() -> list[Any]:
        async with make() as session:
            rows = await invoices.months_to_bill(session, limit=1_000)
        return [row.month_on for row in rows if row.agreement_id == world.agreement.id]

    assert await due() == []
    await known(make, world)
    assert await due() == [MARCH]
    async with transaction(make) as session:
        await invoices.bill(Tx(session, system(world), NOW), world.agreement.id, MARCH)
    assert await due() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("kvk_number", "1234"), ("vat_number", "NL123456789B01"), ("iban", "NL91ABNA0417164301")],
)
async def test_numbers_that_fail_their_own_check_are_refused(
    make: Sessions, field: str, value: str
) -> None:
    world = await build.client(make)
    wrong = Party("K", "S", "1", "C", **{field: value})
    with pytest.raises(Refused):
        async with transaction(make) as session:
            await invoices.set_party(Tx(session, system(world), T0), None, party=wrong)


async def test_a_client_neither_bills_nor_pays(make: Sessions) -> None:
    world = await build.client(make)
    dispatcher = Actor(world.tenant.id, Role.DISPATCHER, "user:dispatcher")
    for actor in (world.client, dispatcher):
        with pytest.raises(Refused) as refused:
            async with transaction(make) as session:
                await invoices.bill(Tx(session, actor, NOW), world.agreement.id, MARCH)
        assert refused.value.refusal.code is Code.NOT_ALLOWED


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal_line SET amount_cents = amount_cents + 1",
        "DELETE FROM journal_entry",
        "TRUNCATE journal_line",
        """INSERT INTO journal_line
           SELECT DISTINCT ON (entry_id) uuidv7(), tenant_id, account_id, entry_id, 'bank', 1, 'EUR'
           FROM journal_line l WHERE NOT EXISTS
             (SELECT FROM journal_line b WHERE b.entry_id = l.entry_id AND b.book = 'bank')""",
    ],
)
async def test_the_journal_is_neither_changed_nor_unbalanced(
    make: Sessions, statement: str
) -> None:
    world = await build.client(make)
    await broken(make, world)
    with pytest.raises(DBAPIError, match=r"append-only|does not balance|permission denied"):
        async with transaction(make) as session:
            await session.execute(text(statement))
