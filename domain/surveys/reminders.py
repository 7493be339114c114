"""Reminders of invitations that nobody answered: one each, never after an answer."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Tx
from domain.core.deferral import Subject, is_deferred
from domain.core.wakeups import DueColumn, WakeUp
from domain.crises import in_crisis
from domain.surveys.letters import ask_by_letter
from domain.surveys.model import QuestionnaireVersion, Survey, SurveyInvitation
from domain.surveys.people import is_open
from domain.surveys.waves import PART

REMIND_AFTER = timedelta(days=7)


REMINDERS_DUE: tuple[WakeUp, ...] = (
    DueColumn(
        SurveyInvitation.decided_at,
        SurveyInvitation.skipped.is_(None),
        SurveyInvitation.is_answered.is_(False),
        SurveyInvitation.closes_at > func.now() + timedelta(days=1),
        SurveyInvitation.reminded_at.is_(None),
        ~is_deferred(PART, SurveyInvitation.id),
        after=REMIND_AFTER,
    ),
)


async def to_remind(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select open invitations that were sent a week ago and have more than a day left, without a reminder so far."""
    found = await session.execute(
        select(SurveyInvitation.tenant_id, SurveyInvitation.id)
        .where(
            is_open(at + timedelta(days=1)),
            SurveyInvitation.decided_at <= at - REMIND_AFTER,
            SurveyInvitation.reminded_at.is_(None),
            ~in_crisis(SurveyInvitation.account_id),
            ~is_deferred(PART, SurveyInvitation.id, at=at),
        )
        .order_by(SurveyInvitation.decided_at)
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def remind(session: AsyncSession, invitation_id: UUID, *, at: datetime) -> None:
    """Remind a contact of an open invitation, once."""
    row = await session.scalar(
        select(SurveyInvitation)
        .where(
            SurveyInvitation.id == invitation_id,
            is_open(at),
            SurveyInvitation.reminded_at.is_(None),
        )
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return
    row.reminded_at = at
    tx = Tx(session, Actor.system(row.tenant_id, PART), at)
    survey = await session.get_one(Survey, row.survey_id)
    version = await session.get_one(QuestionnaireVersion, row.version_id)
    await ask_by_letter(tx, row, version, is_anonymous=survey.is_anonymous, is_reminder=True)
