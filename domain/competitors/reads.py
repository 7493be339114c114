"""Share of voice: how many of the new reviews on a platform are about the company, and how many about competitors."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, visible_to
from domain.competitors.model import Competitor, CompetitorFigure
from domain.reputation import Review, ReviewSource, ReviewSourceKind, ReviewState


@dataclass(frozen=True, slots=True)
class VoiceShare:
    """New reviews of one company on a platform between two days; `competitor` is None for the own company."""

    competitor: Competitor | None
    n: int
    share: float
    rating: float | None
    from_on: date
    until_on: date


async def share_of_voice(
    session: AsyncSession, actor: Actor, platform: ReviewSourceKind, from_on: date, until_on: date
) -> list[VoiceShare]:
    """Compare new reviews between two days, the most first.

    A competitor counts with the difference of its last figures up to each day; one without a figure by the first day,
    or without a later one, is left out: nothing is guessed.
    """
    if from_on >= until_on:
        return []
    start, until = (datetime.combine(each, time(), UTC) for each in (from_on, until_on))
    own = await session.execute(
        select(func.count(), func.avg(Review.share))
        .join(ReviewSource, ReviewSource.id == Review.source_id)
        .where(
            visible_to(actor, Review),
            ReviewSource.kind == platform,
            Review.state != ReviewState.GONE,
            Review.written_at >= start,
            Review.written_at < until,
        )
    )
    n, rating = own.one()
    found: list[tuple[Competitor | None, int, float | None]] = [
        (None, n, None if rating is None else float(rating))
    ]
    competitors = await session.scalars(
        select(Competitor)
        .where(visible_to(actor, Competitor), Competitor.ended_at.is_(None))
        .order_by(Competitor.name)
    )
    for each in competitors.all():
        first = await _figure(session, each, platform, from_on)
        last = await _figure(session, each, platform, until_on)
        if first is None or last is None or last.read_on == first.read_on:
            continue
        found.append((each, max(0, last.reviews - first.reviews), last.share))
    whole = sum(count for _, count, _ in found)
    return [
        VoiceShare(each, count, count / whole if whole else 0.0, mean, from_on, until_on)
        for each, count, mean in sorted(found, key=lambda row: -row[1])
    ]


async def _figure(
    session: AsyncSession, competitor: Competitor, platform: ReviewSourceKind, on: date
) -> CompetitorFigure | None:
    found: CompetitorFigure | None = await session.scalar(
        select(CompetitorFigure)
        .where(
            CompetitorFigure.competitor_id == competitor.id,
            CompetitorFigure.platform == platform,
            CompetitorFigure.read_on <= on,
        )
        .order_by(CompetitorFigure.read_on.desc())
        .limit(1)
    )
    return found
