"""Read sources of reviews when they are due, several at once: one that is slow or broken delays itself only."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from domain import reputation
from domain.access import Actor, Tx
from domain.core.db import Sessions, reason, transaction
from domain.core.deferral import Subject
from domain.core.encryption import SecretCipher
from domain.reputation import ReviewSource
from workers.jobs import JobContext
from workers.outbound.review_http import ReviewHttp, SourceFailed
from workers.outbound.review_pages import ReviewPage
from workers.outbound.review_platforms import PLATFORMS
from workers.outbound.senders import TryLater
from workers.periodic import WorkContext, attempt_each

log = structlog.get_logger()

LIMIT = timedelta(minutes=15)
"""Time limit of one read; meanwhile no other worker reads the source."""
FEWEST = 0.5
"""Share of the stated number of reviews below which a full read is not believed."""


@dataclass(frozen=True, slots=True)
class ReviewReading:
    """What a read needs: sessions, the cipher of credentials, and the way to the platforms."""

    make: Sessions
    vault: SecretCipher
    http: ReviewHttp


async def read_reviews(work: WorkContext, limit: int) -> int:
    """Read the sources that are due, `limit` at once, until none is; return 0."""
    due = await _claim(work.make, limit)
    if not due:  # a client for HTTPS costs 20 ms
        return 0
    vault = await asyncio.to_thread(SecretCipher.of, work.settings)
    http = ReviewHttp(loopback=work.settings.webhook_loopback)
    reading = ReviewReading(work.make, vault, http)
    running: set[asyncio.Task[None]] = set()
    try:
        running |= _begin(reading, due)
        while running:
            _, running = await asyncio.wait(running, timeout=1, return_when=asyncio.FIRST_COMPLETED)
            running |= _begin(reading, await _claim(work.make, limit - len(running)))
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await http.close()
    return 0


async def _claim(make: Sessions, limit: int) -> list[Subject]:
    if limit <= 0:
        return []
    async with transaction(make) as session:
        return await reputation.claim_due(session, at=datetime.now(UTC), lease=LIMIT, limit=limit)


def _begin(reading: ReviewReading, due: list[Subject]) -> set[asyncio.Task[None]]:
    return {asyncio.create_task(_read_and_note(reading, each)) for each in due}


async def _read_and_note(reading: ReviewReading, subject: Subject) -> None:
    try:
        async with asyncio.timeout(LIMIT.total_seconds()):
            await read_source(reading, subject, at=datetime.now(UTC))
    except DBAPIError as error:
        log.warning("reviews.database", source=str(subject.id), error=reason(error))


async def read_source(reading: ReviewReading, subject: Subject, *, at: datetime) -> None:
    """Read a source now and note when the next read is due; a failure is noted on the source."""
    wait_s, error = None, None
    try:
        await _pull(reading, subject, at)
    except TryLater as later:
        wait_s, error = later.wait_s, str(later)
    except (SourceFailed, ValueError) as failed:
        error = str(failed)
    except TimeoutError:
        error = f"no answer within {LIMIT.total_seconds():.0f} s"
    except DBAPIError:
        raise
    except Exception as bug:
        log.exception("reviews.bug", source=str(subject.id))
        error = f"it could not be read ({type(bug).__name__})"
    async with transaction(reading.make) as session:
        tx = Tx(session, Actor.system(subject.tenant_id, "worker"), datetime.now(UTC))
        await reputation.note_read(tx, subject.id, error=error, wait_s=wait_s)
    if error is not None:
        log.warning("reviews.failed", source=str(subject.id), error=error)


async def _pull(reading: ReviewReading, subject: Subject, at: datetime) -> None:
    async with reading.make() as session:
        source = await session.get_one(ReviewSource, subject.id)
        since = await reputation.read_since(session, source, at=at)
    credentials = reputation.credentials_of(reading.vault, source)
    platform = PLATFORMS[source.kind](reading.http, source, credentials)
    is_full = since is None
    total, unreadable, stated = 0, 0, None
    try:
        async for page in platform.pages(since):
            await _take(reading, subject, page, at)
            total += len(page.reviews) + len(page.unreadable)
            unreadable += len(page.unreadable)
            stated = page.shown_count if page.shown_count is not None else stated
    finally:
        await keep_credentials(reading, subject, platform.renewed)
    if is_full and stated is not None and total < stated * FEWEST:
        raise SourceFailed(f"the source states {stated} reviews and listed {total}")
    async with transaction(reading.make) as session:
        tx = Tx(session, Actor.system(subject.tenant_id, "worker"), datetime.now(UTC))
        await reputation.end_read(
            tx,
            subject.id,
            read_at=at,
            is_full=is_full and platform.is_complete,
            unreadable=unreadable,
        )


async def _take(reading: ReviewReading, subject: Subject, page: ReviewPage, at: datetime) -> None:
    async with transaction(reading.make) as session:
        tx = Tx(session, Actor.system(subject.tenant_id, "worker"), datetime.now(UTC))
        await reputation.take_in(tx, subject.id, page.reviews, read_at=at, also_seen=page.shown_ids)
        if page.shown_count is not None or page.shown_rating is not None:
            await reputation.note_figures(tx, subject.id, page.shown_rating, page.shown_count)


async def keep_credentials(
    reading: ReviewReading, subject: Subject, renewed: dict[str, str] | None
) -> None:
    """Store the credentials of a source that the platform replaced; None for unchanged ones."""
    if renewed is None:
        return
    async with transaction(reading.make) as session:
        source = await session.get_one(ReviewSource, subject.id, with_for_update=True)
        reputation.seal_credentials(reading.vault, source, dict(renewed))


async def match_review(job: JobContext) -> None:
    """Find the client whose contact wrote a review: link it, or suggest it to a person."""
    await reputation.match_review(job.tx, job.fact.subject_id)


async def compare_ratings(work: WorkContext, limit: int) -> int:
    """Compare the ratings of each company's sources with the year before, once a day."""
    return await compare_all(work.make, at=datetime.now(UTC), limit=limit)


async def compare_all(make: Sessions, *, at: datetime, limit: int) -> int:
    """Compare the ratings of companies, each in its own transaction; return how many there were."""
    async with make() as session:
        due = await reputation.companies_to_watch(session, at=at, limit=limit)

    async def compare(session: AsyncSession, company: Subject) -> None:
        tx = Tx(session, Actor.system(company.tenant_id, "worker"), at)
        await reputation.compare_ratings(tx, company.id)

    await attempt_each(make, reputation.WATCH, due, compare)
    return len(due)
