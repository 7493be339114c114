"""Follow what happens to a review after its reply was drafted: the reply is shown or refused, the review edited."""

from uuid import UUID

from sqlalchemy import select

from domain.access import Tx
from domain.replies import events
from domain.replies.actions import AT_SOURCE, evaluate, withdraw_row
from domain.replies.drafting import negative_of, start_clock
from domain.replies.model import ReplyState, ReviewReply
from domain.replies.rules import same_text
from domain.replies.sending import mark_published, mark_rejected, mark_sent
from domain.reputation import (
    Review,
    ReviewSource,
    ReviewState,
    ReviewVersion,
    reply_refusal,
)

ELSEWHERE = "The source shows another reply."
REMOVED = "The source no longer shows the reply."


async def follow_shown_reply(tx: Tx, review_id: UUID) -> ReviewReply | None:
    """Compare what the source shows below a review with the reply to it, and note what became of that."""
    found = await _locked(tx, review_id)
    if found is None:
        return None
    reply, review = found
    shown = review.reply_words
    if shown is None:
        await _not_shown(tx, reply, review)
    elif reply.words is not None and same_text(shown) == same_text(reply.words):
        if reply.state is ReplyState.APPROVED and reply.tried_at is not None:
            await mark_sent(tx, reply, words=reply.words, was_there=True)
        if reply.state in {ReplyState.SENT, ReplyState.REJECTED}:
            mark_published(tx, reply)
    elif reply.posted_words is None or same_text(shown) != same_text(reply.posted_words):
        await _overtaken(tx, reply, shown)
    await tx.session.flush()
    return reply


async def follow_edit(tx: Tx, review_id: UUID) -> ReviewReply | None:
    """Have a reply read again because the review changed: a draft where it was not sent, else marked."""
    found = await _locked(tx, review_id)
    if found is None:
        return None
    reply, review = found
    if review.state is ReviewState.GONE:
        if reply.state not in AT_SOURCE | {ReplyState.WITHDRAWN}:
            await withdraw_row(tx, reply, reason="The review is gone.", is_there=False)
        return reply
    if reply.state is ReplyState.WITHDRAWN:
        return reply
    before, negative = reply.state, await negative_of(tx, review)
    if reply.state in AT_SOURCE:
        reply.recheck_at = tx.at
    else:
        reply.state, reply.is_negative = ReplyState.DRAFT, negative
        reply.approver_id = reply.approved_at = reply.send_at = reply.next_try_at = None
    tx.record(
        events.ReviewReplyReopened(
            account_id=reply.account_id,
            subject_id=reply.id,
            at=tx.at,
            before=str(before),
            after=str(reply.state),
            is_negative=negative,
        )
    )
    await tx.session.flush()
    return reply


async def follow_link(tx: Tx, review_id: UUID) -> ReviewReply | None:
    """Let a reply follow its review to the client that it was linked to, whose terms may count it."""
    found = await _locked(tx, review_id)
    if found is None:
        return None
    reply, review = found
    if reply.account_id != review.account_id:
        reply.account_id = review.account_id
        await start_clock(tx, reply)
    return reply


async def _not_shown(tx: Tx, reply: ReviewReply, review: Review) -> None:
    if reply.state not in AT_SOURCE:
        return
    source = await tx.session.get_one(ReviewSource, review.source_id)
    raw = await tx.session.scalar(
        select(ReviewVersion.raw)
        .where(ReviewVersion.review_id == review.id, ReviewVersion.digest == review.digest)
        .order_by(ReviewVersion.number.desc())
        .limit(1)
    )
    refusal = reply_refusal(source.kind, raw or {})
    if refusal is not None or reply.state is ReplyState.PUBLISHED:
        mark_rejected(tx, reply, reason=refusal or REMOVED)


async def _overtaken(tx: Tx, reply: ReviewReply, shown: str) -> None:
    """End a reply that somebody answered in place of at the source."""
    if reply.state is ReplyState.WITHDRAWN:
        return
    before, reply.state = reply.state, ReplyState.WITHDRAWN
    reply.reason, reply.posted_words = ELSEWHERE, shown
    reply.approver_id = reply.approved_at = reply.send_at = reply.next_try_at = None
    tx.record(
        events.ReviewReplyOvertaken(
            account_id=reply.account_id,
            subject_id=reply.id,
            at=tx.at,
            review_id=reply.review_id,
            before=str(before),
            after=str(reply.state),
        )
    )
    reply.answered_at = reply.answered_at or tx.at
    await evaluate(tx, reply)


async def _locked(tx: Tx, review_id: UUID) -> tuple[ReviewReply, Review] | None:
    reply = await tx.session.scalar(
        select(ReviewReply)
        .where(ReviewReply.review_id == review_id)
        .with_for_update(key_share=True)
    )
    if reply is None:
        return None
    return reply, await tx.session.get_one(Review, review_id)
