"""Estimate how probable it is that a client leaves, with what that is made of; or say why there is no number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Account
from domain.churn import AbstentionReason, ClientMonth, HazardForecast, abstentions, forecast
from domain.core.base import among
from domain.health import AccountHealth, EarlyWarning
from domain.retention.history import (
    SIGNS,
    OwnHistory,
    TermDates,
    blocks,
    load_history,
    terms_of,
)
from domain.retention.model import ChurnHorizon, ForecastBasis

LONGEST_DAYS = 1_095
DAYS = {ChurnHorizon.DAYS_90: 90, ChurnHorizon.DAYS_180: 180}


class ChurnContribution(msgspec.Struct, frozen=True):
    """What a sign adds to the log-odds of leaving in the next month, and the probability without it."""

    sign: str
    log_odds: float
    without_millionths: int


class ForecastCalibration(msgspec.Struct, frozen=True):
    """How earlier forecasts of the company came true; figures from 20 leavers on."""

    n: int
    leavers: int
    brier: float | None
    brier_of_base_rate: float | None
    ece: float | None
    bias: float | None


class ReasonToAbstain(msgspec.Struct, frozen=True):
    """Why there is no number: what there is and what is needed, where that says nothing of the client itself."""

    reason: AbstentionReason
    have: float | None
    needed: float | None


class ChurnAnswer(msgspec.Struct, frozen=True):
    """The whole answer about a client: an estimate, or the reasons for which there is none."""

    account_id: UUID
    horizon: ChurnHorizon
    days: int
    as_of: datetime
    clients: int
    leavers: int
    basis: ForecastBasis
    calibration: ForecastCalibration
    score_millionths: int | None
    probability_millionths: int | None = None
    low_millionths: int | None = None
    high_millionths: int | None = None
    intercept: float | None = None
    log_odds: float | None = None
    contributions: tuple[ChurnContribution, ...] = ()
    reasons: tuple[ReasonToAbstain, ...] = ()


@dataclass(frozen=True, slots=True)
class NumberShown:
    """An answer with a number."""

    answer: ChurnAnswer


@dataclass(frozen=True, slots=True)
class NumberWithheld:
    """An answer without a number."""

    answer: ChurnAnswer


def shown(answer: ChurnAnswer) -> NumberShown | NumberWithheld:
    """Return an answer as one with a number, or as one without."""
    if answer.probability_millionths is None:
        return NumberWithheld(answer)
    return NumberShown(answer)


@dataclass(frozen=True, slots=True, eq=False)
class KnownClient:
    """What is known of a client now."""

    account: Account
    health: AccountHealth | None
    raised: frozenset[str]
    dates: TermDates


async def estimates(
    session: AsyncSession,
    tenant_id: UUID,
    wanted: Sequence[tuple[UUID, ChurnHorizon]],
    *,
    at: datetime,
) -> dict[tuple[UUID, ChurnHorizon], ChurnAnswer]:
    """Answer for accounts and horizons, in a constant number of queries; none without a running agreement."""
    clients = await _clients(session, tenant_id, {each for each, _ in wanted}, at=at)
    history = await load_history(session, tenant_id, at=at)
    return {
        (account_id, horizon): _answer(clients[account_id], horizon, history, at=at)
        for account_id, horizon in wanted
        if account_id in clients
    }


async def _clients(
    session: AsyncSession, tenant_id: UUID, account_ids: set[UUID], *, at: datetime
) -> dict[UUID, KnownClient]:
    terms = await terms_of(session, tenant_id, at=at)
    ids = sorted(each for each in account_ids if terms.get(each, TermDates()).is_client)
    rows = await session.scalars(select(Account).where(among(Account.id, ids)))
    known = {
        each.account_id: each
        for each in await session.scalars(
            select(AccountHealth).where(among(AccountHealth.account_id, ids))
        )
    }
    raised: dict[UUID, set[str]] = {each: set() for each in ids}
    for account_id, rule in await session.execute(
        select(EarlyWarning.account_id, EarlyWarning.rule).where(
            among(EarlyWarning.account_id, ids), EarlyWarning.cleared_at.is_(None)
        )
    ):
        raised[account_id].add(str(rule))
    return {
        each.id: KnownClient(
            each, known.get(each.id), frozenset(raised[each.id] & set(SIGNS)), terms[each.id]
        )
        for each in rows
    }


def horizon_days(horizon: ChurnHorizon, dates: TermDates, today: date) -> int:
    """Return the days of a horizon; until the end of the term, or 180 where there is none."""
    if horizon in DAYS:
        return DAYS[horizon]
    if dates.ends_on is None:
        return DAYS[ChurnHorizon.DAYS_180]
    return min(max((dates.ends_on - today).days, 1), LONGEST_DAYS)


def _answer(
    client: KnownClient, horizon: ChurnHorizon, history: OwnHistory, *, at: datetime
) -> ChurnAnswer:
    today, row = at.date(), client.health
    score = None if row is None else row.score_millionths
    now = ClientMonth(client.raised, None if score is None else score / 1_000_000)

    def within(days: int) -> HazardForecast:
        return forecast(history.model, now, days=days, can_end=blocks(client.dates, today, days))

    days = horizon_days(horizon, client.dates, today)
    since = min(
        each for each in (client.account.client_since_on, client.dates.since, today) if each
    )
    reasons = abstentions(
        within(180),
        coverage=0.0 if row is None else row.coverage_millionths / 1_000_000,
        age_days=(today - since).days,
        thresholds=history.thresholds,
    )
    told = history.calibration
    answer = ChurnAnswer(
        account_id=client.account.id,
        horizon=horizon,
        days=days,
        as_of=at,
        clients=history.clients,
        leavers=history.leavers,
        basis=ForecastBasis.RULES_AND_OWN_HISTORY if history.is_used else ForecastBasis.RULES,
        calibration=ForecastCalibration(
            told.n, told.leavers, told.brier, told.brier_of_base_rate, told.ece, told.bias
        ),
        score_millionths=score,
    )
    if reasons:
        # What a withheld number would have been stays withheld: neither its interval nor itself is told.
        hidden = {AbstentionReason.WIDE_INTERVAL, AbstentionReason.BOTH_POSSIBLE}
        return msgspec.structs.replace(
            answer,
            reasons=tuple(
                ReasonToAbstain(each.reason, None, None)
                if each.reason in hidden
                else ReasonToAbstain(each.reason, each.value, each.needed)
                for each in reasons
            ),
        )
    found = within(days)
    return msgspec.structs.replace(
        answer,
        probability_millionths=_millionths(found.probability),
        low_millionths=_millionths(found.low),
        high_millionths=_millionths(found.high),
        intercept=found.intercept,
        log_odds=found.log_odds,
        contributions=tuple(
            ChurnContribution(each.sign, each.log_odds, _millionths(each.without))
            for each in found.contributions
        ),
    )


def _millionths(probability: float) -> int:
    return round(probability * 1_000_000)


def ends_on(answer: ChurnAnswer) -> date:
    """Return the day on which the horizon of an answer ends."""
    return answer.as_of.date() + timedelta(days=answer.days)
