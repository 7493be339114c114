"""Read what clients write, in batches and in a thread: a text that cannot be read is tried again alone, later."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain import feedback
from domain.core.db import Sessions, transaction
from domain.core.deferral import Subject
from domain.feedback import FeedbackKind
from domain.sentiment import PolarityModel, best_model, train_own
from workers.jobs import JobContext
from workers.periodic import WorkContext, attempt, is_away, log

Due = tuple[FeedbackKind, Subject]


async def read_feedback(work: WorkContext, limit: int) -> int:
    """Read texts that clients wrote; return how many were due."""
    return await read_due(work.make, _base(work), at=datetime.now(UTC), limit=limit)


def _base(work: WorkContext) -> PolarityModel:
    return best_model(plain=work.settings.sentiment == "plain")


async def read_due(make: Sessions, base: PolarityModel, *, at: datetime, limit: int) -> int:
    """Read the texts that are due, those of each company together; return how many there were."""
    async with make() as session:
        due = await feedback.texts_due(session, at=at, limit=limit)
    by_company: defaultdict[UUID, list[Due]] = defaultdict(list)
    for each in due:
        by_company[each[1].tenant_id].append(each)
    for mine in by_company.values():
        try:
            await _read(make, base, mine, at)
        except Exception as error:
            if is_away(error):
                raise
            log.warning("work.one_by_one", part=feedback.PART, error=repr(error))
            await _read_each(make, base, mine, at)
    return len(due)


async def _read_each(make: Sessions, base: PolarityModel, due: Sequence[Due], at: datetime) -> None:
    for each in due:

        async def one(_session: AsyncSession, each: Due = each) -> None:
            await _read(make, base, [each], at)

        await attempt(make, feedback.PART, each[1], one)


async def _read(make: Sessions, base: PolarityModel, due: Sequence[Due], at: datetime) -> None:
    """Read texts of one company: load them, compute without a transaction, and store what is unchanged."""
    tenant_id = due[0][1].tenant_id
    async with make() as session:
        model = await feedback.model_of(session, tenant_id, base)
        themes = await feedback.themes_in_force(session, tenant_id, at=at)
        texts = [
            text
            for kind in FeedbackKind
            if (ids := [subject.id for of_kind, subject in due if of_kind is kind])
            for text in (await feedback.unread_texts(session, kind, ids)).values()
        ]
    found = await asyncio.to_thread(feedback.read_texts, texts, model, themes)
    async with transaction(make) as session:
        made = (model.method, model.version)
        await feedback.store_readings(session, found, made, themes, at=at)


async def train_heads(work: WorkContext, limit: int) -> int:
    """Train the weights of companies with enough scored texts; return how many there were."""
    return await train_due(work.make, _base(work), at=datetime.now(UTC), limit=limit)


async def train_due(make: Sessions, base: PolarityModel, *, at: datetime, limit: int) -> int:
    """Train the weights that are due, each company by itself; return how many there were."""
    async with make() as session:
        due = await feedback.companies_to_train(session, base, at=at, limit=limit)
    for subject in due:

        async def train(session: AsyncSession, subject: Subject = subject) -> None:
            own = await feedback.own_texts(session, subject.tenant_id)
            trained = await asyncio.to_thread(train_own, base, own)
            await feedback.store_head(
                session, subject.tenant_id, base, trained, texts=len(own), at=at
            )

        await attempt(make, feedback.HEADS_PART, subject, train)
    return len(due)


async def follow_review_link(job: JobContext) -> None:
    """Move the sentiment of a review to the client that it is linked to."""
    review = job.fact.subject_id
    await feedback.follow_review(job.session, review)
