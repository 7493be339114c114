"""Weights of a company: trained on its own scored texts once there are enough, and used while they are better."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from cachetools import LRUCache
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Tx
from domain.accounts.model import Tenant
from domain.core.base import uuid7
from domain.core.deferral import Subject, is_deferred
from domain.feedback.events import SentimentHeadTrained
from domain.feedback.model import SentimentHead, TextSentiment
from domain.reputation.model import Review
from domain.sentiment import (
    FEWEST_OWN_TEXTS,
    OwnHead,
    OwnText,
    PolarityClass,
    PolarityModel,
    encoded,
    model_with,
)
from domain.surveys.model import SurveyAnswer

PART = "feedback heads"
MOST_TEXTS = 5_000
"""Newest scored texts that weights are trained on."""
GROWTH = 1.2
"""Factor by which the number of scored texts grows before weights are trained again."""
CORRECTED_WEIGHT = 3.0
"""What the correction of a person counts for, in texts with a score beside them."""
_VALUES = {PolarityClass.NEGATIVE: -1.0, PolarityClass.NEUTRAL: 0.0, PolarityClass.POSITIVE: 1.0}
_models: LRUCache[UUID, PolarityModel] = LRUCache(16)
_is_scored = or_(TextSentiment.score.is_not(None), TextSentiment.corrected_at.is_not(None))


async def model_of(session: AsyncSession, tenant_id: UUID, base: PolarityModel) -> PolarityModel:
    """Return the model of a company: with its own weights where these are better, else that of the program."""
    newest = await _newest(session, tenant_id, base)
    if newest is None or not newest.is_used:
        return base
    if newest.id not in _models:
        _models[newest.id] = model_with(base.method, newest.content, base.head)
    return _models[newest.id]


async def companies_to_train(
    session: AsyncSession, base: PolarityModel, *, at: datetime, limit: int
) -> list[Subject]:
    """Select companies with enough scored texts, and enough new ones since their weights were trained."""
    known = (
        select(SentimentHead.tenant_id, func.max(SentimentHead.texts).label("texts"))
        .where(SentimentHead.method == base.method, SentimentHead.base == base.version)
        .group_by(SentimentHead.tenant_id)
        .subquery()
    )
    scored = (
        select(TextSentiment.tenant_id, func.count().label("n"))
        .where(_is_scored, TextSentiment.update_id.is_(None))
        .group_by(TextSentiment.tenant_id)
        .having(func.count() >= FEWEST_OWN_TEXTS)
        .subquery()
    )
    rows = await session.scalars(
        select(Tenant.id)
        .join(scored, scored.c.tenant_id == Tenant.id)
        .outerjoin(known, known.c.tenant_id == Tenant.id)
        .where(
            func.least(scored.c.n, MOST_TEXTS) >= func.coalesce(known.c.texts, 0) * GROWTH,
            ~is_deferred(PART, Tenant.id, at=at),
        )
        .order_by(Tenant.id)
        .limit(limit)
    )
    return [Subject(each, each) for each in rows]


async def own_texts(session: AsyncSession, tenant_id: UUID) -> list[OwnText]:
    """Return the newest scored texts of a company that were not erased."""
    row = TextSentiment
    found = await session.execute(
        select(
            row.score,
            row.label,
            row.corrected_at,
            SurveyAnswer.words,
            SurveyAnswer.response_id,
            Review.title,
            Review.words.label("review_words"),
            row.id,
        )
        .outerjoin(SurveyAnswer, SurveyAnswer.id == row.answer_id)
        .outerjoin(Review, Review.id == row.review_id)
        .where(row.tenant_id == tenant_id, _is_scored, row.update_id.is_(None))
        .order_by(row.written_at.desc(), row.id)
        .limit(MOST_TEXTS)
    )
    return [each for each in map(_own, found) if each.text]


def _own(row: Any) -> OwnText:
    text = row.words or "\n".join(part for part in (row.title, row.review_words) if part)
    group = str(row.response_id or row.id)
    if row.corrected_at is not None:
        return OwnText(text, _VALUES[row.label], CORRECTED_WEIGHT, group)
    return OwnText(text, 2 * row.score / 1e6 - 1, 1.0, group)


async def store_head(
    session: AsyncSession,
    tenant_id: UUID,
    base: PolarityModel,
    trained: OwnHead,
    *,
    texts: int,
    at: datetime,
) -> SentimentHead:
    """Store trained weights; they are used only when they are better, so weights never make it worse."""
    tx = Tx(session, Actor.system(tenant_id, PART), at)
    await session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"head {tenant_id}", 0)))
    )
    last = await session.scalar(
        select(func.max(SentimentHead.number)).where(
            SentimentHead.tenant_id == tenant_id, SentimentHead.method == base.method
        )
    )
    before = await _newest(session, tenant_id, base)
    row = SentimentHead(
        id=uuid7(),
        tenant_id=tenant_id,
        number=(last or 0) + 1,
        method=base.method,
        base=base.version,
        head=trained.head.version,
        texts=texts,
        trained_at=at,
        error_before=trained.error_before,
        error_after=trained.error_after,
        is_used=trained.error_after < trained.error_before,
        content=encoded(trained.head),
    )
    session.add(row)
    tx.record(
        SentimentHeadTrained(
            account_id=None,
            subject_id=row.id,
            at=at,
            method=base.method,
            before=base.version if before is None or not before.is_used else before.head,
            after=row.head,
            texts=texts,
            is_used=row.is_used,
        )
    )
    await session.flush()
    return row


async def _newest(
    session: AsyncSession, tenant_id: UUID, base: PolarityModel
) -> SentimentHead | None:
    rows: Sequence[SentimentHead] = (
        await session.scalars(
            select(SentimentHead)
            .where(
                SentimentHead.tenant_id == tenant_id,
                SentimentHead.method == base.method,
                SentimentHead.base == base.version,
            )
            .order_by(SentimentHead.number.desc())
            .limit(1)
        )
    ).all()
    return rows[0] if rows else None
