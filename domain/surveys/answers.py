"""Answer a survey: once, by the holder of its link, and correct the answers until it closes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Tx
from domain.accounts.model import Contact, Tenant
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.core.ledger import Origin
from domain.surveys.events import SurveyAnswerCorrected, SurveyAnswered
from domain.surveys.follow_up import follow_up_low_answers
from domain.surveys.model import (
    QuestionnaireVersion,
    Survey,
    SurveyAnswer,
    SurveyInvitation,
    SurveyResponse,
    SurveyWave,
)
from domain.surveys.questions import GivenAnswer, Question, check_replies


@dataclass(frozen=True, slots=True)
class OpenSurvey:
    """What the holder of a link sees: the questions, the language, and the answers so far."""

    invitation: SurveyInvitation
    survey: Survey
    version: QuestionnaireVersion
    company: str
    language: str
    incident_id: UUID | None
    site_id: UUID | None
    answers: dict[str, GivenAnswer]

    def is_over(self, at: datetime) -> bool:
        """Return whether it can no longer be answered, or corrected."""
        closes_at = self.invitation.closes_at
        over = closes_at is None or closes_at <= at
        return over or (self.survey.is_anonymous and self.invitation.is_answered)


async def open_survey(
    session: AsyncSession,
    invitation_id: UUID,
    *,
    lock: bool = False,
    within: ColumnElement[bool] | None = None,
) -> OpenSurvey | None:
    """Return the survey of an invitation; None for one that does not exist, or was never sent. Changes nothing.

    `lock` keeps others from answering until the transaction ends. `within` limits the invitations.
    """
    # One statement: a burst of answers is as fast as this is.
    query = (
        select(
            SurveyInvitation,
            Survey,
            QuestionnaireVersion,
            Tenant.name,
            Contact.language,
            SurveyWave.incident_id,
            SurveyWave.site_id,
        )
        .join(Survey, Survey.id == SurveyInvitation.survey_id)
        .join(QuestionnaireVersion, QuestionnaireVersion.id == SurveyInvitation.version_id)
        .join(Tenant, Tenant.id == SurveyInvitation.tenant_id)
        .join(Contact, Contact.id == SurveyInvitation.contact_id)
        .join(SurveyWave, SurveyWave.id == SurveyInvitation.wave_id)
        .where(SurveyInvitation.id == invitation_id, SurveyInvitation.skipped.is_(None))
    )
    if within is not None:
        query = query.where(within)
    if lock:
        query = query.with_for_update(of=SurveyInvitation)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return None
    invitation, survey, version, company, language, incident_id, site_id = row
    so_far = await _answers_so_far(session, invitation.id) if invitation.is_answered else {}
    return OpenSurvey(invitation, survey, version, company, language, incident_id, site_id, so_far)


async def answer(
    session: AsyncSession,
    invitation_id: UUID,
    given: Mapping[str, GivenAnswer],
    *,
    at: datetime,
    language: str | None = None,
    within: ColumnElement[bool] | None = None,
    origin: Origin = Origin.LIVE,
) -> SurveyResponse:
    """Store the answers of the holder of a link, or replace those that the holder gave before.

    The link is the authorization: it was sent to this contact only. `within` limits the invitations.
    """
    found = await open_survey(session, invitation_id, lock=True, within=within)
    if found is None:
        raise Refused(Code.NOT_FOUND, "No such survey.", argument="token")
    return await answer_opened(session, found, given, at=at, language=language, origin=origin)


async def answer_opened(
    session: AsyncSession,
    found: OpenSurvey,
    given: Mapping[str, GivenAnswer],
    *,
    at: datetime,
    language: str | None = None,
    origin: Origin = Origin.LIVE,
) -> SurveyResponse:
    """Store answers to a survey that the transaction has locked, or replace those that were given before.

    Refused after the survey has closed, and for the second anonymous answer, because nothing says which one was the
    first.
    """
    invitation = found.invitation
    if found.is_over(at):
        raise Refused(
            Code.ALREADY_DONE, "This survey is closed, or was answered already.", argument="token"
        )
    kept = check_replies(found.version.questions, given)
    tx = Tx(session, Actor.system(invitation.tenant_id, "survey", origin=origin), at)
    known = None
    if invitation.is_answered and not found.survey.is_anonymous:
        known = await session.scalar(
            select(SurveyResponse).where(SurveyResponse.invitation_id == invitation.id)
        )
    if known is not None:
        response = await _correct(tx, known, found, kept)
    else:
        response = await _store(tx, found, kept, language or found.language)
    if origin is Origin.HISTORY:  # facts of the past start no jobs
        await follow_up_low_answers(tx, response.id)
    return response


async def _store(
    tx: Tx, found: OpenSurvey, kept: Mapping[str, GivenAnswer], language: str
) -> SurveyResponse:
    invitation, is_anonymous = found.invitation, found.survey.is_anonymous
    # An id or an instant in the order of answering would tell whose answer it is: neither is kept.
    day = datetime.combine(tx.at.astimezone(UTC).date(), time(), UTC)
    response = SurveyResponse(
        id=uuid4() if is_anonymous else uuid7(),
        tenant_id=invitation.tenant_id,
        account_id=invitation.account_id,
        survey_id=found.survey.id,
        version_id=found.version.id,
        invitation_id=None if is_anonymous else invitation.id,
        contact_id=None if is_anonymous else invitation.contact_id,
        incident_id=found.incident_id,
        site_id=found.site_id,
        is_anonymous=is_anonymous,
        weight=invitation.weight,
        language=language,
        answered_at=day if is_anonymous else tx.at,
        changed_at=None,
    )
    tx.session.add(response)
    await tx.session.flush()
    _add_answers(tx, response, found.version.questions, kept)
    invitation.is_answered = True
    tx.record(
        SurveyAnswered(
            account_id=response.account_id,
            subject_id=response.id,
            at=response.answered_at,
            survey_id=response.survey_id,
            contact_id=response.contact_id,
            incident_id=response.incident_id,
            numbers={} if is_anonymous else _numbers(kept),
            chosen={} if is_anonymous else _chosen(kept),
            words=None if is_anonymous else _words(kept),
        )
    )
    await tx.session.flush()
    return response


async def _correct(
    tx: Tx, response: SurveyResponse, found: OpenSurvey, kept: Mapping[str, GivenAnswer]
) -> SurveyResponse:
    if kept == found.answers:
        return response
    rows = await tx.session.scalars(
        select(SurveyAnswer).where(SurveyAnswer.response_id == response.id)
    )
    for row in rows:
        await tx.session.delete(row)
    await tx.session.flush()
    _add_answers(tx, response, found.version.questions, kept)
    response.changed_at = tx.at
    tx.record(
        SurveyAnswerCorrected(
            account_id=response.account_id,
            subject_id=response.id,
            at=tx.at,
            survey_id=response.survey_id,
            before=_numbers(found.answers),
            after=_numbers(kept),
            chosen=_chosen(kept),
            words=_words(kept),
        )
    )
    await tx.session.flush()
    return response


def _add_answers(
    tx: Tx,
    response: SurveyResponse,
    questions: tuple[Question, ...],
    kept: Mapping[str, GivenAnswer],
) -> None:
    for question in questions:
        given = kept.get(question.key)
        if given is not None:
            tx.session.add(
                SurveyAnswer(
                    id=uuid4() if response.is_anonymous else uuid7(),
                    tenant_id=response.tenant_id,
                    account_id=response.account_id,
                    response_id=response.id,
                    question=question.key,
                    kind=question.kind,
                    number=given.number,
                    chosen=list(given.chosen) or None,
                    words=given.words,
                    is_anonymous=response.is_anonymous,
                )
            )


async def _answers_so_far(session: AsyncSession, invitation_id: UUID) -> dict[str, GivenAnswer]:
    rows = await session.scalars(
        select(SurveyAnswer)
        .join(SurveyResponse, SurveyResponse.id == SurveyAnswer.response_id)
        .where(SurveyResponse.invitation_id == invitation_id)
    )
    return {
        row.question: GivenAnswer(
            number=row.number, chosen=tuple(row.chosen or ()), words=row.words
        )
        for row in rows
    }


def _numbers(kept: Mapping[str, GivenAnswer]) -> dict[str, int]:
    return {key: each.number for key, each in kept.items() if each.number is not None}


def _chosen(kept: Mapping[str, GivenAnswer]) -> dict[str, list[str]]:
    return {key: list(each.chosen) for key, each in kept.items() if each.chosen}


def _words(kept: Mapping[str, GivenAnswer]) -> str | None:
    """Return the answers in words as one text, which is erasable; None without any."""
    words = {key: each.words for key, each in kept.items() if each.words is not None}
    return msgspec.json.encode(words, order="sorted").decode() if words else None
