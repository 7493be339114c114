"""Erase persons from reviews: who a link names, and the texts of reviews that their authors deleted long ago."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.deferral import Subject, is_deferred
from domain.reputation.model import Review, ReviewLink, ReviewVersion
from domain.reputation.rules import FORGOTTEN, ReviewState

PART = "old reviews"


async def forget_contact(session: AsyncSession, contact_id: UUID) -> int:
    """Erase a contact from the links of reviews; the review stays linked to the client. Return how many links."""
    gone = await session.scalars(
        update(ReviewLink)
        .where(ReviewLink.contact_id == contact_id)
        .values(contact_id=None)
        .returning(ReviewLink.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


async def companies_with_gone_reviews(
    session: AsyncSession, *, before: datetime, at: datetime
) -> list[Subject]:
    """Select companies with texts of reviews that were gone before a time; deferred companies wait."""
    query = (
        select(Review.tenant_id)
        .where(_is_old(before), ~is_deferred(PART, Review.tenant_id, at=at))
        .distinct()
    )
    return [Subject(each, each) for each in await session.scalars(query)]


async def forget_gone(
    session: AsyncSession, tenant_id: UUID, *, before: datetime, limit: int
) -> int:
    """Erase author and texts of a company's reviews that were gone before a time; return how many.

    Ratings and times stay. A review that comes back is read anew, with its texts.
    """
    old = (
        select(Review.id)
        .where(Review.tenant_id == tenant_id, _is_old(before))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(await session.scalars(old))
    nothing = {"author": None, "title": None, "words": None, "reply_words": None}
    for change in (
        update(Review)
        .where(Review.id.in_(ids))
        .values(**nothing, place=None, reference=None, url=None, digest=FORGOTTEN),
        update(ReviewVersion)
        .where(ReviewVersion.review_id.in_(ids))
        .values(**nothing, raw={}, digest=FORGOTTEN),
    ):
        await session.execute(change.execution_options(synchronize_session=False))
    return len(ids)


def _is_old(before: datetime) -> ColumnElement[bool]:
    return (
        (Review.state == ReviewState.GONE)
        & (Review.gone_at < before)
        & or_(
            Review.author.is_not(None),
            Review.title.is_not(None),
            Review.words.is_not(None),
            Review.reply_words.is_not(None),
        )
    )
