"""Erase what texts said: the deciding words go with the text, the sentiment stays and names nobody."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.base import among
from domain.feedback.model import TextSentiment
from domain.surveys import responses_of
from domain.surveys.model import SurveyAnswer


async def forget_words(session: AsyncSession, text_ids: Sequence[UUID]) -> None:
    """Erase the words that decided about these answers and updates."""
    if not text_ids:
        return
    for column in (TextSentiment.answer_id, TextSentiment.update_id):
        await session.execute(
            update(TextSentiment)
            .where(among(column, text_ids))
            .values(words=[], theme_words={})
            .execution_options(synchronize_session=False)
        )


async def forget_person(session: AsyncSession, contact_id: UUID) -> None:
    """Erase the words that decided about the answers of a contact; call it while these still name the contact."""
    answers = await session.scalars(
        select(SurveyAnswer.id).where(SurveyAnswer.response_id.in_(responses_of(contact_id)))
    )
    await forget_words(session, answers.all())
