"""The polarity of a review's text: the one place where replies read it."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.feedback import TextSentiment
from domain.sentiment import PolarityClass

_BY_A_PERSON = {
    PolarityClass.NEGATIVE: -1.0,
    PolarityClass.NEUTRAL: 0.0,
    PolarityClass.POSITIVE: 1.0,
}


async def polarity_of(session: AsyncSession, review_id: UUID) -> float | None:
    """Return the polarity of a review's text from −1 to 1; None until a worker has read it.

    What a person corrected counts as the whole of its class.
    """
    row = await session.scalar(select(TextSentiment).where(TextSentiment.review_id == review_id))
    if row is None:
        return None
    return row.polarity / 1_000_000 if row.corrected_at is None else _BY_A_PERSON[row.label]
