"""Count the ratings of closed surveys: from then on nobody corrects them, and promises about them are judged."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import promises
from domain.access import Actor, Tx
from domain.agreements import IncidentAttributes
from domain.core.deferral import Subject, is_deferred, rank_of
from domain.surveys.clocks import RESPONSE
from domain.surveys.events import SurveyRated
from domain.surveys.model import SurveyAnswer, SurveyInvitation, SurveyResponse
from domain.surveys.questions import SCALES, QuestionKind
from domain.surveys.waves import PART

_UNCOUNTED = (SurveyResponse.counted_at.is_(None), SurveyResponse.is_anonymous.is_(False))


async def to_count(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select responses to closed surveys that are not counted: the companies alternately, the oldest of each first."""
    turn = rank_of(SurveyResponse.tenant_id, SurveyResponse.account_id, SurveyInvitation.closes_at)
    found = await session.execute(
        select(SurveyResponse.tenant_id, SurveyResponse.id)
        .join(SurveyInvitation, SurveyInvitation.id == SurveyResponse.invitation_id)
        .where(
            *_UNCOUNTED,
            SurveyInvitation.closes_at <= at,
            ~is_deferred(PART, SurveyResponse.id, at=at),
        )
        .order_by(turn, SurveyInvitation.closes_at)
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def count_response(
    session: AsyncSession, response_id: UUID, *, at: datetime
) -> SurveyResponse | None:
    """Record each rating of a closed survey once, and judge the promises about it; None: counted, or not closed.

    An anonymous response never counts: its verdict would say who answered what. The terms in force when the survey
    closed apply, and its purpose is the category of the promise.
    """
    row = await session.scalar(
        select(SurveyResponse)
        .where(SurveyResponse.id == response_id, *_UNCOUNTED)
        .with_for_update(skip_locked=True, key_share=True)
    )
    if row is None or row.invitation_id is None:
        return None
    invitation = await session.get_one(SurveyInvitation, row.invitation_id)
    closed_at = invitation.closes_at
    if closed_at is None or closed_at > at:
        return None
    row.counted_at = closed_at
    answers = await session.execute(
        select(SurveyAnswer.question, SurveyAnswer.number)
        .where(SurveyAnswer.response_id == row.id, SurveyAnswer.kind == QuestionKind.RATING)
        .order_by(SurveyAnswer.question)
    )
    scale = SCALES[QuestionKind.RATING]  # other numbers are codes
    ratings = [(key, number) for key, number in answers if number is not None and number in scale]
    if not ratings:
        return row
    tx = Tx(session, Actor.system(row.tenant_id, PART), at)
    for question, value in ratings:
        tx.record(
            SurveyRated(
                account_id=row.account_id,
                subject_id=row.id,
                at=closed_at,
                question=question,
                value=value,
            )
        )
    await session.flush()
    attributes = IncidentAttributes(RESPONSE, str(invitation.purpose), row.site_id, closed_at)
    subject = promises.PromiseSubject(RESPONSE, row.id, row.account_id, attributes)
    await promises.start(session, tx.actor, subject, at=at)
    return row
