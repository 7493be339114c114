"""The demo company's money: rates, what was delivered, a billed month with its credits, and one case of making good."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.demo.data import COMPANY, Client
from domain import agreements, compensation, invoices, recovery
from domain.access import Actor, Tx
from domain.agreements import Unit
from domain.compensation import next_month
from domain.incidents import Incident
from domain.invoices import Party
from domain.promises import Promise, State
from domain.recovery import Size, StepKind

Step = Callable[[AsyncSession], Awaitable[Any]]

ZONE = ZoneInfo("Europe/Amsterdam")
US = Party(
    COMPANY,
    "Kade 12",
    "9711 AA",
    "Groningen",
    kvk_number="60000100",
    vat_number="NL600001003B01",
    iban="NL07WBRG0600001000",
)
RATES = (
    ("guard_hour", "Beveiliger, extra uur", Unit.HOUR, 4_850),
    ("call_out", "Alarmopvolging, per keer", Unit.PIECE, 9_500),
)


@dataclass(frozen=True)
class Books:
    """Client with invoices in the demo."""

    client: Client
    account_id: UUID
    agreement_id: UUID


async def open_books(
    session: AsyncSession, actor: Actor, everyone: Sequence[Books], *, at: datetime, month_on: date
) -> None:
    """Say who bills whom from which month on, and what a unit costs."""
    await invoices.set_party(Tx(session, actor, at), None, party=US)
    for books in everyone:
        place = books.client.places[0]
        party = Party(
            books.client.name,
            place.street,
            place.postcode,
            place.city,
            kvk_number=books.client.kvk_number,
        )
        await invoices.set_party(
            Tx(session, actor, at), books.account_id, party=party, bill_from_on=month_on
        )
        for code, name, unit, cents in RATES:
            await agreements.set_rate(
                Tx(session, actor, at),
                books.agreement_id,
                code=code,
                name=name,
                unit=unit,
                price_cents=cents,
                from_on=(at - timedelta(days=200)).date(),
            )


def billed_month(start: datetime, end: datetime) -> tuple[date, datetime]:
    """The last month that was billed before `end`, and when: the morning after it, or a week after `start`."""
    month_on = end.astimezone(ZONE).date().replace(day=1)
    while True:
        month_on = (month_on - timedelta(days=1)).replace(day=1)
        morning = datetime.combine(next_month(month_on), time(8), ZONE)
        billed_at = max(morning, start + timedelta(days=7))
        if billed_at < end:
            return month_on, billed_at


def weeks(
    actor: Actor, manager_id: UUID, everyone: Sequence[Books], start: datetime, end: datetime
) -> Iterator[tuple[datetime, Step]]:
    """Yield the steps of billing, in the order of time for each client."""
    month_on, billed_at = billed_month(start, end)
    for number, books in enumerate(everyone):
        for week in (0, 2):
            at = start + timedelta(days=7 * week + 1, hours=number)
            yield at, _extra_hours(actor, books, at, number)
        yield billed_at, _close_and_bill(actor, books, month_on, billed_at)
    yield from _paid(actor, everyone[0], month_on, billed_at, end)
    yield from _made_good(actor, manager_id, end - timedelta(days=2))


def call_out(actor: Actor, books: Books, ticket_id: UUID, at: datetime) -> Step:
    """Record the drive to an alarm as a delivered service."""

    async def do(session: AsyncSession) -> None:
        await invoices.deliver(
            Tx(session, actor, at),
            books.agreement_id,
            rate_code="call_out",
            quantity_milli=1_000,
            delivered_on=at.astimezone(ZONE).date(),
            reference=f"alarm {ticket_id}",
        )

    return do


def _extra_hours(actor: Actor, books: Books, at: datetime, number: int) -> Step:
    async def do(session: AsyncSession) -> None:
        on = at.astimezone(ZONE).date()
        await invoices.deliver(
            Tx(session, actor, at),
            books.agreement_id,
            rate_code="guard_hour",
            quantity_milli=2_000 + 1_500 * number,
            delivered_on=on,
            reference=f"dienst {on}",
        )

    return do


def _close_and_bill(actor: Actor, books: Books, month_on: date, at: datetime) -> Step:
    async def do(session: AsyncSession) -> None:
        await compensation.close_month(Tx(session, actor, at), books.agreement_id, month_on)
        await invoices.bill(Tx(session, actor, at), books.agreement_id, month_on)

    return do


def _paid(
    actor: Actor, books: Books, month_on: date, billed_at: datetime, end: datetime
) -> Iterator[tuple[datetime, Step]]:
    at = billed_at + timedelta(days=9)

    async def pay(session: AsyncSession) -> None:
        invoice = (
            await session.scalars(
                select(invoices.Invoice).where(
                    invoices.Invoice.agreement_id == books.agreement_id,
                    invoices.Invoice.period_from_on == month_on,
                )
            )
        ).one()
        notes = await session.scalars(
            select(invoices.CreditNote.gross_cents).where(
                invoices.CreditNote.invoice_id == invoice.id
            )
        )
        await invoices.pay(
            Tx(session, actor, at),
            invoice.id,
            amount_cents=invoice.gross_cents - sum(notes),
            paid_on=at.date(),
            reference=f"Overboeking {invoice.number}",
        )

    if at < end:
        yield at, pay


def _made_good(actor: Actor, manager_id: UUID, at: datetime) -> Iterator[tuple[datetime, Step]]:
    """Of the last promise that was broken; the client was listened to, and it is not put right yet."""
    known: list[UUID] = []

    async def begin(session: AsyncSession) -> None:
        broken = await session.scalar(
            select(Incident)
            .join(Promise, Promise.unit_id == Incident.id)
            .where(
                Incident.tenant_id == actor.tenant_id,
                Promise.state == State.LATE,
                Promise.internal.is_(False),
            )
            .order_by(Promise.decided_at.desc(), Promise.id)
            .limit(1)
        )
        if broken is None:
            return
        case = await recovery.open_case(
            Tx(session, actor, at),
            broken.id,
            size=Size.MEDIUM,
            owner_id=manager_id,
            summary="Wij waren er niet op de tijd die wij u hadden beloofd",
        )
        known.append(case.id)

    def then(kind: StepKind, note: str, at: datetime) -> tuple[datetime, Step]:
        async def do(session: AsyncSession) -> None:
            for case_id in known:
                await recovery.take_step(Tx(session, actor, at), case_id, kind=kind, note=note)

        return at, do

    yield at, begin
    yield then(StepKind.APOLOGIZE, "Gebeld en excuses aangeboden.", at + timedelta(hours=2))
    yield then(StepKind.LISTEN, "Wil weten wie er die nacht reed.", at + timedelta(hours=20))
