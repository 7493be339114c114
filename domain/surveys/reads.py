"""Scores of surveys per question, account, site, survey and window, with n and interval; response rates; months."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Double, Text, case, cast, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor
from domain.accounts.model import Tenant
from domain.messages.model import Message, MessageState
from domain.surveys.events import SurveyAnswerCorrected, SurveyAnswered
from domain.surveys.model import (
    QuestionnaireVersion,
    SurveyAnswer,
    SurveyInvitation,
    SurveyResponse,
)
from domain.surveys.questions import QuestionKind, Wording
from domain.surveys.scores import Cell, Estimate, SurveyScore, change, score, share

MOST_MONTHS = 60
SCORE_FACTS = frozenset({SurveyAnswered.kind, SurveyAnswerCorrected.kind})
"""Facts after which scores may differ."""


@dataclass(frozen=True, slots=True)
class ScoreScope:
    """What is measured: the survey, account and site (None: all that the actor can access), and the window."""

    survey_id: UUID | None = None
    account_id: UUID | None = None
    site_id: UUID | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None
    is_weighted: bool = True


@dataclass(frozen=True, slots=True)
class ScoredQuestion:
    """The score of one question, its wording in the newest version, and the change since the window before."""

    question: str
    kind: QuestionKind
    words: Wording
    score: SurveyScore
    change: Estimate | None


@dataclass(frozen=True, slots=True)
class MeasuredSurveys:
    """What invitations and answers of a scope add up to."""

    asked: int
    undeliverable: int
    answered: int
    response_rate: Estimate | None
    questions: list[ScoredQuestion]


@dataclass(frozen=True, slots=True)
class ScoredMonth:
    """The score of a question in one month, and the change since the month before."""

    month_on: date
    score: SurveyScore
    change: Estimate | None


_Tallies = dict[tuple[str, QuestionKind], dict[int, Cell]]


async def measured(session: AsyncSession, actor: Actor, scope: ScoreScope) -> MeasuredSurveys:
    """Measure a scope; the change compares it with the window of the same length before it."""
    now = await _tallies(session, actor, scope)
    before: _Tallies = {}
    if scope.from_at is not None and scope.until_at is not None:
        length = scope.until_at - scope.from_at
        earlier = replace(scope, from_at=scope.from_at - length, until_at=scope.from_at)
        before = await _tallies(session, actor, earlier)
    words = await _words(session, actor, scope)
    questions = []
    for (question, kind), tally in now.items():
        found = score(kind, tally)
        if found is not None:
            then = score(kind, before.get((question, kind), {}))
            questions.append(
                ScoredQuestion(
                    question,
                    kind,
                    words.get(question, Wording(nl=question, en=question)),
                    found,
                    _moved(then, found),
                )
            )
    order = list(words)
    questions.sort(key=lambda each: order.index(each.question) if each.question in order else 99)
    asked, undeliverable, answered = await _invited(session, actor, scope)
    rate = share(answered, asked - undeliverable) if asked > undeliverable else None
    return MeasuredSurveys(asked, undeliverable, answered, rate, questions)


async def months(
    session: AsyncSession, actor: Actor, scope: ScoreScope, question: str
) -> list[ScoredMonth]:
    """Score a question by month of the company's calendar, the oldest first, at most five years."""
    tenant = await session.get_one(Tenant, actor.tenant_id)
    month = func.date_trunc("month", func.timezone(tenant.time_zone, SurveyResponse.answered_at))
    rows = await session.execute(
        _cells(actor, scope, month.label("month"))
        .where(SurveyAnswer.question == question)
        .group_by(month)
        .order_by(month)
    )
    tallies: defaultdict[tuple[date, QuestionKind], dict[int, Cell]] = defaultdict(dict)
    for at, _question, kind, number, *cell in rows:
        tallies[at.date(), kind][number] = Cell(*cell)
    found: list[ScoredMonth] = []
    for (on, kind), tally in tallies.items():
        measure = score(kind, tally)
        if measure is not None:
            then = found[-1].score if found else None
            found.append(ScoredMonth(on, measure, _moved(then, measure)))
    return found[-MOST_MONTHS:]


