"""Audit trail and privacy jobs: grow the trees, sign and publish checkpoints, erase personal data."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain import audit, privacy, reputation
from domain.access import Role, Tx
from domain.audit import Signer
from domain.core import keyfile
from domain.core.db import Sessions
from domain.core.deferral import Subject
from domain.core.settings import Settings
from domain.privacy import retention
from workers.jobs import JobContext
from workers.periodic import WorkContext, attempt_each

log = structlog.get_logger()

FACTS = 2000  # added to a tree per transaction
ROWS = 500  # erased per transaction


def signer_of(settings: Settings) -> Signer:
    """Load the key that signs audit checkpoints: the one named in the settings, else `DATA/audit.pem`."""
    return _read(settings.audit_key_file, settings.data / "audit.pem", settings.audit_origin)


@lru_cache(maxsize=8)  # called every second, and loading a key reads a file
def _read(named: Path | None, own: Path, origin: str) -> Signer:
    return Signer(keyfile.read_or_make(own) if named is None else keyfile.read(named), origin)


async def keep_audit(work: WorkContext, _limit: int) -> int:
    """Grow the trees and sign the checkpoints that are due; several workers may run this at once."""
    every = timedelta(minutes=work.settings.audit_every_minutes)
    await grow_all(work.make)
    await sign_due(work.make, await _signer(work), every=every)
    return 0


async def publish_checkpoints(work: WorkContext, _limit: int) -> int:
    """Mail the checkpoints of this week that were not mailed yet."""
    await publish_due(work.make, await _signer(work))
    return 0


async def _signer(work: WorkContext) -> Signer:
    settings = work.settings
    own = settings.data / "audit.pem"
    return await asyncio.to_thread(_read, settings.audit_key_file, own, settings.audit_origin)


async def grow_all(make: Sessions) -> None:
    """Add the numbered facts to the tree of every company, one company after another."""

    async def grow(session: AsyncSession, company: Subject) -> None:
        if await audit.append(session, company.id, limit=FACTS) == FACTS:
            left.append(company)

    async with make() as session:
        left = await audit.companies_behind(session, at=datetime.now(UTC))
    while left:
        companies, left = left, []
        await attempt_each(make, "audit", companies, grow)


async def sign_due(make: Sessions, signer: Signer, *, every: timedelta) -> None:
    """Sign the checkpoints that are due."""

    async def sign(session: AsyncSession, company: Subject) -> None:
        with _named(company):
            await audit.sign(session, signer, company.id, at=datetime.now(UTC))

    async with make() as session:
        due = await audit.due(session, at=datetime.now(UTC), every=every)
    await attempt_each(make, "checkpoints", due, sign)


async def publish_due(make: Sessions, signer: Signer) -> None:
    """Mail the checkpoints of this week that were not mailed yet."""

    async def publish(session: AsyncSession, company: Subject) -> None:
        with _named(company):
            await audit.publish(session, signer, company.id, at=datetime.now(UTC))

    async with make() as session:
        due = await audit.unpublished(session, at=datetime.now(UTC))
    await attempt_each(make, "weekly checkpoints", due, publish)


@contextmanager
def _named(company: Subject) -> Iterator[None]:
    """Log a damaged tree as an event of its own, because it is not an ordinary failure."""
    try:
        yield
    except audit.TreeCorrupt:
        log.exception("audit.damaged", tenant=str(company.id))
        raise


async def erase_person(context: JobContext) -> None:
    """Carry out an erasure request within the rights of the requesting user; repeating it erases nothing more."""
    asked = context.fact.body
    actor = context.actor
    if "role" in asked:
        accounts = asked["accounts"]
        reach = None if accounts is None else frozenset(map(UUID, accounts))
        actor = replace(actor, role=Role(asked["role"]), accounts=reach)
    await privacy.erase(
        Tx(context.session, actor, context.at),
        privacy.Person(asked["person"]),
        context.fact.subject_id,
        confirmed=asked.get("mentions", ()),
    )


async def keep_privacy(work: WorkContext, _limit: int) -> int:
    """Erase one batch of expired personal data; return its size, so that a full batch is followed at once."""
    settings = work.settings
    kept = privacy.Retention(
        messages=timedelta(days=settings.retain_messages_days),
        words=timedelta(days=settings.retain_words_days),
        users=timedelta(days=settings.retain_users_days),
    )
    return await expire_all(work.make, kept, at=datetime.now(UTC))


async def expire_all(make: Sessions, kept: privacy.Retention, *, at: datetime) -> int:
    """Erase one batch of expired personal data per company and per user; return how many rows."""
    gone: list[int] = []

    async def old_messages(session: AsyncSession, company: Subject) -> None:
        count = await retention.expire_messages(session, kept, company.id, at=at, limit=ROWS)
        gone.append(count)

    async def old_words(session: AsyncSession, company: Subject) -> None:
        gone.append(await retention.expire_texts(session, kept, company.id, at=at, limit=ROWS))

    async def old_reviews(session: AsyncSession, company: Subject) -> None:
        gone.append(await retention.expire_reviews(session, kept, company.id, at=at, limit=ROWS))

    async def old_user(session: AsyncSession, user: Subject) -> None:
        gone.append(await retention.expire_user(session, user, at=at))

    async with make() as session:
        of_messages = await retention.companies_with_old_messages(session, kept, at=at)
        of_words = await retention.companies_with_old_texts(session, kept, at=at)
        of_reviews = await retention.companies_with_old_reviews(session, kept, at=at)
        users = await retention.old_users(session, kept, at=at, limit=ROWS)
    await attempt_each(make, "old messages", of_messages, old_messages)
    await attempt_each(make, "old words", of_words, old_words)
    await attempt_each(make, reputation.PART, of_reviews, old_reviews)
    await attempt_each(make, "old users", users, old_user)
    return sum(gone)
