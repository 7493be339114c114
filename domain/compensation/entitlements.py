"""Compute what a client is entitled to: load what the rules need for the months and the unit in question."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.agreements import (
    CreditBand,
    CreditRule,
    PerCause,
    PromiseTerm,
    Rate,
    Terms,
    price_on,
    rates_of,
)
from domain.compensation.model import ClosedMonth, Credit, CreditKind, CreditState
from domain.compensation.rules import (
    BrokenPromise,
    Month,
    amount_cents,
    band_cents,
    band_for,
    entitled,
    month_of,
    month_start,
    next_month,
    rule_for,
)
from domain.promises.model import Promise, State


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What one broken promise or closed month earns, and how much of it the client is entitled to."""

    kind: CreditKind
    terms: Terms
    month_on: date
    earned_cents: int
    cents: int
    turn: int
    promise: Promise | None = None
    rule: CreditRule | None = None
    term_id: UUID | None = None
    currency: str = "EUR"


@dataclass(frozen=True, slots=True)
class Entitlements:
    """Entitlements by key (a promise's id, or a term and a month), and the existing credits by key."""

    earned: Mapping[object, Entitlement]
    credits: Mapping[object, Credit]
    beyond: frozenset[object]
    """Keys that earn a credit in other months than the requested ones."""


def key_of(credit: Credit) -> object:
    """Return the key of a credit."""
    return credit.promise_id or (credit.term_id, credit.month_on)


async def months_of(
    session: AsyncSession,
    agreement_id: UUID,
    unit_id: UUID,
    time_zone: str,
    *,
    began_at: datetime | None = None,
) -> set[date]:
    """Return the months in which a unit broke promises now or before, and closed months that may have counted it.

    A promise whose clock turned out never to have run no longer shows in which month it counted: not before `began_at`.
    """
    instants = await session.scalars(
        select(Promise.decided_at).where(Promise.unit_id == unit_id, *_late(agreement_id))
    )
    months = await session.scalars(
        select(Credit.month_on).where(
            Credit.unit_id == unit_id, Credit.agreement_id == agreement_id
        )
    )
    found = {month_of(at, time_zone) for at in instants if at is not None} | set(months)
    if await _bands(session, agreement_id):
        closed = await session.scalars(
            select(ClosedMonth.month_on).where(ClosedMonth.agreement_id == agreement_id)
        )
        first = date.min if began_at is None else month_of(began_at, time_zone)
        found |= {month_on for month_on in closed if month_on >= first}
    return found


async def compute(
    session: AsyncSession,
    agreement_id: UUID,
    time_zone: str,
    months: set[date],
    *,
    unit_id: UUID | None,
    promise_id: UUID | None,
) -> Entitlements:
    """Compute what the current verdicts earn under one agreement in these months.

    Promises with a credit count, and `promise_id`, whose credit is being decided. Where neither a cap nor a band links
    the units of a month, only the unit in question is computed.
    """
    bands = await _bands(session, agreement_id)
    closed = await _closed(session, agreement_id, months) if bands else set()
    whole = unit_id is None or bool(closed) or await _capped(session, agreement_id)
    late = await _broken(session, agreement_id, time_zone, months, None if whole else unit_id)
    units = {row.unit_id for row in late} | ({unit_id} if unit_id else set())
    given = await _credits(session, agreement_id, months if whole else set(), units)
    late = [row for row in late if row.id in given or row.id == promise_id]
    rules, terms, rates = await _terms(session, agreement_id, late, bands)
    turn = 1 + (await _credit_count(session, agreement_id))
    earned: dict[object, Entitlement] = {}
    broken = []
    for row in late:
        rule = rule_for(rules.get(row.term_id, ()), row.priority)
        if rule is None or row.decided_at is None:
            continue
        of = terms[row.terms_id]
        day = row.decided_at.astimezone(ZoneInfo(time_zone)).date()
        price = price_on(rates, rule.rate_code, day)
        currency = of.currency if price is None else price.currency
        same = currency == of.currency
        cents = amount_cents(
            rule,
            of.period_fee_cents,
            None if price is None else price.price_cents,
            bounded=same,
        )
        month_on = day.replace(day=1)
        sequence_no = _sequence_no(given.get(row.id), turn)
        turn += row.id not in given
        earned[row.id] = Entitlement(
            CreditKind.PROMISE, of, month_on, cents, 0, sequence_no, row, rule, currency=currency
        )
        broken.append(
            BrokenPromise(
                row.id,
                row.unit_id,
                row.term_id,
                sequence_no,
                month_on,
                cents,
                of.credit_cap_cents if same else None,
                of.per_cause is PerCause.LARGEST,
                _given(given.get(row.id)),
                currency,
            )
        )
    weighed = []
    for month_on in sorted(closed):
        counts = await _counts(session, bands, time_zone, month_on)
        for term, count in sorted(counts.items(), key=lambda each: (each[0].name, each[0].id)):
            band = band_for(bands[term], kept=count[0], decided=count[1])
            of, key = terms[term.terms_id], (term.id, month_on)
            cents = 0 if band is None else band_cents(band, of.period_fee_cents)
            if band is None and key not in given:
                continue
            sequence_no = _sequence_no(given.get(key), turn)
            turn += key not in given
            earned[key] = Entitlement(
                CreditKind.PERIOD,
                of,
                month_on,
                cents,
                0,
                sequence_no,
                term_id=term.id,
                currency=of.currency,
            )
            weighed.append(
                Month(
                    term.id,
                    sequence_no,
                    month_on,
                    cents,
                    of.credit_cap_cents,
                    of.per_cause is PerCause.LARGEST,
                    _given(given.get(key)),
                    of.currency,
                )
            )
    cents_of = entitled(broken, weighed)
    return Entitlements(
        {
            key: replace(each, cents=cents_of[key])
            for key, each in earned.items()
            if each.month_on in months
        },
        given,
        frozenset(key for key, each in earned.items() if each.month_on not in months),
    )


