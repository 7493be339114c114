"""Send replies once: claim those that are due, note each attempt before it begins, and note what came of it.

An attempt is noted and committed before the request. If the worker dies after it, the next attempt reads the source
first and sends only what is not there.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Tx
from domain.core.deferral import Subject, in_turn
from domain.core.wakeups import DueColumn, WakeUp
from domain.replies import events
from domain.replies.actions import evaluate
from domain.replies.drafting import negative_of
from domain.replies.model import ReplyState, ReviewReply
from domain.replies.names import pieces_in
from domain.reputation import Review, ReviewState

SENDING_DUE: tuple[WakeUp, ...] = (DueColumn(ReviewReply.next_try_at, by_company=True),)
LONGEST = timedelta(hours=6)
"""Longest pause after failures, unless the source asks for a longer one."""
LONGEST_UNREAD = timedelta(minutes=10)
"""How long a reply that no person approved waits for a worker to read the text of its review."""
LOOK_AGAIN = timedelta(minutes=1)


class DueReply(NamedTuple):
    """A reply that is due, with its page: replies of one page are sent one after the other."""

    subject: Subject
    source_id: UUID


class ReplyAttempt(NamedTuple):
    """What an attempt does: put `words` below the review, or take the reply away where they are None.

    `looks_first` means that an earlier request may have arrived.
    """

    source_id: UUID
    external_id: str
    changed_at: datetime
    words: str | None
    looks_first: bool


async def claim_replies(
    session: AsyncSession, *, at: datetime, lease: timedelta, limit: int
) -> list[DueReply]:
    """Claim replies that are due, the companies in turn; no other worker sends them before the lease ends."""
    row = ReviewReply
    due = in_turn(
        row.tenant_id, row.next_try_at, row.id, row.next_try_at.is_not(None), at=at, limit=limit
    )
    rows = await session.scalars(
        select(row)
        .join(due, due.c.id == row.id)
        .where(row.next_try_at <= at)
        .order_by(due.c.turn, due.c.lot)
        .with_for_update(skip_locked=True, of=row)
    )
    found = rows.all()
    waiting = await _unread(session, found, at=at)
    claimed = [
        DueReply(Subject(each.tenant_id, each.id), each.source_id)
        for each in found
        if each.id not in waiting
    ]
    await session.execute(
        update(row)
        .where(row.id.in_(waiting))
        .values(next_try_at=at + LOOK_AGAIN)
        .execution_options(synchronize_session=False)
    )
    await session.execute(
        update(row)
        .where(row.id.in_([each.subject.id for each in claimed]))
        .values(next_try_at=at + lease)
        .execution_options(synchronize_session=False)
    )
    return claimed


async def _unread(session: AsyncSession, rows: Sequence[ReviewReply], *, at: datetime) -> set[UUID]:
    """Select replies that no person approved, of reviews whose text was not read yet, for a limited time."""
    young = {
        each.review_id: each.id
        for each in rows
        if each.state is ReplyState.APPROVED
        and each.approver_id is None
        and each.drafted_at > at - LONGEST_UNREAD
    }
    unread = await session.scalars(
        select(Review.id).where(
            Review.id.in_(young), Review.words_unread, func.coalesce(Review.words, "") != ""
        )
    )
    return {young[each] for each in unread}


async def begin(tx: Tx, reply_id: UUID) -> ReplyAttempt | None:
    """Note that an attempt begins; None when nothing is to be sent, or the text turned out to be confidential."""
    reply = await _locked(tx, reply_id)
    review = await tx.session.get_one(Review, reply.review_id)
    if reply.next_try_at is None:
        return None
    words = reply.words if reply.state is ReplyState.APPROVED else None
    if words is None and reply.state is not ReplyState.WITHDRAWN:
        reply.next_try_at = None
        return None
    if words is not None:
        if review.state is ReviewState.GONE:
            reply.next_try_at, reply.error = None, "The review is gone."
            return None
        if pieces := await pieces_in(tx.session, reply.tenant_id, words):
            kinds = sorted({str(each.kind) for each in pieces})
            _hold(tx, reply, kinds, f"it has pieces that must not be published: {', '.join(kinds)}")
            return None
        if reply.approver_id is None and await negative_of(tx, review):
            reply.is_negative = True
            _hold(tx, reply, [], "the text of the review is negative: a person approves it")
            return None
    looks_first = reply.tried_at is not None
    reply.tried_at = tx.at
    await tx.session.flush()
    changed_at = review.changed_at or review.written_at
    return ReplyAttempt(reply.source_id, review.external_id, changed_at, words, looks_first)


async def note_sent(tx: Tx, reply_id: UUID, *, words: str | None, was_there: bool) -> None:
    """Note that the source has a reply, or, without words, that it no longer has one."""
    reply = await _locked(tx, reply_id)
    if words is None:
        reply.posted_words = reply.next_try_at = reply.tried_at = None
        reply.failures, reply.error = 0, None
        tx.record(
            events.ReviewReplyRemoved(
                account_id=reply.account_id,
                subject_id=reply.id,
                at=tx.at,
                review_id=reply.review_id,
            )
        )
        await tx.session.flush()
        return
    reply.posted_words = words
    if reply.state is ReplyState.APPROVED and reply.words == words:
        await mark_sent(tx, reply, words=words, was_there=was_there)
    await tx.session.flush()


async def note_rejected(tx: Tx, reply_id: UUID, *, reason: str) -> None:
    """Note that the source refused a reply for good; a person words it anew."""
    reply = await _locked(tx, reply_id)
    reply.tried_at = None
    if reply.state is ReplyState.WITHDRAWN:
        reply.next_try_at, reply.error = None, f"It could not be taken away: {reason[:400]}"
    elif reply.state is ReplyState.APPROVED:
        mark_rejected(tx, reply, reason=reason)
    await tx.session.flush()


async def note_failed(tx: Tx, reply_id: UUID, *, error: str, wait_s: float | None) -> None:
    """Note a failed attempt: the next one follows after a pause that doubles, or as the source asks."""
    reply = await _locked(tx, reply_id)
    if reply.next_try_at is None:
        return
    if reply.failures == 0:
        tx.record(
            events.ReviewReplyFailed(
                account_id=reply.account_id, subject_id=reply.id, at=tx.at, error=error[:500]
            )
        )
    pause = min(LONGEST, timedelta(minutes=1) * 2 ** min(reply.failures, 12))
    pause = max(pause, timedelta(seconds=wait_s)) if wait_s is not None else pause
    reply.failures += 1
    reply.error, reply.next_try_at = error[:500], tx.at + pause
    await tx.session.flush()


async def mark_sent(tx: Tx, reply: ReviewReply, *, words: str, was_there: bool) -> None:
    """Mark a locked reply as sent, and stop its clock."""
    reply.state, reply.posted_words, reply.sent_at = ReplyState.SENT, words, tx.at
    reply.next_try_at = reply.tried_at = None
    reply.failures, reply.error = 0, None
    if reply.answered_at is None:
        reply.answered_at = tx.at
        if tx.at > reply.due_at and reply.late_at is None:
            reply.late_at = reply.due_at
    tx.record(
        events.ReviewReplySent(
            account_id=reply.account_id,
            subject_id=reply.id,
            at=tx.at,
            review_id=reply.review_id,
            was_there=was_there,
        )
    )
    await evaluate(tx, reply)


def mark_published(tx: Tx, reply: ReviewReply) -> None:
    """Mark a locked reply as shown by the source."""
    reply.state, reply.published_at = ReplyState.PUBLISHED, tx.at
    reply.posted_words, reply.reason = reply.words, None
    tx.record(
        events.ReviewReplyPublished(
            account_id=reply.account_id, subject_id=reply.id, at=tx.at, review_id=reply.review_id
        )
    )


def mark_rejected(tx: Tx, reply: ReviewReply, *, reason: str) -> None:
    """Mark a locked reply as refused by the source, at once or after it was accepted."""
    before, reply.state = reply.state, ReplyState.REJECTED
    reply.reason, reply.next_try_at = reason[:500], None
    reply.posted_words = reply.published_at = None
    tx.record(
        events.ReviewReplyRejected(
            account_id=reply.account_id,
            subject_id=reply.id,
            at=tx.at,
            reason=reason[:500],
            before=str(before),
        )
    )


def _hold(tx: Tx, reply: ReviewReply, kinds: list[str], why: str) -> None:
    """Make a reply that must not leave a draft again, with the kinds of confidential pieces that were found."""
    before, reply.state = reply.state, ReplyState.DRAFT
    reply.approver_id = reply.approved_at = reply.send_at = reply.next_try_at = None
    reply.error = f"It was not sent, because {why}."
    tx.record(
        events.ReviewReplyHeld(
            account_id=reply.account_id,
            subject_id=reply.id,
            at=tx.at,
            kinds=kinds,
            before=str(before),
            after=str(reply.state),
        )
    )


async def _locked(tx: Tx, reply_id: UUID) -> ReviewReply:
    found = await tx.session.scalars(
        select(ReviewReply).where(ReviewReply.id == reply_id).with_for_update(key_share=True)
    )
    return found.one()
