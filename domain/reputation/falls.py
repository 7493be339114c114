"""Falls of ratings: the last 90 days of each source against the year before, once a day, for a company at once."""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Tx
from domain.core.deferral import Subject, is_deferred
from domain.detection import ComparedScore, Fall, ScoredWindow, falls
from domain.reputation.events import ReviewRatingFell, ReviewRatingRecovered
from domain.reputation.model import Review, ReviewSource
from domain.reputation.rules import NEGATIVE, ReviewState
from domain.surveys import wilson

WATCH = "review ratings"
NEWER, OLDER = timedelta(days=90), timedelta(days=365)
"""Lengths of the newer window and of the one before it."""
_PPM = 1_000_000


async def companies_to_watch(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select companies with sources that were not compared on this day; deferred companies wait."""
    found = await session.scalars(
        select(ReviewSource.tenant_id)
        .distinct()
        .where(
            or_(ReviewSource.compared_on.is_(None), ReviewSource.compared_on < at.date()),
            ~is_deferred(WATCH, ReviewSource.tenant_id, at=at),
        )
        .limit(limit)
    )
    return [Subject(each, each) for each in found]


async def compare_ratings(tx: Tx, tenant_id: UUID) -> list[Fall[UUID]]:
    """Compare the ratings of a company's sources, and record those that fell, or are what they were again.

    The score is the share of ratings above 0.5, with Wilson's interval. A fall counts when the windows are 95 % apart
    and it is kept by Benjamini and Hochberg's rule over all sources, of which a tenth may be false alarms.
    """
    rows = await tx.session.scalars(
        select(ReviewSource)
        .where(ReviewSource.tenant_id == tenant_id)
        .order_by(ReviewSource.id)
        .with_for_update(key_share=True)
    )
    sources = {row.id: row for row in rows}
    after = await _windows(tx, tenant_id, tx.at - NEWER, tx.at)
    before = await _windows(tx, tenant_id, tx.at - NEWER - OLDER, tx.at - NEWER)
    compared = {each: ComparedScore(before.get(each), after.get(each)) for each in sources}
    found = {each.key: each for each in falls(compared)}
    for source_id, source in sources.items():
        fall = found.get(source_id)
        if fall is not None and source.fell_on is None:
            _record_fall(tx, source, fall, before[source_id].n, after[source_id].n)
        if fall is None and source.fell_on is not None:
            _record_end(tx, source)
        source.compared_on = tx.at.date()
    await tx.session.flush()
    return list(found.values())


async def _windows(
    tx: Tx, tenant_id: UUID, start: datetime, until: datetime
) -> dict[UUID, ScoredWindow]:
    rows = await tx.session.execute(
        select(Review.source_id, func.count(), func.count().filter(Review.share > NEGATIVE))
        .where(
            Review.tenant_id == tenant_id,
            Review.state != ReviewState.GONE,
            Review.written_at >= start,
            Review.written_at < until,
        )
        .group_by(Review.source_id)
    )
    return {
        source_id: ScoredWindow(n, hits / n, partial(_bounds, hits, n))
        for source_id, n, hits in rows
    }


def _bounds(hits: int, n: int, z: float) -> tuple[float, float]:
    low, high = wilson(hits, n, z=z)
    return low / 100, high / 100


def _record_fall(tx: Tx, source: ReviewSource, fall: Fall[UUID], n_before: int, n: int) -> None:
    source.fell_on = tx.at.date()
    tx.record(
        ReviewRatingFell(
            account_id=None,
            subject_id=source.id,
            at=tx.at,
            before_ppm=round(_PPM * fall.before),
            after_ppm=round(_PPM * fall.after),
            low_ppm=round(_PPM * fall.low),
            high_ppm=round(_PPM * fall.high),
            probability_ppm=round(_PPM * fall.probability),
            n_before=n_before,
            n=n,
        )
    )


def _record_end(tx: Tx, source: ReviewSource) -> None:
    if source.fell_on is None:
        return
    fell_on, source.fell_on = source.fell_on, None
    tx.record(
        ReviewRatingRecovered(account_id=None, subject_id=source.id, at=tx.at, before=fell_on)
    )
