"""What a company knows of its own clients: the months that were observed, who left in them, and the model of that."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import numpy as np
from dateutil.relativedelta import relativedelta
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.agreements.model import Agreement
from domain.churn import (
    CalibrationReport,
    ClientMonth,
    HazardModel,
    ObservedMonth,
    Thresholds,
    learn,
    report,
    thresholds_of,
)
from domain.health import EarlyWarning, HealthSnapshot, SnapshotPeriod, WarningRule
from domain.retention.model import ChurnForecast, ChurnHorizon, ClientOutcome, OutcomeKind

SIGNS = tuple(
    sorted(
        str(each)
        for each in WarningRule
        if each not in {WarningRule.CHURN_SIGNS, WarningRule.WARNING_UNHANDLED}
    )
)
"""Rules that a hazard may rest on; two are left out because they follow from the others."""
FEWEST_CLIENTS = 20
"""Clients with observed months below which the company's own history teaches nothing."""
BLOCK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class TermDates:
    """When the agreements of a client end, and the last days on which that can be decided."""

    is_client: bool = False
    since: date | None = None
    notice_by: date | None = None
    ends_on: date | None = None

    def can_end(self, on: date) -> bool:
        """Return whether the client can still or again decide by a day to leave."""
        return self.notice_by is None or on >= self.notice_by


@dataclass(frozen=True, slots=True, eq=False)
class OwnHistory:
    """The model that a company's own history gives, with what it rests on."""

    model: HazardModel
    clients: int
    leavers: int
    thresholds: Thresholds | None
    calibration: CalibrationReport

    @property
    def is_used(self) -> bool:
        """Whether own history moved the model from published odds."""
        return self.model.months > 0


async def load_history(session: AsyncSession, tenant_id: UUID, *, at: datetime) -> OwnHistory:
    """Learn from the months of a company's clients; without enough of them, published odds are the model."""
    months = await _months(session, tenant_id, at=at)
    known = [each for each in months.values() if each]
    leavers = sum(any(month.left for month in each) for each in known)
    enough = len(known) >= FEWEST_CLIENTS and leavers > 0
    observed = [month for each in known for month in each] if enough else []
    probability, left = await scored(session, tenant_id, ChurnHorizon.DAYS_180)
    values, truth = np.array(probability), np.array(left, dtype=bool)
    thresholds = thresholds_of(values, truth) if len(left) else None
    return OwnHistory(
        learn(SIGNS, observed), len(known), leavers, thresholds, report(values, truth)
    )


async def scored(
    session: AsyncSession, tenant_id: UUID, horizon: ChurnHorizon
) -> tuple[list[float], list[bool]]:
    """Return the probabilities of scored forecasts with a number, and whether the clients left."""
    row = ChurnForecast
    found = await session.execute(
        select(row.probability_millionths, row.left_within)
        .where(
            row.tenant_id == tenant_id,
            row.horizon == horizon,
            row.probability_millionths.is_not(None),
            row.left_within.is_not(None),
        )
        .order_by(row.published_at, row.id)
    )
    pairs = [((each or 0) / 1_000_000, bool(left)) for each, left in found]
    return [each for each, _ in pairs], [left for _, left in pairs]


async def outcomes_of(session: AsyncSession, tenant_id: UUID) -> dict[UUID, ClientOutcome]:
    """Return the label in force of each account that has one."""
    rows = await session.scalars(
        select(ClientOutcome)
        .where(ClientOutcome.tenant_id == tenant_id, ClientOutcome.replaced_at.is_(None))
        .order_by(ClientOutcome.labelled_at, ClientOutcome.id)
    )
    return {each.account_id: each for each in rows}


async def terms_of(
    session: AsyncSession, tenant_id: UUID, *, at: datetime
) -> dict[UUID, TermDates]:
    """Return the dates of the agreements of each account that has any."""
    rows = await session.scalars(
        select(Agreement).where(Agreement.tenant_id == tenant_id).order_by(Agreement.id)
    )
    found: defaultdict[UUID, list[Agreement]] = defaultdict(list)
    for each in rows:
        found[each.account_id].append(each)
    return {account_id: _dates(agreements, at) for account_id, agreements in found.items()}


def _dates(agreements: Sequence[Agreement], at: datetime) -> TermDates:
    since = min(each.signed_on for each in agreements)
    running = [each for each in agreements if each.ended_at is None or each.ended_at > at]
    if not running:
        return TermDates(since=since)
    if any(each.fixed_until is None and each.ended_at is None for each in running):
        return TermDates(True, since)
    ends = [_end(each) for each in running]
    notice = [each.notice_by if each.ended_at is None else at.date() for each in running]
    return TermDates(True, since, max(each for each in notice if each is not None), max(ends))


def _end(agreement: Agreement) -> date:
    if agreement.ended_at is not None:
        return agreement.ended_at.date()
    return agreement.fixed_until or date.max


async def _months(
    session: AsyncSession, tenant_id: UUID, *, at: datetime
) -> dict[UUID, list[ObservedMonth]]:
    """Return the complete months of each client, with the warnings that were open at their beginning."""
    snapshot, warning = HealthSnapshot, EarlyWarning
    rows = await session.execute(
        select(snapshot.account_id, snapshot.begins_on, snapshot.as_of, snapshot.score_millionths)
        .where(snapshot.tenant_id == tenant_id, snapshot.period == SnapshotPeriod.MONTH)
        .order_by(snapshot.account_id, snapshot.begins_on)
    )
    raised: defaultdict[UUID, list[tuple[str, datetime, datetime | None]]] = defaultdict(list)
    for account_id, rule, since, until in await session.execute(
        select(warning.account_id, warning.rule, warning.raised_at, warning.cleared_at).where(
            warning.tenant_id == tenant_id
        )
    ):
        raised[account_id].append((str(rule), since, until))
    outcomes = await outcomes_of(session, tenant_id)
    terms = await terms_of(session, tenant_id, at=at)
    found: defaultdict[UUID, list[ObservedMonth]] = defaultdict(list)
    for account_id, begins_on, as_of, score in rows:
        end = begins_on + relativedelta(months=1)
        outcome = outcomes.get(account_id)
        gone_on = (
            None if outcome is None or outcome.kind is OutcomeKind.RENEWED else outcome.happened_on
        )
        if gone_on is not None and gone_on < begins_on:
            continue
        left = (
            gone_on is not None
            and gone_on < end
            and outcome is not None
            and outcome.kind is OutcomeKind.LEFT
        )
        if end > at.date() and not left:
            continue  # the month is not over
        open_then = {
            rule for rule, since, until in raised[account_id]
            if since <= as_of and (until is None or until > as_of) and rule in SIGNS
        }  # fmt: skip
        dates = terms.get(account_id, TermDates())
        month = ClientMonth(
            frozenset(open_then), None if score is None else score / 1_000_000, dates.can_end(end)
        )
        found[account_id].append(ObservedMonth(month, left))
    return found


def blocks(dates: TermDates, begin: date, days: int) -> list[bool]:
    """Return for each 30 days of a horizon whether the contract can end in them."""
    count = -(-days // BLOCK.days)
    ends = [begin + (n + 1) * BLOCK for n in range(count)]
    if dates.notice_by is None:
        return [True] * count
    first = bisect_right(ends, dates.notice_by - timedelta(days=1))
    return [n >= first for n in range(count)]
