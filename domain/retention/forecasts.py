"""Publish forecasts, once a month and on demand, and score each when its truth is known."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right, Tx
from domain.accounts.model import Account
from domain.agreements.model import Agreement
from domain.core.base import uuid7
from domain.core.deferral import Subject, is_deferred
from domain.core.errors import Code, Refused
from domain.health import AccountHealth
from domain.parameters import ParameterScope, load_values
from domain.retention.estimates import ChurnAnswer, ends_on, estimates
from domain.retention.events import ChurnSignsChanged, ForecastPublished, ForecastScored
from domain.retention.history import outcomes_of
from domain.retention.model import ChurnForecast, ChurnHorizon, OutcomeKind
from domain.retention.parameters import THRESHOLD

PART = "forecasts"
MONTHLY = (ChurnHorizon.DAYS_90, ChurnHorizon.DAYS_180, ChurnHorizon.RENEWAL)


class Truth(NamedTuple):
    """What a forecast came to: `left` is None for an end of another kind, which counts for nothing."""

    left: bool | None


async def publish(tx: Tx, account_id: UUID, *, horizon: ChurnHorizon) -> ChurnForecast:
    """Publish a forecast of an account now; the one of today, if there is one already."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    tx.actor.must(Right.READ_HEALTH)
    account = await tx.get(Account, account_id, "account", argument="accountId", lock=True)
    found = await estimates(tx.session, account.tenant_id, [(account.id, horizon)], at=tx.at)
    answer = found.get((account.id, horizon))
    if answer is None:
        words = "The account has no agreement in force; there is nothing to forecast."
        raise Refused(Code.INVALID, words, argument="accountId")
    return await _store(tx, account, answer)


