"""Measure what happened to health after a run, beside accounts in the same band without one. It shows no cause."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from uuid import UUID

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.health import HealthSnapshot, SnapshotPeriod, band_of, moved_on_common
from domain.playbooks.model import PlaybookRun

APART = timedelta(days=30)
"""Time left out before the opening, because a trigger picks bad weeks, and after the closing."""
WORDS = (
    "The score of the last week that began 30 days or more before the run was opened, beside that of the first week"
    " 30 days or more after it was closed, on the signals that were fresh in both. Others: accounts of the company in"
    " the same band in the first week, without a run open in between; the middle one of their changes."
)


@dataclass(frozen=True, slots=True)
class PlaybookResult:
    """Health before and after a run, in millionths of a point, with the comparison that it is to be read with."""

    before_on: date
    after_on: date
    before: int
    after: int
    moved: int
    clients_compared: int
    moved_of_others: int | None
    words: str = WORDS


async def result_of(session: AsyncSession, run: PlaybookRun) -> PlaybookResult | None:
    """Measure a closed run; None before there is a score 30 days after its end, and without one before it."""
    if run.closed_at is None:
        return None
    row = HealthSnapshot
    weekly = and_(row.account_id == run.account_id, row.period == SnapshotPeriod.WEEK)
    before = await session.scalar(
        select(row)
        .where(weekly, row.as_of <= run.opened_at - APART)
        .order_by(row.as_of.desc())
        .limit(1)
    )
    after = await session.scalar(
        select(row).where(weekly, row.as_of >= run.closed_at + APART).order_by(row.as_of).limit(1)
    )
    if before is None or after is None:
        return None
    moved = moved_on_common(before, after)
    if moved is None or before.score_millionths is None or after.score_millionths is None:
        return None
    others = await _others(session, run, before, after)
    return PlaybookResult(
        before.begins_on,
        after.begins_on,
        before.score_millionths,
        after.score_millionths,
        moved,
        len(others),
        None if not others else round(median(others)),
    )


async def _others(
    session: AsyncSession, run: PlaybookRun, before: HealthSnapshot, after: HealthSnapshot
) -> Sequence[int]:
    """Return the changes of the other accounts that began in the same band and had no run open in between."""
    row = HealthSnapshot
    has_run = exists().where(
        PlaybookRun.account_id == row.account_id,
        PlaybookRun.opened_at <= after.as_of,
        or_(PlaybookRun.closed_at.is_(None), PlaybookRun.closed_at >= before.as_of),
    )
    found = await session.scalars(
        select(row).where(
            row.tenant_id == run.tenant_id,
            row.account_id != run.account_id,
            row.period == SnapshotPeriod.WEEK,
            row.begins_on.in_((before.begins_on, after.begins_on)),
            row.score_millionths.is_not(None),
            ~has_run,
        )
    )
    pairs: dict[UUID, dict[date, HealthSnapshot]] = {}
    for each in found:
        pairs.setdefault(each.account_id, {})[each.begins_on] = each
    band = band_of(before.score_millionths or 0)
    changes = [
        moved_on_common(pair[before.begins_on], pair[after.begins_on])
        for pair in pairs.values()
        if len(pair) == 2 and band_of(pair[before.begins_on].score_millionths or 0) == band
    ]
    return [each for each in changes if each is not None]
