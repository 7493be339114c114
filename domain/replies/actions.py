"""Edit, approve, send, withdraw and confirm replies to reviews."""

from uuid import UUID

from domain import promises
from domain.access import Right, Tx
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_text
from domain.replies import events
from domain.replies.drafting import negative_of, release, used_texts
from domain.replies.model import ReplyState, ReviewReply
from domain.replies.names import must_be_publishable, pieces_in
from domain.replies.rule_actions import must_be_short
from domain.replies.rules import same_text
from domain.reputation import Review, ReviewSource, ReviewState

AT_SOURCE = frozenset({ReplyState.SENT, ReplyState.PUBLISHED})


async def edit(
    tx: Tx, reply_id: UUID, *, words: str, expected_version: int | None = None
) -> ReviewReply:
    """Change the text of a reply, which is a draft again; a reply at the source is replaced once it is approved."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_text(words, "words")
    must_be_short(words, "words")
    reply, review = await _locked(tx, reply_id, expected_version)
    if reply.state is ReplyState.WITHDRAWN and reply.next_try_at is not None:
        raise Refused(
            Code.BUSY, "It is being taken away at the source.", argument="id", retryable=True
        )
    before, words_before = reply.state, reply.words
    reply.words, reply.state = words, ReplyState.DRAFT
    reply.is_negative = await negative_of(tx, review)
    _clear_approval(reply)
    reply.error = reply.reason = None
    tx.record(
        events.ReviewReplyEdited(
            account_id=reply.account_id,
            subject_id=reply.id,
            at=tx.at,
            words_before=words_before,
            words_after=words,
            before=str(before),
            after=str(reply.state),
        )
    )
    await tx.session.flush()
    return reply


async def approve(tx: Tx, reply_id: UUID, *, expected_version: int | None = None) -> ReviewReply:
    """Approve a draft as a person: it is sent at once. Refused for a text that is confidential, or used on the page."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    if tx.actor.user_id is None:
        raise Refused(Code.NOT_ALLOWED, "Only a person approves a reply.")
    reply, review = await _locked(tx, reply_id, expected_version)
    _must_be(reply, ReplyState.DRAFT)
    if reply.words is None:
        raise Refused(Code.INVALID, "The reply has no text; edit it first.", argument="id")
    if review.state is ReviewState.GONE:
        raise Refused(Code.INVALID, "The review is gone.", argument="id")
    must_be_publishable(await pieces_in(tx.session, reply.tenant_id, reply.words), "id")
    await _lock_page(tx, reply)
    if same_text(reply.words) in await used_texts(tx, reply.source_id, but=reply.id):
        raise Refused(
            Code.INVALID,
            "The page has had this text within a month, or last; word it anew.",
            argument="id",
        )
    release(tx, reply, approver_id=tx.actor.user_id, send_at=tx.at)
    await tx.session.flush()
    return reply


async def send_now(tx: Tx, reply_id: UUID, *, expected_version: int | None = None) -> ReviewReply:
    """Send an approved reply without waiting for its delay, or for the next attempt after failures."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    reply, _ = await _locked(tx, reply_id, expected_version)
    _must_be(reply, ReplyState.APPROVED)
    if reply.send_at is not None and reply.send_at <= tx.at and reply.failures == 0:
        raise Refused(Code.ALREADY_DONE, "It is being sent.", argument="id")
    send_at_before = reply.send_at
    reply.send_at = reply.next_try_at = tx.at
    tx.record(
        events.ReviewReplyApproved(
            account_id=reply.account_id,
            subject_id=reply.id,
            at=tx.at,
            approver_id=reply.approver_id,
            send_at_before=send_at_before,
            send_at=tx.at,
            before=str(reply.state),
            after=str(reply.state),
        )
    )
    await tx.session.flush()
    return reply


async def withdraw(
    tx: Tx, reply_id: UUID, *, reason: str, expected_version: int | None = None
) -> ReviewReply:
    """Withdraw a reply: one that was not sent never is, and one that may be at the source is taken away there."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_text(reason, "reason")
    reply, _ = await _locked(tx, reply_id, expected_version)
    if reply.state is ReplyState.WITHDRAWN:
        raise Refused(Code.ALREADY_DONE, "This reply was withdrawn.", argument="id")
    is_there = reply.posted_words is not None or reply.tried_at is not None
    await withdraw_row(tx, reply, reason=reason, is_there=is_there)
    return reply


async def confirm(tx: Tx, reply_id: UUID, *, expected_version: int | None = None) -> ReviewReply:
    """Say that a reply still fits the review, which its author edited after the reply was sent."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    reply, _ = await _locked(tx, reply_id, expected_version)
    if reply.recheck_at is None:
        raise Refused(Code.ALREADY_DONE, "The reply asks for no second look.", argument="id")
    before, reply.recheck_at = reply.recheck_at, None
    tx.record(
        events.ReviewReplyConfirmed(
            account_id=reply.account_id, subject_id=reply.id, at=tx.at, before=before
        )
    )
    await tx.session.flush()
    return reply


async def withdraw_row(tx: Tx, reply: ReviewReply, *, reason: str, is_there: bool) -> None:
    """Mark a locked reply as withdrawn; `is_there` has it taken away at the source."""
    before, reply.state = reply.state, ReplyState.WITHDRAWN
    _clear_approval(reply)
    reply.reason, reply.error, reply.failures = reason, None, 0
    reply.next_try_at = tx.at if is_there else None
    fact = events.ReviewReplyRetracted if is_there else events.ReviewReplyWithdrawn
    tx.record(
        fact(
            account_id=reply.account_id,
            subject_id=reply.id,
            at=tx.at,
            before=str(before),
            after=str(reply.state),
        )
    )
    reply.answered_at = reply.answered_at or tx.at
    await evaluate(tx, reply)


async def evaluate(tx: Tx, reply: ReviewReply) -> None:
    """Evaluate the promise of a reply after a fact about it."""
    await tx.session.flush()
    await promises.evaluate(tx.session, tx.actor, reply.id, at=tx.at)


def _clear_approval(reply: ReviewReply) -> None:
    """Take back an approval; what may be on its way to the source is looked for there before the next request."""
    reply.approver_id = reply.approved_at = reply.send_at = reply.next_try_at = None
    reply.recheck_at = None


async def _locked(
    tx: Tx, reply_id: UUID, expected_version: int | None
) -> tuple[ReviewReply, Review]:
    reply = await tx.get(ReviewReply, reply_id, "reply", lock=True)
    must_be_current(reply.version, expected_version)
    review = await tx.session.get_one(Review, reply.review_id)
    return reply, review


def _must_be(reply: ReviewReply, state: ReplyState) -> None:
    if reply.state is not state:
        raise Refused(
            Code.INVALID,
            f"The reply is {reply.state}; this needs one that is {state}.",
            argument="id",
        )


async def _lock_page(tx: Tx, reply: ReviewReply) -> None:
    """Lock the page, so that two replies with one text are not approved at once."""
    await tx.session.get_one(
        ReviewSource, reply.source_id, with_for_update={"key_share": True}, populate_existing=True
    )
