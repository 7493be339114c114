"""Rates: the price of a unit of a service, from which day on."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.agreements.events import RateSet
from domain.agreements.model import Agreement, Rate, Terms, Unit
from domain.core.base import uuid7
from domain.core.bounds import must_be_cents, must_be_currency, must_be_day
from domain.core.changes import values_of
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line

_RATE = ("name", "unit", "price_cents", "currency")


async def set_rate(
    tx: Tx,
    agreement_id: UUID,
    *,
    code: str,
    name: str,
    unit: Unit,
    price_cents: int,
    from_on: date,
    currency: str | None = None,
) -> Rate:
    """Set the price of a unit from a day on; until then the last price of the code applies.

    Without a currency, that of the terms in force on that day is used, else of the newest terms.

    A current price can change from today on at the earliest, because delivered work keeps the price agreed for its day.
    """
    tx.actor.must(Right.MANAGE_AGREEMENTS)
    must_be_line(code, "code")
    must_be_line(name, "name")
    must_be_cents(price_cents, "priceCents")
    must_be_day(from_on, "fromOn", tx.at)
    if currency is not None:
        must_be_currency(currency, "currency")
    agreement = await tx.get(
        Agreement, agreement_id, "agreement", argument="agreementId", lock=True
    )
    account = await tx.session.get_one(Account, agreement.account_id)
    last = await tx.session.scalar(
        select(Rate)
        .where(Rate.agreement_id == agreement.id, Rate.code == code)
        .order_by(Rate.in_force.desc())
        .limit(1)
    )
    if last is not None:
        today = tx.at.astimezone(ZoneInfo(account.time_zone)).date()
        begun = last.in_force.lower
        if from_on < today or (begun is not None and from_on <= begun):
            raise Refused(
                Code.TIME_REVERSED,
                f"{code} has a price on that day; a new one must start today or later, after the last one.",
                argument="fromOn",
            )
        last.in_force = Range(begun, from_on)
        await tx.session.flush()
    before = None if last is None else values_of(last, _RATE)
    rate = Rate(
        id=uuid7(),
        tenant_id=agreement.tenant_id,
        account_id=agreement.account_id,
        agreement_id=agreement.id,
        code=code,
        name=name,
        unit=unit,
        price_cents=price_cents,
        currency=currency or await _currency(tx.session, account, agreement.id, from_on),
        in_force=Range(from_on, None),
    )
    tx.session.add(rate)
    await tx.session.flush()
    tx.record(
        RateSet(
            account_id=agreement.account_id,
            subject_id=agreement.id,
            at=tx.at,
            rate_id=rate.id,
            code=code,
            price_cents=price_cents,
            from_on=from_on,
            before=before,
            after=values_of(rate, _RATE),
        )
    )
    return rate


async def _currency(session: AsyncSession, account: Account, agreement_id: UUID, day: date) -> str:
    """Return the currency of the terms in force when a day begins, else of the newest terms."""
    begin = datetime.combine(day, time(), tzinfo=ZoneInfo(account.time_zone))
    rows = await session.scalars(
        select(Terms).where(Terms.agreement_id == agreement_id).order_by(Terms.number)
    )
    versions = rows.all()
    held = [each for each in versions if begin in each.in_force]
    return (held or versions)[-1].currency


async def rates_of(session: AsyncSession, agreement_id: UUID) -> Sequence[Rate]:
    """Return every price of an agreement, by code and day."""
    found = await session.scalars(
        select(Rate).where(Rate.agreement_id == agreement_id).order_by(Rate.code, Rate.in_force)
    )
    return found.all()


def price_on(rates: Iterable[Rate], code: str | None, day: date) -> Rate | None:
    """Return the price of a code on a day."""
    return next((rate for rate in rates if rate.code == code and day in rate.in_force), None)
