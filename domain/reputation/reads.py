"""Figures of reviews: rating, volume, velocity, and how many were answered how fast, per source and location."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, visible_to
from domain.incidents.model import Incident
from domain.promises.model import Promise, State
from domain.reputation.model import Review, ReviewLink, ReviewSource
from domain.reputation.rules import LINKED, NEGATIVE, ReviewState
from domain.surveys import Estimate, share

WINDOW = timedelta(days=365)
_MONTH_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class ReviewScope:
    """Which reviews are measured: of a source, of a client, and written in a window."""

    source_id: UUID | None = None
    account_id: UUID | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReviewFigures:
    """Figures of one source; `rating` is from 0 to 1, each figure with the number of reviews behind it."""

    source: ReviewSource
    n: int
    rating: float | None
    positive: Estimate | None
    negative: int
    per_month: float
    per_month_before: float
    answered: Estimate | None
    answered_n: int
    response_s: float | None
    response_n: int
    disagreeing: int
    caused_n: int
    """Negative reviews that are linked to a client with the incident that they are about."""
    caused: Estimate | None
    breached_n: int
    """Of these, the ones about an incident with a broken promise."""
    cause_s: float | None
    """Median of the seconds from the opening of the incident to the review."""


async def figures(
    session: AsyncSession, actor: Actor, scope: ReviewScope, *, now: datetime
) -> list[ReviewFigures]:
    """Measure the reviews of each visible source in a window, the last 365 days when none is given.

    Reviews that are gone do not count, as they do not at the source.
    """
    until = scope.until_at or now
    start = scope.from_at or until - WINDOW
    length = until - start
    if length <= timedelta():
        return []
    sources = {
        each.id: each
        for each in await session.scalars(
            select(ReviewSource)
            .where(visible_to(actor, ReviewSource))
            .order_by(ReviewSource.name, ReviewSource.id)
        )
        if scope.source_id in {None, each.id}
    }
    rows = await session.execute(_measured(actor, scope, start, until))
    earlier = await session.execute(_counted(actor, scope, start - length, start))
    before = {row.source_id: row.n for row in earlier}
    found = {row.source_id: row for row in rows}
    months = length.total_seconds() / _MONTH_S
    listed = []
    for source_id, source in sources.items():
        row = found.get(source_id)
        n = 0 if row is None else row.n
        listed.append(
            ReviewFigures(
                source,
                n,
                None if row is None else float(row.rating),
                share(n - row.negative, n) if row is not None else None,
                0 if row is None else row.negative,
                n / months,
                before.get(source_id, 0) / months,
                share(row.answered, n) if row is not None else None,
                0 if row is None else row.answered,
                None if row is None or row.response_s is None else float(row.response_s),
                0 if row is None else row.response_n,
                0 if row is None else row.disagreeing,
                0 if row is None else row.caused,
                None if row is None or row.negative == 0 else share(row.caused, row.negative),
                0 if row is None else row.breached,
                None if row is None or row.cause_s is None else float(row.cause_s),
            )
        )
    return listed


def _measured(actor: Actor, scope: ReviewScope, start: datetime, until: datetime) -> Any:
    is_answered = Review.reply_words.is_not(None)
    took = func.extract("epoch", Review.replied_at - Review.written_at)
    cause = _cause(actor)
    is_caused = and_(Review.share <= NEGATIVE, cause.c.opened_at.is_not(None))
    return _among(
        select(
            Review.source_id,
            func.count().label("n"),
            func.avg(Review.share).label("rating"),
            func.count().filter(Review.share <= NEGATIVE).label("negative"),
            func.count().filter(is_answered).label("answered"),
            func.count().filter(is_answered, Review.replied_at.is_not(None)).label("response_n"),
            func.percentile_cont(0.5).within_group(case((is_answered, took))).label("response_s"),
            func.count()
            .filter(Review.stated_rating.is_not(None), Review.stated_rating != Review.rating)
            .label("disagreeing"),
            func.count().filter(is_caused).label("caused"),
            func.count().filter(is_caused, cause.c.is_breached).label("breached"),
            func.percentile_cont(0.5)
            .within_group(
                case((is_caused, func.extract("epoch", Review.written_at - cause.c.opened_at)))
            )
            .label("cause_s"),
        ).outerjoin(cause, cause.c.review_id == Review.id),
        actor,
        scope,
        start,
        until,
    )


def _cause(actor: Actor) -> Any:
    """Select the incident of the link that stands of each review, and whether a promise about it was broken."""
    breached = exists().where(
        Promise.incident_id == Incident.id,
        Promise.state == State.LATE,
        visible_to(actor, Promise),
    )
    return (
        select(ReviewLink.review_id, Incident.opened_at, breached.label("is_breached"))
        .join(Incident, Incident.id == ReviewLink.incident_id)
        .where(
            ReviewLink.state.in_(LINKED), visible_to(actor, ReviewLink), visible_to(actor, Incident)
        )
        .subquery()
    )


def _counted(actor: Actor, scope: ReviewScope, start: datetime, until: datetime) -> Any:
    query = select(Review.source_id, func.count().label("n"))
    return _among(query, actor, scope, start, until)


def _among(
    query: Any,
    actor: Actor,
    scope: ReviewScope,
    start: datetime,
    until: datetime,
) -> Any:
    found = query.where(
        visible_to(actor, Review),
        Review.state != ReviewState.GONE,
        Review.written_at >= start,
        Review.written_at < until,
    ).group_by(Review.source_id)
    if scope.source_id is not None:
        found = found.where(Review.source_id == scope.source_id)
    return found if scope.account_id is None else found.where(Review.account_id == scope.account_id)
