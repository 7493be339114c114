"""Compute the health of accounts: facts mark an account, one computation covers all marks, changes are recorded."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import case, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Tx
from domain.accounts.model import Account
from domain.core.base import uuid7
from domain.core.wakeups import DueColumn, RowAdded, WakeUp
from domain.health.events import HealthBandChanged
from domain.health.facts import DAY, AccountFacts
from domain.health.model import AccountHealth, HealthMark, HealthSnapshot, SnapshotPeriod
from domain.health.reads import load_facts, read_accounts
from domain.health.registry import SIGNALS, AccountReading, score_all
from domain.health.scoring import POINT, TOP, band_of
from domain.health.signals import SignalKey
from domain.health.warnings import follow_warnings
from domain.parameters import ParameterLevel

SOON = timedelta(seconds=1)
"""How long marks are collected before one computation."""
LEASE = timedelta(seconds=60)
CONFIRMED_AFTER = DAY
"""How long another band must last before it counts."""
CLEAR_CHANGE = 5 * POINT
"""Change of the score with which another band counts at once."""


class SignalContent(msgspec.Struct, frozen=True):
    """One signal of a stored score."""

    key: SignalKey
    state: int
    value: int
    weight: int
    contribution: int
    figure: float | None
    n: int
    as_of: datetime | None
    evidence: tuple[int, ...] = ()
    curve: tuple[tuple[float, float], ...] = ()  # empty in scores from before curves were stored
    weight_source: ParameterLevel = ParameterLevel.DEFAULT
    curve_source: ParameterLevel = ParameterLevel.DEFAULT


class ClaimedHealth(NamedTuple):
    """An account that is to be computed, and until when it is reserved."""

    account_id: UUID
    tenant_id: UUID
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Computed:
    """The figures of an account, as the columns of its row, and the reading behind them."""

    reading: AccountReading
    columns: dict[str, Any]
    is_shared: bool
    facts: AccountFacts


async def mark(session: AsyncSession, tenant_id: UUID, account_id: UUID, *, at: datetime) -> None:
    """Have the health of an account computed soon; an account that waits already keeps its place."""
    due = insert(HealthMark).values(account_id=account_id, tenant_id=tenant_id, due_at=at + SOON)
    await session.execute(
        due.on_conflict_do_update(
            index_elements=[HealthMark.account_id],
            set_={"due_at": func.least(HealthMark.due_at, due.excluded.due_at)},
        )
    )


async def mark_missing(session: AsyncSession, *, at: datetime, limit: int) -> int:
    """Mark accounts that were never computed; return how many."""
    known = select(HealthMark.account_id)
    found = select(Account.id, Account.tenant_id, literal(at))
    new = found.where(Account.id.not_in(known)).order_by(Account.id).limit(limit)
    statement = insert(HealthMark).from_select(["account_id", "tenant_id", "due_at"], new)
    rows = await session.execute(
        statement.on_conflict_do_nothing().returning(HealthMark.account_id)
    )
    return len(rows.all())


async def mark_company(session: AsyncSession, tenant_id: UUID, *, at: datetime) -> None:
    """Have the health of every account of a company computed soon."""
    await session.execute(
        update(HealthMark)
        .where(HealthMark.tenant_id == tenant_id, HealthMark.due_at > at + SOON)
        .values(due_at=at + SOON)
    )


DUE: tuple[WakeUp, ...] = (DueColumn(HealthMark.due_at), RowAdded(Account))


async def claim_due(session: AsyncSession, *, at: datetime, limit: int) -> list[ClaimedHealth]:
    """Claim due accounts, longest overdue first; each is reserved for `LEASE`."""
    due = (
        select(HealthMark.account_id)
        .where(HealthMark.due_at <= at)
        .order_by(HealthMark.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    found = await session.execute(
        update(HealthMark)
        .where(HealthMark.account_id.in_(due))
        .values(due_at=at + LEASE)
        .returning(HealthMark.account_id, HealthMark.tenant_id, HealthMark.due_at)
    )
    return [ClaimedHealth(*row) for row in found]


async def defer(session: AsyncSession, taken: ClaimedHealth, *, until: datetime) -> None:
    """Postpone an account whose computation fails; the next mark brings it forward."""
    await session.execute(
        update(HealthMark)
        .where(HealthMark.account_id == taken.account_id, HealthMark.due_at == taken.lease_until)
        .values(due_at=until)
    )


async def compute(
    session: AsyncSession,
    tenant_id: UUID,
    account_ids: Collection[UUID],
    *,
    at: datetime,
    known_at: datetime | None = None,
) -> dict[UUID, Computed]:
    """Compute the health of accounts as of `at`, from the facts recorded by `known_at`."""
    facts = await load_facts(session, tenant_id, account_ids, at=at, known_at=known_at)
    return await computed_from(session, tenant_id, facts, known_at=known_at)


async def computed_from(
    session: AsyncSession,
    tenant_id: UUID,
    facts: dict[UUID, AccountFacts],
    *,
    known_at: datetime | None = None,
) -> dict[UUID, Computed]:
    """Compute the health of accounts from facts that are loaded, by the parameters set by `known_at`."""
    read = await read_accounts(session, tenant_id, facts, known_at=known_at)
    columns = columns_of([reading for reading, _shared in read.values()])
    return {
        account_id: Computed(reading, own, is_shared, facts[account_id])
        for (account_id, (reading, is_shared)), own in zip(read.items(), columns, strict=True)
    }


def columns_of(readings: Sequence[AccountReading]) -> list[dict[str, Any]]:
    """Score accounts, and return the columns of each row."""
    if not readings:
        return []
    scores = score_all(readings)
    return [
        {
            "as_of": reading.at,
            "score_millionths": int(scores.score[row]) if scores.is_enough[row] else None,
            "coverage_millionths": int(scores.coverage[row]),
            # Bounds of a score that there is not: they say nothing, so that neither order nor cursor tells of one.
            "low_millionths": int(scores.low[row]) if scores.is_enough[row] else 0,
            "high_millionths": int(scores.high[row]) if scores.is_enough[row] else TOP,
            "fresh": int(scores.fresh[row]),
            "is_provisional": bool(scores.is_provisional[row]),
            "content": [
                msgspec.to_builtins(
                    SignalContent(
                        key=signal.key,
                        state=int(each.state),
                        value=each.value,
                        weight=policy.weight,
                        contribution=int(scores.contribution[row][at]),
                        figure=each.figure,
                        n=each.n,
                        as_of=each.as_of,
                        evidence=each.evidence,
                        curve=policy.curve.points,
                        weight_source=policy.weight_source,
                        curve_source=policy.curve_source,
                    )
                )
                for at, (signal, each, policy) in enumerate(
                    zip(SIGNALS, reading.signals, reading.policies, strict=True)
                )
            ],
        }
        for row, reading in enumerate(readings)
    ]


def signals_of(content: Sequence[Any]) -> tuple[SignalContent, ...]:
    """Return the signals of a stored score."""
    return msgspec.convert(content, tuple[SignalContent, ...])


async def recompute(session: AsyncSession, taken: ClaimedHealth, *, at: datetime) -> AccountHealth:
    """Compute the health of one account, store it, record another band, and take the snapshots of new periods."""
    account = await session.get_one(Account, taken.account_id)
    tx = Tx(session, Actor.system(account.tenant_id, "health"), at)
    found = (await compute(session, account.tenant_id, [account.id], at=at))[account.id]
    row = await session.scalar(
        select(AccountHealth).where(AccountHealth.account_id == account.id).with_for_update()
    )
    if row is None:
        row = AccountHealth(
            id=uuid7(), tenant_id=account.tenant_id, account_id=account.id, **found.columns
        )
        session.add(row)
    else:
        for name, value in found.columns.items():
            setattr(row, name, value)
    row.is_shared = found.is_shared
    settle_band(tx, row)
    await session.flush()
    await follow_warnings(tx, account, found.facts, band=row.band)
    today = at.astimezone(ZoneInfo(account.time_zone)).date()
    begins = {
        SnapshotPeriod.WEEK: today - timedelta(days=today.weekday()),
        SnapshotPeriod.MONTH: today.replace(day=1),
    }
    for period, begins_on in begins.items():
        fresh = insert(HealthSnapshot).values(
            id=uuid7(),
            tenant_id=account.tenant_id,
            account_id=account.id,
            period=period,
            begins_on=begins_on,
            band=row.band,
            **found.columns,
        )
        await session.execute(fresh.on_conflict_do_nothing())
    midnight = datetime.combine(today + timedelta(days=1), time(), ZoneInfo(account.time_zone))
    again = midnight
    if row.candidate_at is not None:
        again = min(midnight, row.candidate_at + CONFIRMED_AFTER)
    mine = HealthMark.due_at == taken.lease_until
    await session.execute(
        update(HealthMark)
        .where(HealthMark.account_id == account.id)
        .values(due_at=case((mine, again), else_=HealthMark.due_at))
    )
    return row


def settle_band(tx: Tx, row: AccountHealth) -> None:
    """Confirm another band at once when it is critical, new, or 5 points away; else after it lasted for 24 hours."""
    score = row.score_millionths
    band = None if score is None else band_of(score)
    if band == row.band:
        row.candidate_band = row.candidate_at = None
        row.settled_millionths = score
        return
    lasting = (
        row.candidate_band == band
        and row.candidate_at is not None
        and tx.at >= row.candidate_at + CONFIRMED_AFTER
    )
    was = row.settled_millionths
    clear = was is not None and score is not None and abs(score - was) >= CLEAR_CHANGE
    if not (band == 1 or row.band is None or clear or lasting):
        if row.candidate_band != band or row.candidate_at is None:
            row.candidate_band, row.candidate_at = band, tx.at
        return
    tx.record(
        HealthBandChanged(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            before=row.band,
            after=band,
            score_millionths=score,
        )
    )
    row.band, row.settled_millionths = band, score
    row.candidate_band = row.candidate_at = None
