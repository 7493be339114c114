"""Texts of clients that were not read yet: answers in words, reviews, and updates of incidents that clients wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, union_all, update
from sqlalchemy import literal as constant
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.base import among
from domain.core.deferral import Subject, is_deferred, rank_of
from domain.feedback.rules import FeedbackKind, score_of
from domain.incidents.model import IncidentUpdate
from domain.reputation.model import Review
from domain.surveys.model import SurveyAnswer, SurveyResponse

PART = "feedback"
_SOURCES: dict[FeedbackKind, tuple[Any, Any]] = {
    FeedbackKind.SURVEY_ANSWER: (SurveyAnswer, SurveyAnswer.words.is_not(None)),
    FeedbackKind.REVIEW: (Review, func.num_nonnulls(Review.title, Review.words) > 0),
    FeedbackKind.INCIDENT_UPDATE: (IncidentUpdate, IncidentUpdate.body.is_not(None)),
}


@dataclass(frozen=True, slots=True)
class UnreadText:
    """A text with the row that it stands in, and what its author answered or rated beside it."""

    kind: FeedbackKind
    id: UUID
    tenant_id: UUID
    account_id: UUID | None
    text: str
    written_at: datetime
    score: int | None = None
    is_anonymous: bool = False
    response_id: UUID | None = None


async def texts_due(
    session: AsyncSession, *, at: datetime, limit: int
) -> list[tuple[FeedbackKind, Subject]]:
    """Select texts that were not read, the companies alternately; a deferred one waits for its next attempt."""
    parts: list[Select[Any]] = []
    for kind, (model, has_words) in _SOURCES.items():
        rank = rank_of(model.tenant_id, model.id)
        parts.append(
            select(
                constant(kind.value).label("kind"),
                model.tenant_id.label("tenant"),
                model.id.label("id"),
                rank.label("rank"),
            )
            .where(model.words_unread, has_words, ~is_deferred(PART, model.id, at=at))
            .order_by(rank)
            .limit(limit)
        )
    found = union_all(*(each.subquery().select() for each in parts)).subquery()
    rows = await session.execute(select(found).order_by(found.c.rank, found.c.id).limit(limit))
    return [(FeedbackKind(row.kind), Subject(row.tenant, row.id)) for row in rows]


async def unread_texts(
    session: AsyncSession, kind: FeedbackKind, ids: Sequence[UUID], *, lock: bool = False
) -> dict[UUID, UnreadText]:
    """Return texts that are still unread, by id; `lock` keeps others from reading or erasing them."""
    model, has_words = _SOURCES[kind]
    query = select(model).where(among(model.id, ids), model.words_unread, has_words)
    if lock:
        query = query.order_by(model.id).with_for_update(key_share=True)
    rows = list(await session.scalars(query))
    if kind is FeedbackKind.SURVEY_ANSWER:
        return await _answers(session, rows)
    found = {}
    for row in rows:
        if kind is FeedbackKind.REVIEW:
            text = "\n".join(part for part in (row.title, row.words) if part)
            found[row.id] = _text(kind, row, text, row.written_at, round(1e6 * row.share))
        else:
            found[row.id] = _text(kind, row, row.body, row.at, None)
    return found


async def mark_read(session: AsyncSession, kind: FeedbackKind, ids: Sequence[UUID]) -> None:
    """Mark texts as read; their own versions do not change by that."""
    model, _ = _SOURCES[kind]
    await session.execute(
        update(model)
        .where(among(model.id, ids))
        .values(words_unread=False)
        .execution_options(synchronize_session=False)
    )


async def _answers(session: AsyncSession, rows: list[SurveyAnswer]) -> dict[UUID, UnreadText]:
    """Return answers in words, each with the score of its response."""
    responses = {row.response_id for row in rows}
    written = {
        row.id: row.answered_at
        for row in await session.execute(
            select(SurveyResponse.id, SurveyResponse.answered_at).where(
                among(SurveyResponse.id, responses)
            )
        )
    }
    numbers: dict[UUID, list[tuple[Any, int]]] = {each: [] for each in responses}
    for response_id, kind, number in await session.execute(
        select(SurveyAnswer.response_id, SurveyAnswer.kind, SurveyAnswer.number).where(
            among(SurveyAnswer.response_id, responses), SurveyAnswer.number.is_not(None)
        )
    ):
        if number is not None:
            numbers[response_id].append((kind, number))
    return {
        row.id: UnreadText(
            FeedbackKind.SURVEY_ANSWER,
            row.id,
            row.tenant_id,
            row.account_id,
            row.words or "",
            written[row.response_id],
            score_of(numbers[row.response_id]),
            row.is_anonymous,
            row.response_id,
        )
        for row in rows
    }


def _text(
    kind: FeedbackKind, row: Any, text: str, written_at: datetime, score: int | None
) -> UnreadText:
    return UnreadText(kind, row.id, row.tenant_id, row.account_id, text, written_at, score)
