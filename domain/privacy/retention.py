"""Erase data after its retention period: messages, texts of facts, deleted reviews and users, company by company."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain import reputation
from domain.access import Actor, Tx
from domain.accounts.model import Tenant, User
from domain.core.deferral import Subject, is_deferred, rank_of
from domain.core.erasable_text import ErasableText
from domain.core.ledger import record
from domain.messages.model import Message
from domain.privacy.actions import ENDED, WORDLESS, delete_parts, erase
from domain.privacy.events import Expired
from domain.privacy.rules import ERASED, Person, Retention


async def companies_with_old_messages(
    session: AsyncSession, kept: Retention, *, at: datetime
) -> list[Subject]:
    """Select companies with messages past their retention; one that failed waits until its next attempt."""
    mine = exists().where(Message.tenant_id == Tenant.id, *_old_messages(kept, at))
    query = select(Tenant.id).where(mine, ~is_deferred("old messages", Tenant.id, at=at))
    return [Subject(each, each) for each in await session.scalars(query)]


async def companies_with_old_texts(
    session: AsyncSession, kept: Retention, *, at: datetime
) -> list[Subject]:
    """Select companies with texts of facts past their retention; one that failed waits until its next attempt."""
    mine = exists().where(ErasableText.tenant_id == Tenant.id, ErasableText.at < at - kept.words)
    query = select(Tenant.id).where(mine, ~is_deferred("old words", Tenant.id, at=at))
    return [Subject(each, each) for each in await session.scalars(query)]


async def old_users(
    session: AsyncSession, kept: Retention, *, at: datetime, limit: int
) -> list[Subject]:
    """Select users who have been disabled for longer than the retention, the companies alternately.

    One whose erasure failed waits until the next attempt.
    """
    found = await session.execute(
        select(User.tenant_id, User.id)
        .where(
            User.disabled_at < at - kept.users,
            User.name != ERASED,
            ~is_deferred("old users", User.id, at=at),
        )
        .order_by(rank_of(User.tenant_id, User.disabled_at, User.id), func.random())
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def expire_messages(
    session: AsyncSession, kept: Retention, tenant_id: UUID, *, at: datetime, limit: int
) -> int:
    """Erase the texts of a company's messages past their retention, at most `limit`; return how many."""
    old = (
        select(Message.id)
        .where(Message.tenant_id == tenant_id, *_old_messages(kept, at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    gone = await session.scalars(
        update(Message)
        .where(Message.id.in_(old.scalar_subquery()))
        .values(WORDLESS)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    ids = gone.all()
    await delete_parts(session, ids)
    return _record(session, "messages", tenant_id, len(ids), at)


async def expire_texts(
    session: AsyncSession, kept: Retention, tenant_id: UUID, *, at: datetime, limit: int
) -> int:
    """Delete the texts of a company's facts past their retention, at most `limit`; return how many."""
    old = (
        select(ErasableText.commitment)
        .where(ErasableText.tenant_id == tenant_id, ErasableText.at < at - kept.words)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    gone = await session.scalars(
        delete(ErasableText)
        .where(ErasableText.commitment.in_(old.scalar_subquery()))
        .returning(ErasableText.commitment)
        .execution_options(synchronize_session=False)
    )
    return _record(session, "words", tenant_id, len(gone.all()), at)


async def companies_with_old_reviews(
    session: AsyncSession, kept: Retention, *, at: datetime
) -> list[Subject]:
    """Select companies with texts of reviews that were deleted at their source before the retention period began."""
    return await reputation.companies_with_gone_reviews(session, before=at - kept.words, at=at)


async def expire_reviews(
    session: AsyncSession, kept: Retention, tenant_id: UUID, *, at: datetime, limit: int
) -> int:
    """Erase author and texts of a company's deleted reviews past their retention, at most `limit`; return how many."""
    before = at - kept.words
    count = await reputation.forget_gone(session, tenant_id, before=before, limit=limit)
    return _record(session, "reviews", tenant_id, count, at)


async def expire_user(session: AsyncSession, user: Subject, *, at: datetime) -> int:
    """Erase a user who has been disabled for longer than the retention; return 0 when another worker does so."""
    query = select(User.id).where(User.id == user.id, User.name != ERASED)
    if await session.scalar(query.with_for_update(skip_locked=True)) is None:
        return 0
    actor = Actor.system(user.tenant_id, "retention")
    await erase(Tx(session, actor, at), Person.USER, user.id)
    return 1


def _old_messages(kept: Retention, at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Message.queued_at < at - kept.messages,
        Message.state.in_(ENDED),
        Message.body != ERASED,
    )


def _record(session: AsyncSession, what: str, tenant_id: UUID, count: int, at: datetime) -> int:
    if count:
        actor = Actor.system(tenant_id, "retention")
        fact = Expired(account_id=None, subject_id=tenant_id, at=at, what=what, count=count)
        record(session, actor, fact)
    return count