def _moved(before: SurveyScore | None, after: SurveyScore) -> Estimate | None:
    if before is None or before.kind is not after.kind:
        return None
    if before.estimate is None or after.estimate is None:
        return None
    return change(before.estimate, after.estimate)


async def _tallies(session: AsyncSession, actor: Actor, scope: ScoreScope) -> _Tallies:
    found: _Tallies = {}
    for question, kind, number, *cell in await session.execute(_cells(actor, scope)):
        found.setdefault((question, kind), {})[number] = Cell(*cell)
    return found


def _cells(actor: Actor, scope: ScoreScope, *more: ColumnElement[Any]) -> Any:
    """Select the answers of a scope by question and number: how many, their weights and squared weights."""
    weight: Any = SurveyResponse.weight if scope.is_weighted else literal(1.0, Double)
    return (
        select(
            *more,
            SurveyAnswer.question,
            SurveyAnswer.kind,
            SurveyAnswer.number,
            func.count(),
            func.sum(weight),
            func.sum(weight * weight),
        )
        .join(SurveyResponse, SurveyResponse.id == SurveyAnswer.response_id)
        .where(SurveyAnswer.number.is_not(None), *_within(actor, scope))
        .group_by(SurveyAnswer.question, SurveyAnswer.kind, SurveyAnswer.number)
    )


def _within(actor: Actor, scope: ScoreScope) -> Sequence[ColumnElement[bool]]:
    conditions = [actor.scope(SurveyResponse)]
    if scope.survey_id is not None:
        conditions.append(SurveyResponse.survey_id == scope.survey_id)
    if scope.account_id is not None:
        conditions.append(SurveyResponse.account_id == scope.account_id)
    if scope.site_id is not None:
        conditions.append(SurveyResponse.site_id == scope.site_id)
    if scope.from_at is not None:
        conditions.append(SurveyResponse.answered_at >= scope.from_at)
    if scope.until_at is not None:
        conditions.append(SurveyResponse.answered_at < scope.until_at)
    return conditions


async def _words(session: AsyncSession, actor: Actor, scope: ScoreScope) -> dict[str, Wording]:
    """Return the wording of each question in the newest version that was answered, in its order."""
    versions = select(SurveyResponse.version_id).where(*_within(actor, scope)).distinct()
    rows = await session.scalars(
        select(QuestionnaireVersion)
        .where(QuestionnaireVersion.id.in_(versions))
        .order_by(QuestionnaireVersion.created_at.desc(), QuestionnaireVersion.number.desc())
    )
    found: dict[str, Wording] = {}
    for version in rows:
        for question in version.questions:
            found.setdefault(question.key, question.words)
    return found


async def _invited(session: AsyncSession, actor: Actor, scope: ScoreScope) -> tuple[int, int, int]:
    """Count who was asked in the window, to whom the letter could not be delivered, and who answered."""
    lost = exists().where(
        Message.intent == func.concat("survey:", cast(SurveyInvitation.id, Text)),
        Message.contact_id == SurveyInvitation.contact_id,
        Message.state.in_([MessageState.BOUNCED, MessageState.FAILED]),
    )
    conditions = [actor.scope(SurveyInvitation), SurveyInvitation.skipped.is_(None)]
    if scope.survey_id is not None:
        conditions.append(SurveyInvitation.survey_id == scope.survey_id)
    if scope.account_id is not None:
        conditions.append(SurveyInvitation.account_id == scope.account_id)
    if scope.from_at is not None:
        conditions.append(SurveyInvitation.decided_at >= scope.from_at)
    if scope.until_at is not None:
        conditions.append(SurveyInvitation.decided_at < scope.until_at)
    unreached = case((lost & SurveyInvitation.is_answered.is_(False), 1), else_=0)
    answered = case((SurveyInvitation.is_answered, 1), else_=0)
    row = (
        await session.execute(
            select(func.count(), func.sum(unreached), func.sum(answered)).where(*conditions)
        )
    ).one()
    return row[0], row[1] or 0, row[2] or 0