async def companies_due(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select companies with a scored client in force that has no forecast of this month yet."""
    found = await session.execute(
        select(AccountHealth.tenant_id)
        .where(_has_no_forecast(at), ~is_deferred(PART, AccountHealth.tenant_id, at=at))
        .distinct()
        .limit(limit)
    )
    return [Subject(each, each) for (each,) in found]


async def publish_month(
    session: AsyncSession, tenant_id: UUID, *, at: datetime, limit: int = 100
) -> int:
    """Publish the forecasts of this month of a company's clients, those that lack them; return how many clients."""
    ids = list(
        await session.scalars(
            select(AccountHealth.account_id)
            .where(AccountHealth.tenant_id == tenant_id, _has_no_forecast(at))
            .order_by(AccountHealth.account_id)
            .limit(limit)
        )
    )
    accounts = {
        each.id: each
        for each in await session.scalars(
            select(Account)
            .where(Account.id.in_(ids))
            .order_by(Account.id)
            .with_for_update(key_share=True)
        )
    }
    wanted = [(each, horizon) for each in ids for horizon in MONTHLY]
    tx = Tx(session, Actor.system(tenant_id, PART), at)
    found = await estimates(session, tenant_id, wanted, at=at)
    for (account_id, _horizon), answer in found.items():
        await _store(tx, accounts[account_id], answer)
    return len(ids)


async def forecasts_over(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select companies with forecasts that can be scored: their time is over, or the client is gone."""
    row = ChurnForecast
    found = await session.execute(
        select(row.tenant_id)
        .where(
            row.scored_at.is_(None),
            row.ends_on < at.date(),
            ~is_deferred(f"{PART} scored", row.tenant_id, at=at),
        )
        .distinct()
        .limit(limit)
    )
    return [Subject(each, each) for (each,) in found]


async def score(session: AsyncSession, tenant_id: UUID, *, at: datetime, limit: int = 500) -> int:
    """Score the forecasts of a company whose time is over; return how many."""
    row = ChurnForecast
    rows = list(
        await session.scalars(
            select(row)
            .where(row.tenant_id == tenant_id, row.scored_at.is_(None), row.ends_on < at.date())
            .order_by(row.ends_on, row.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )
    outcomes = await outcomes_of(session, tenant_id)
    tx = Tx(session, Actor.system(tenant_id, PART), at)
    for each in rows:
        outcome = outcomes.get(each.account_id)
        gone_on = (
            None if outcome is None or outcome.kind is OutcomeKind.RENEWED else outcome.happened_on
        )
        truth = _truth(
            each.published_on, each.ends_on, gone_on, None if outcome is None else outcome.kind
        )
        each.left_within, each.scored_at = truth.left, at
        tx.record(
            ForecastScored(
                account_id=each.account_id, subject_id=each.id, at=at, left_within=truth.left
            )
        )
    await session.flush()
    return len(rows)


def _truth(
    published_on: date, until: date, gone_on: date | None, kind: OutcomeKind | None
) -> Truth:
    """Return what a forecast came to; an end by the company, or a merger, within its time counts for nothing."""
    if gone_on is None or not published_on < gone_on <= until:
        return Truth(False)
    return Truth(True if kind is OutcomeKind.LEFT else None)


async def _store(tx: Tx, account: Account, answer: ChurnAnswer) -> ChurnForecast:
    """Store an answer as published today; the one that was published today before stays."""
    place = ParameterScope(account.tenant_id, account.id)
    values = await load_values(tx.session, [place], [THRESHOLD], until=tx.at)
    threshold = values.required(THRESHOLD, place, at=tx.at).number * 10_000
    probability = answer.probability_millionths
    last = await _last_signs(tx.session, account.id)
    row: ChurnForecast | None = await tx.session.scalar(
        insert(ChurnForecast)
        .values(
            id=uuid7(),
            tenant_id=account.tenant_id,
            account_id=account.id,
            horizon=answer.horizon,
            published_on=tx.at.date(),
            published_at=tx.at,
            published_by=tx.actor.subject,
            ends_on=ends_on(answer),
            probability_millionths=probability,
            low_millionths=answer.low_millionths,
            high_millionths=answer.high_millionths,
            score_millionths=answer.score_millionths,
            is_above=probability is not None and probability >= threshold,
            content=msgspec.to_builtins(answer),
        )
        .on_conflict_do_nothing()
        .returning(ChurnForecast)
    )
    if row is None:
        query = select(ChurnForecast).where(
            ChurnForecast.account_id == account.id,
            ChurnForecast.horizon == answer.horizon,
            ChurnForecast.published_on == tx.at.date(),
        )
        return (await tx.session.scalars(query)).one()
    tx.record(
        ForecastPublished(
            account_id=account.id,
            subject_id=row.id,
            at=tx.at,
            horizon=row.horizon,
            ends_on=row.ends_on,
            probability_millionths=row.probability_millionths,
            low_millionths=row.low_millionths,
            high_millionths=row.high_millionths,
            basis=answer.basis,
        )
    )
    if row.horizon is ChurnHorizon.DAYS_180 and row.is_above != last:
        tx.record(
            ChurnSignsChanged(
                account_id=account.id, subject_id=row.id, at=tx.at, above=row.is_above
            )
        )
    await tx.session.flush()
    return row


async def _last_signs(session: AsyncSession, account_id: UUID) -> bool:
    """Return whether the last forecast of 180 days was above the threshold; False for the first one."""
    query = (
        select(ChurnForecast.is_above)
        .where(
            ChurnForecast.account_id == account_id, ChurnForecast.horizon == ChurnHorizon.DAYS_180
        )
        .order_by(ChurnForecast.published_at.desc(), ChurnForecast.id.desc())
        .limit(1)
    )
    return bool(await session.scalar(query))


def _has_no_forecast(at: datetime) -> ColumnElement[bool]:
    """Select scored clients with an agreement in force and no forecast since the first of the month."""
    forecast, agreement = ChurnForecast, Agreement
    running = select(agreement.id).where(
        agreement.account_id == AccountHealth.account_id,
        func.coalesce(agreement.ended_at > at, True),
    )
    known = select(forecast.id).where(
        forecast.account_id == AccountHealth.account_id,
        forecast.horizon == ChurnHorizon.RENEWAL,
        forecast.published_on >= at.date().replace(day=1),
    )
    return and_(AccountHealth.score_millionths.is_not(None), running.exists(), ~known.exists())


def answer_of(row: ChurnForecast) -> ChurnAnswer:
    """Return the answer as it was published."""
    return msgspec.convert(row.content, ChurnAnswer)


def lift(pairs: Sequence[tuple[float, bool]]) -> float | None:
    """Return the share of leavers in the riskiest tenth ÷ the share among all; None without leavers."""
    if not pairs or not any(left for _risk, left in pairs):
        return None
    count = max(1, len(pairs) // 10)
    riskiest = sorted(pairs, key=lambda pair: -pair[0])[:count]
    top = sum(left for _risk, left in riskiest) / count
    return top / (sum(left for _risk, left in pairs) / len(pairs))
