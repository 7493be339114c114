"""Replies to reviews: draft and follow them, send those that are due, and find those that are late."""

import asyncio
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from domain import replies, reputation
from domain.access import Actor, Tx
from domain.core.db import Sessions, reason, transaction
from domain.core.deferral import Subject
from domain.core.encryption import SecretCipher
from domain.replies import DueReply, ReplyAttempt
from domain.reputation import ReviewSource
from workers.jobs import JobContext
from workers.outbound.review_feeds import NO_REPLIES
from workers.outbound.review_http import ReplyRefused, ReviewHttp, SourceFailed
from workers.outbound.review_platforms import PLATFORMS
from workers.outbound.senders import TryLater
from workers.periodic import WorkContext, attempt_each
from workers.reviews import ReviewReading, keep_credentials

log = structlog.get_logger()

LIMIT = timedelta(minutes=2)
"""Time limit of one attempt."""
LEASE = timedelta(minutes=10)
"""How long no other worker takes a claimed reply: the replies of one page wait for each other meanwhile."""


async def draft_reply(job: JobContext) -> None:
    """Draft the reply to a new review by the company's rules."""
    await replies.draft_by_rule(job.tx, job.fact.subject_id)


async def follow_shown_reply(job: JobContext) -> None:
    """Note what a source shows below a review, and what that means for the reply to it."""
    await replies.follow_shown_reply(job.tx, job.fact.subject_id)


async def follow_edited_review(job: JobContext) -> None:
    """Have the reply to a review that changed, or is gone, read again."""
    await replies.follow_edit(job.tx, job.fact.subject_id)


async def follow_linked_review(job: JobContext) -> None:
    """Let a reply follow its review to a client."""
    await replies.follow_link(job.tx, job.fact.subject_id)


async def send_replies(work: WorkContext, limit: int) -> int:
    """Send the replies that are due, those of one page one after the other; return how many there were."""
    async with transaction(work.make) as session:
        due = await replies.claim_replies(session, at=datetime.now(UTC), lease=LEASE, limit=limit)
    if not due:
        return 0
    vault = await asyncio.to_thread(SecretCipher.of, work.settings)
    http = ReviewHttp(loopback=work.settings.webhook_loopback)
    try:
        await send_claimed(ReviewReading(work.make, vault, http), due)
    finally:
        await http.close()
    return len(due)


async def send_claimed(reading: ReviewReading, due: list[DueReply]) -> None:
    """Send claimed replies: pages at once, the replies of a page in turn."""
    pages: defaultdict[object, list[Subject]] = defaultdict(list)
    for each in due:
        pages[each.source_id].append(each.subject)

    async def one_page(subjects: list[Subject]) -> None:
        for subject in subjects:
            try:
                await send_reply(reading, subject)
            except DBAPIError as error:
                log.warning("replies.database", reply=str(subject.id), error=reason(error))

    await asyncio.gather(*map(one_page, pages.values()))


async def send_reply(reading: ReviewReading, subject: Subject) -> None:
    """Make one attempt to send a reply, or to take it away, and note what came of it."""
    async with transaction(reading.make) as session:
        attempt = await replies.begin(_tx(session, subject), subject.id)
    if attempt is None:
        return
    error, wait_s, refusal, was_there = None, None, None, False
    try:
        async with asyncio.timeout(LIMIT.total_seconds()):
            was_there = await _put(reading, subject, attempt)
    except ReplyRefused as refused:
        refusal = str(refused)
    except TryLater as later:
        error, wait_s = str(later), later.wait_s
    except (SourceFailed, ValueError) as failed:
        error = str(failed)
    except TimeoutError:
        error = f"no answer within {LIMIT.total_seconds():.0f} s"
    except DBAPIError:
        raise
    except Exception as bug:
        log.exception("replies.bug", reply=str(subject.id))
        error = f"it could not be sent ({type(bug).__name__})"
    async with transaction(reading.make) as session:
        tx = _tx(session, subject)
        if refusal is not None:
            await replies.note_rejected(tx, subject.id, reason=refusal)
        elif error is not None:
            await replies.note_failed(tx, subject.id, error=error, wait_s=wait_s)
        else:
            words = attempt.words
            await replies.note_sent(tx, subject.id, words=words, was_there=was_there)
    if error or refusal:
        log.warning("replies.failed", reply=str(subject.id), error=error or refusal)


async def _put(reading: ReviewReading, subject: Subject, attempt: ReplyAttempt) -> bool:
    """Bring the source to what the attempt wants; return whether it was so already."""
    async with reading.make() as session:
        source = await session.get_one(ReviewSource, attempt.source_id)
    kind = PLATFORMS.get(source.kind)
    if kind is None:
        raise ReplyRefused(NO_REPLIES)
    platform = kind(reading.http, source, reputation.credentials_of(reading.vault, source))
    try:
        if attempt.looks_first:
            shown = await platform.shown_reply(attempt.external_id, attempt.changed_at)
            if _same(shown, attempt.words):
                return True
        await platform.reply(attempt.external_id, attempt.words)
    finally:
        of_source = Subject(subject.tenant_id, source.id)
        await keep_credentials(reading, of_source, platform.renewed)
    return False


def _same(shown: str | None, words: str | None) -> bool:
    if shown is None or words is None:
        return shown is words
    return replies.same_text(shown) == replies.same_text(words)


def _tx(session: AsyncSession, subject: Subject) -> Tx:
    return Tx(session, Actor.system(subject.tenant_id, "worker"), datetime.now(UTC))


async def watch_replies(work: WorkContext, limit: int) -> int:
    """Record replies that became late."""
    return await look_at_late_replies(work.make, at=datetime.now(UTC), limit=limit)


async def look_at_late_replies(make: Sessions, *, at: datetime, limit: int = 200) -> int:
    """Look at the replies past their due time, each in its own transaction; return how many there were."""
    async with make() as session:
        due = await replies.replies_due(session, at=at, limit=limit)

    async def look(session: AsyncSession, subject: Subject) -> None:
        await replies.look_at_reply(session, subject.id, at=at)

    await attempt_each(make, replies.PART, due, look)
    return len(due)
