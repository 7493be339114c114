"""Read measurements, as they are now or as they were known, and compare them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import archive
from domain.access import Actor, Right, visible_to
from domain.accounts.model import Account
from domain.agreements.model import Terms
from domain.evaluator.kernels.scores import LEAST_UNITS, WEIGHTS, Component
from domain.promises import to_us
from domain.quality.model import BurnState, Look, Measurement, Portfolio, QualityPolicy, Window
from domain.quality.rules import Measuring, PartVerdict, Scope, ScopeFigures
from domain.quality.store import row_of
from domain.quality.windows import CALENDAR, Local, WindowSpan, instant, span_at

RISK_LIMIT_BPS = 1_000
"""Default share of the fee (a tenth) that terms may put at risk without a sign-off."""
LEAST_PEERS = 5
HISTORY = 12


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """The policy that applies to one account."""

    weights: Mapping[Component, int]
    risk_limit_bps: int


async def policy_of(session: AsyncSession, account: Account) -> EffectivePolicy:
    """Return the account's policy, field by field: its own, else its tier's, else the company's, else the default."""
    rows = await session.scalars(
        select(QualityPolicy).where(
            QualityPolicy.tenant_id == account.tenant_id,
            or_(
                QualityPolicy.account_id == account.id,
                QualityPolicy.tier == account.service_tier,
                QualityPolicy.account_id.is_(None) & QualityPolicy.tier.is_(None),
            ),
        )
    )
    weights, limit = dict(WEIGHTS), RISK_LIMIT_BPS
    for row in sorted(rows, key=lambda row: (row.account_id is not None, row.tier is not None)):
        if row.weights is not None:
            weights = {part: int(row.weights.get(part, 0)) for part in Component}
        if row.risk_limit_bps is not None:
            limit = row.risk_limit_bps
    return EffectivePolicy(weights, limit)


async def local_of(session: AsyncSession, account: Account) -> Local:
    """Return the account's calendar; without any agreement its contract years are calendar years."""
    first = await session.scalar(
        select(func.min(func.lower(Terms.in_force))).where(Terms.account_id == account.id)
    )
    return _local(account, first)


def _local(account: Account, first: datetime | None) -> Local:
    zone = ZoneInfo(account.time_zone)
    return Local(account.time_zone, first.astimezone(zone).date() if first else date(2000, 1, 1))


async def account_of(session: AsyncSession, actor: Actor, account_id: UUID) -> Account | None:
    """Return the account, when it is visible to the actor."""
    found: Account | None = await session.scalar(
        select(Account).where(Account.id == account_id, actor.scope(Account))
    )
    return found