def _sequence_no(credit: Credit | None, following_turn: int) -> int:
    return following_turn if credit is None else credit.turn


async def _credit_count(session: AsyncSession, agreement_id: UUID) -> int:
    """Count the credits of an agreement; the caller holds its lock."""
    found = await session.scalar(
        select(func.coalesce(func.max(Credit.turn), 0)).where(Credit.agreement_id == agreement_id)
    )
    return int(found or 0)


def _given(credit: Credit | None) -> int | None:
    """Return the amount that people decided for a credit, or None when the schedule applies."""
    if credit is None:
        return None
    return 0 if credit.state is CreditState.DECLINED else credit.override_cents


def _late(agreement_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        Promise.agreement_id == agreement_id,
        Promise.state == State.LATE,
        Promise.internal.is_(False),
    )


def _within(column: Any, months: Iterable[date], time_zone: str) -> ColumnElement[bool]:
    return or_(
        *(
            and_(
                column >= month_start(m, time_zone), column < month_start(next_month(m), time_zone)
            )
            for m in months
        )
    )


async def _broken(
    session: AsyncSession,
    agreement_id: UUID,
    time_zone: str,
    months: set[date],
    unit_id: UUID | None,
) -> Sequence[Promise]:
    """Load the broken promises of the months, with all others of the same units; or those of one unit."""
    if unit_id is not None:
        units = {unit_id}
    else:
        inside = select(Promise.unit_id).where(
            *_late(agreement_id), _within(Promise.decided_at, months, time_zone)
        )
        units = set(await session.scalars(inside))
    query = select(Promise).where(Promise.unit_id == func.any(list(units)), *_late(agreement_id))
    found = await session.scalars(query.execution_options(populate_existing=True))
    return found.all()


async def _credits(
    session: AsyncSession, agreement_id: UUID, months: set[date], units: set[UUID]
) -> dict[object, Credit]:
    rows = await session.scalars(
        select(Credit)
        .where(
            Credit.agreement_id == agreement_id,
            or_(
                Credit.unit_id == func.any(list(units)),
                and_(Credit.kind != CreditKind.GOODWILL, Credit.month_on == func.any(list(months))),
            ),
        )
        .execution_options(populate_existing=True)
    )
    return {key_of(row): row for row in rows}


async def _terms(
    session: AsyncSession,
    agreement_id: UUID,
    late: Sequence[Promise],
    bands: Mapping[PromiseTerm, object],
) -> tuple[dict[UUID, list[CreditRule]], dict[UUID, Terms], Sequence[Rate]]:
    rules: dict[UUID, list[CreditRule]] = {}
    wanted = {row.term_id for row in late}
    for rule in await session.scalars(
        select(CreditRule).where(CreditRule.term_id == func.any(list(wanted)))
    ):
        rules.setdefault(rule.term_id, []).append(rule)
    versions = {row.terms_id for row in late} | {term.terms_id for term in bands}
    terms = await session.scalars(select(Terms).where(Terms.id == func.any(list(versions))))
    priced = any(rule.rate_code for found in rules.values() for rule in found)
    rates = await rates_of(session, agreement_id) if priced else ()
    return rules, {each.id: each for each in terms}, rates


async def _capped(session: AsyncSession, agreement_id: UUID) -> bool:
    capped = exists().where(Terms.agreement_id == agreement_id, Terms.credit_cap_cents.is_not(None))
    return bool(await session.scalar(select(capped)))


async def _bands(session: AsyncSession, agreement_id: UUID) -> dict[PromiseTerm, list[CreditBand]]:
    rows = await session.execute(
        select(PromiseTerm, CreditBand)
        .join(CreditBand, CreditBand.term_id == PromiseTerm.id)
        .join(Terms, Terms.id == PromiseTerm.terms_id)
        .where(Terms.agreement_id == agreement_id)
    )
    found: dict[PromiseTerm, list[CreditBand]] = {}
    for term, band in rows:
        found.setdefault(term, []).append(band)
    return found


async def _closed(session: AsyncSession, agreement_id: UUID, months: set[date]) -> set[date]:
    rows = await session.scalars(
        select(ClosedMonth.month_on).where(
            ClosedMonth.agreement_id == agreement_id,
            ClosedMonth.month_on == func.any(list(months)),
        )
    )
    return set(rows)


async def _counts(
    session: AsyncSession,
    bands: Mapping[PromiseTerm, object],
    time_zone: str,
    month_on: date,
) -> dict[PromiseTerm, tuple[int, int]]:
    """Count the kept and the decided promises of each term in a month."""
    terms = {term.id: term for term in bands}
    rows = await session.execute(
        select(
            Promise.term_id,
            func.count().filter(Promise.state == State.KEPT),
            func.count(),
        )
        .where(
            Promise.term_id == func.any(list(terms)),
            _within(Promise.decided_at, [month_on], time_zone),
        )
        .group_by(Promise.term_id)
    )
    found = {terms[term_id]: (kept, decided) for term_id, kept, decided in rows}
    return {term: found.get(term, (0, 0)) for term in bands}
