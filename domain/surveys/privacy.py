"""Erase a person from surveys: the words and the name go, the numbers stay and name nobody."""

from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.surveys.model import SurveyAnswer, SurveyInvitation, SurveyResponse


def responses_of(contact_id: UUID) -> Select[UUID]:
    """Select the ids of a contact's responses; anonymous ones are nobody's."""
    return select(SurveyResponse.id).where(SurveyResponse.contact_id == contact_id)


async def forget(session: AsyncSession, contact_id: UUID) -> int:
    """Erase the words of a contact, and who answered; return how many answers lost their words."""
    gone = await session.scalars(
        update(SurveyAnswer)
        .where(
            SurveyAnswer.response_id.in_(responses_of(contact_id)), SurveyAnswer.words.is_not(None)
        )
        .values(words=None)
        .returning(SurveyAnswer.id)
        .execution_options(synchronize_session=False)
    )
    count = len(gone.all())
    for change in (
        update(SurveyResponse)
        .where(SurveyResponse.contact_id == contact_id)
        .values(contact_id=None),
        update(SurveyInvitation)
        .where(SurveyInvitation.contact_id == contact_id)
        .values(person=None),
    ):
        await session.execute(change.execution_options(synchronize_session=False))
    return count