async def compliance(
    session: AsyncSession,
    actor: Actor,
    account_id: UUID,
    scope: Scope,
    window: Window,
    *,
    at: datetime,
    now: datetime,
) -> Measurement | None:
    """Return the compliance of one scope in its window around `at`; None when nothing was decided in it.

    Calendar windows are read as stored, a few seconds behind the facts; rolling ones, and accounts without stored
    measurements, are measured on request.
    """
    first = select(func.min(func.lower(Terms.in_force))).where(Terms.account_id == account_id)
    query = (
        select(Account, Look.measured_at, first.scalar_subquery())
        .outerjoin(Look, Look.account_id == Account.id)
        .where(Account.id == account_id, actor.scope(Account))
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        return None
    account, look_measured_at, terms_from = found
    span = span_at(window, _local(account, terms_from), to_us(at))
    if window in CALENDAR and look_measured_at is not None:
        row = await session.scalar(_stored(account_id, scope, span))
    else:
        _, row = await measured_at(session, account, scope, span, at=now)
    return None if row is not None and row.internal and not actor.may(Right.READ_INTERNAL) else row


def _stored(account_id: UUID, scope: Scope, span: WindowSpan) -> Select[Measurement]:
    row = Measurement
    return select(row).where(
        row.account_id == account_id,
        row.site_id.is_(None) if scope.site_id is None else row.site_id == scope.site_id,
        row.term_id.is_(None) if scope.term_id is None else row.term_id == scope.term_id,
        row.window == span.window,
        row.from_at == instant(span.from_us),
    )


async def measured_at(
    session: AsyncSession,
    account: Account,
    scope: Scope,
    span: WindowSpan,
    *,
    at: datetime,
    known_at: datetime | None = None,
) -> tuple[Measuring, Measurement | None]:
    """Evaluate the account's log as of `at`, with the facts known at `known_at`, and measure one scope and window."""
    policy, local = await policy_of(session, account), await local_of(session, account)
    log = await archive.load(session, account.id, at=at, known_at=known_at)

    def compute() -> tuple[Measuring, ScopeFigures | None]:
        measuring = Measuring(log, to_us(at), local, policy.weights)
        found = (each for each in measuring.found([span]) if each.scope == scope)
        return measuring, next(found, None)

    measuring, found = await asyncio.to_thread(compute)
    return measuring, None if found is None else row_of(account, log, found, at)


@dataclass(frozen=True, slots=True)
class ChangedVerdict:
    """A verdict that differs from the one known before."""

    incident_id: UUID
    term_id: UUID
    part: int
    was: PartVerdict | None
    now: PartVerdict | None


@dataclass(frozen=True, slots=True)
class RestatedWindow:
    """A window as it was known at a time, as it is known now, and the verdicts that differ."""

    known_at: datetime
    then: Measurement | None
    now: Measurement | None
    changed: Sequence[ChangedVerdict]


async def restated(
    session: AsyncSession,
    actor: Actor,
    account_id: UUID,
    scope: Scope,
    window: Window,
    *,
    at: datetime,
    known_at: datetime,
    now: datetime,
) -> RestatedWindow | None:
    """Measure a past window twice from the ledger: with the facts recorded by `known_at`, and with all of them.

    Both use the terms pinned when each incident was opened: those then in force. None when there is no such account, or
    the scope is not visible to the actor.
    """
    account = await account_of(session, actor, account_id)
    if account is None:
        return None
    span = span_at(window, await local_of(session, account), to_us(at))
    known_at = min(known_at, now)
    old, then = await measured_at(session, account, scope, span, at=known_at, known_at=known_at)
    new, current = await measured_at(session, account, scope, span, at=now)
    if not actor.may(Right.READ_INTERNAL) and any(
        row is not None and row.internal for row in (then, current)
    ):
        return None
    return RestatedWindow(known_at, then, current, _changed(old, new, scope, span))


def _changed(
    old: Measuring, new: Measuring, scope: Scope, span: WindowSpan
) -> list[ChangedVerdict]:
    was, now = old.verdicts_in(scope, span), new.verdicts_in(scope, span)
    return [
        ChangedVerdict(*key, was.get(key), now.get(key))
        for key in sorted(was.keys() | now.keys())
        if was.get(key) is not now.get(key)
    ]


@dataclass(frozen=True, slots=True)
class PeerDistribution:
    """Position of a value among others: how many there are, and the share of them it is above, in hundredths."""

    n: int
    percentile: int
    median: float


@dataclass(frozen=True, slots=True)
class Benchmark:
    """An account's window compared with its own earlier ones and with other accounts of the company."""

    own: Measurement
    history: (
        PeerDistribution | None
    )  # the share kept, among up to twelve windows before; None: there are none
    history_quality: PeerDistribution | None
    peers: PeerDistribution | None  # None: fewer than five others, who could be identified
    peers_quality: PeerDistribution | None


async def benchmark(
    session: AsyncSession,
    actor: Actor,
    account_id: UUID,
    window: Window,
    *,
    at: datetime,
    now: datetime,
) -> Benchmark | None:
    """Compare an account's window; None when nothing was decided in it."""
    own = await compliance(session, actor, account_id, Scope(), window, at=at, now=now)
    account = await account_of(session, actor, account_id)
    if own is None or account is None:
        return None
    earlier = (
        await session.scalars(
            select(Measurement)
            .where(
                Measurement.account_id == account_id,
                Measurement.site_id.is_(None),
                Measurement.term_id.is_(None),
                Measurement.window == window,
                Measurement.from_at < own.from_at,
            )
            .order_by(Measurement.from_at.desc())
            .limit(HISTORY)
        )
    ).all()
    spread = await session.scalar(
        select(Portfolio).where(
            Portfolio.tenant_id == account.tenant_id,
            Portfolio.window == window,
            Portfolio.from_at == own.from_at if window in CALENDAR else Portfolio.from_at.is_(None),
        )
    )
    scores = [row.points_e6 for row in earlier if row.points_e6 is not None]
    counted = own.n >= LEAST_UNITS  # then the account is part of the distribution itself
    ratios = [] if spread is None else spread.ratios
    points = [] if spread is None else spread.points_e6
    return Benchmark(
        own,
        history=among(own.ratio, [row.ratio for row in earlier], least=1),
        history_quality=among(own.points_e6, scores, least=1),
        peers=among(own.ratio, _others(own.ratio, ratios) if counted else ratios),
        peers_quality=among(own.points_e6, _others(own.points_e6, points)),
    )


def _others(own: float | None, spread: Sequence[float]) -> list[float]:
    others = list(spread)
    if own in others:
        others.remove(own)
    return others


def among(
    own: float | None, others: Sequence[float], *, least: int = LEAST_PEERS
) -> PeerDistribution | None:
    """Return the position of a value; None without a value or with fewer than `least` others. Ties count half."""
    if own is None or len(others) < least:
        return None
    below = sum(other < own for other in others) + sum(other == own for other in others) / 2
    middle = sorted(others)[(len(others) - 1) // 2]
    return PeerDistribution(len(others), int(100 * below / len(others)), float(middle))


async def burning(session: AsyncSession, actor: Actor, account_id: UUID) -> list[BurnState]:
    """Return the burn rate of each budget of the account, as last measured; internal objectives not for clients."""
    query = select(BurnState).where(
        BurnState.account_id == account_id, visible_to(actor, BurnState)
    )
    return list(await session.scalars(query.order_by(BurnState.term_id)))
