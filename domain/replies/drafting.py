"""Draft replies to reviews: by the first rule that matches, or by a person."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, or_, select

from domain import promises
from domain.access import Right, Role, Tx
from domain.accounts.model import Reach, Tenant, User
from domain.agreements import IncidentAttributes
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_text
from domain.parameters import ParameterScope, load_values
from domain.replies.clocks import REVIEW_REPLY
from domain.replies.events import ReviewReplyApproved, ReviewReplyDrafted
from domain.replies.model import ReplyMode, ReplyRule, ReplyState, ReviewReply
from domain.replies.names import pieces_in
from domain.replies.parameters import NEGATIVE_HOURS, OTHER_HOURS
from domain.replies.polarity import polarity_of
from domain.replies.rule_actions import must_be_short
from domain.replies.rules import (
    OLDEST,
    REPLYING,
    UNREPEATED,
    ReviewTraits,
    chosen_text,
    due_at,
    filled,
    is_for,
    is_negative,
    office_days,
    same_text,
)
from domain.reputation import NEGATIVE, Review, ReviewSource, ReviewState
from domain.sentiment import themes_of


async def draft_by_rule(tx: Tx, review_id: UUID) -> ReviewReply | None:
    """Draft the reply to a new review by the first rule that matches; None where none is wanted.

    Nothing is drafted for a company without rules, for an old review, and for one that has a reply. Where no rule
    matches, or every template was used on the page within a month, a person writes the text. A reply to a negative
    review waits for a person's approval whatever the rule says.
    """
    review = await tx.get(Review, review_id, "review", argument="reviewId")
    source = await _locked_source(tx, review)
    if source.kind not in REPLYING or not _wants_reply(tx, review):
        return None
    if await _reply_of(tx, review.id) is not None:
        return None
    rules = list(
        await tx.session.scalars(
            select(ReplyRule)
            .where(ReplyRule.tenant_id == review.tenant_id, ReplyRule.is_active)
            .order_by(ReplyRule.position, ReplyRule.id)
        )
    )
    traits = traits_of(review, await polarity_of(tx.session, review.id))
    rule = next((each for each in rules if is_for(each, traits)), None)
    if not rules or (rule is not None and rule.mode is ReplyMode.NONE):
        return None
    words = None if rule is None else await _text(tx, review, rule)
    reply = await _add(tx, review, words=words, rule_id=None if rule is None else rule.id)
    is_sent = rule is not None and rule.mode is ReplyMode.SEND and not reply.is_negative
    if rule is not None and is_sent and words is not None:
        if pieces := await pieces_in(tx.session, source.tenant_id, words):
            reply.error = f"not sent: it has a {pieces[0].kind}"
        else:
            release(tx, reply, approver_id=None, send_at=max(tx.at, _after(review, rule)))
    await start_clock(tx, reply)
    return reply


async def draft_by_hand(tx: Tx, review_id: UUID, *, words: str) -> ReviewReply:
    """Write the reply to a review; it waits for approval."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_text(words, "words")
    must_be_short(words, "words")
    review = await tx.get(Review, review_id, "review", argument="reviewId")
    source = await _locked_source(tx, review)
    if source.kind not in REPLYING:
        raise Refused(Code.INVALID, "This source takes no replies.", argument="reviewId")
    known = await _reply_of(tx, review.id)
    if known is not None:
        raise Refused(
            Code.ALREADY_EXISTS,
            "The review has a reply; edit that one.",
            argument="reviewId",
            existing=("ReviewReply", known),
        )
    if review.state is ReviewState.GONE:
        raise Refused(Code.INVALID, "The review is gone.", argument="reviewId")
    reply = await _add(tx, review, words=words, rule_id=None)
    await start_clock(tx, reply)
    return reply


def release(tx: Tx, reply: ReviewReply, *, approver_id: UUID | None, send_at: datetime) -> None:
    """Approve a reply: it is sent from `send_at` on."""
    before, reply.state = reply.state, ReplyState.APPROVED
    send_at_before, reply.approver_id = reply.send_at, approver_id
    reply.approved_at = None if approver_id is None else tx.at
    reply.send_at = reply.next_try_at = send_at
    reply.failures, reply.error, reply.reason = 0, None, None
    tx.record(
        ReviewReplyApproved(
            account_id=reply.account_id,
            subject_id=reply.id,
            at=tx.at,
            approver_id=approver_id,
            send_at_before=send_at_before,
            send_at=send_at,
            before=str(before),
            after=str(reply.state),
        )
    )


async def start_clock(tx: Tx, reply: ReviewReply) -> None:
    """Start the promise of a reply to a client's review, once; terms in force when it is due may count it."""
    await tx.session.flush()
    if reply.account_id is None or reply.answered_at is not None:
        return
    watched = select(promises.PromiseWatch.id).where(promises.PromiseWatch.unit_id == reply.id)
    if await tx.session.scalar(watched) is not None:
        return
    kind = "negative" if reply.is_negative else "other"
    attributes = IncidentAttributes(REVIEW_REPLY, kind, None, reply.due_at)
    subject = promises.PromiseSubject(REVIEW_REPLY, reply.id, reply.account_id, attributes)
    await promises.start(tx.session, tx.actor, subject, at=tx.at)


def traits_of(review: Review, polarity: float | None) -> ReviewTraits:
    """Return what rules look at in a review."""
    text = f"{review.title or ''}\n{review.words or ''}"
    return ReviewTraits(
        review.source_id,
        review.share,
        polarity,
        bool(text.strip()),
        review.language,
        frozenset(str(each.theme) for each in themes_of(text)),
    )


async def negative_of(tx: Tx, review: Review) -> bool:
    """Return whether a review is negative by its rating or its text, as far as that was read."""
    polarity = await polarity_of(tx.session, review.id)
    return is_negative(review.share, polarity, negative=NEGATIVE)


async def used_texts(tx: Tx, source_id: UUID, *, but: UUID | None = None) -> set[str]:
    """Return the texts that a page used within a month, and its latest one, in the form in which they are compared."""
    row, since = ReviewReply, tx.at - UNREPEATED
    of_page = select(row.words, row.posted_words).where(
        row.source_id == source_id, row.words.is_not(None)
    )
    if but is not None:
        of_page = of_page.where(row.id != but)
    latest = of_page.order_by(row.drafted_at.desc(), row.id.desc()).limit(1)
    recent = of_page.where(or_(row.drafted_at >= since, row.sent_at >= since))
    found = [*await tx.session.execute(latest), *await tx.session.execute(recent)]
    return {same_text(each) for texts in found for each in texts if each}


async def _text(tx: Tx, review: Review, rule: ReplyRule) -> str | None:
    tenant = await tx.session.get_one(Tenant, review.tenant_id)
    texts = [filled(each, tenant.name) for each in rule.templates]
    return chosen_text(review.id, texts, await used_texts(tx, review.source_id))


async def _add(tx: Tx, review: Review, *, words: str | None, rule_id: UUID | None) -> ReviewReply:
    negative = await negative_of(tx, review)
    reply = ReviewReply(
        id=uuid7(),
        tenant_id=review.tenant_id,
        account_id=review.account_id,
        review_id=review.id,
        source_id=review.source_id,
        rule_id=rule_id,
        owner_id=await _owner(tx, review),
        state=ReplyState.DRAFT,
        is_negative=negative,
        words=words,
        drafted_at=tx.at,
        due_at=await _due_at(tx, review, is_negative=negative),
        failures=0,
    )
    tx.session.add(reply)
    shared: dict[str, Any] = {"account_id": reply.account_id, "subject_id": reply.id, "at": tx.at}
    tx.record(
        ReviewReplyDrafted(
            **shared,
            review_id=review.id,
            source_id=review.source_id,
            rule_id=rule_id,
            owner_id=reply.owner_id,
            is_negative=negative,
            has_words=words is not None,
            due_at=reply.due_at,
        )
    )
    await tx.session.flush()
    return reply


async def _due_at(tx: Tx, review: Review, *, is_negative: bool) -> datetime:
    """Return when a reply is due: so many hours of office days after the review became known."""
    scope = ParameterScope(review.tenant_id)
    wanted = NEGATIVE_HOURS if is_negative else OTHER_HOURS
    values = await load_values(tx.session, (scope,), (wanted,), until=tx.at)
    time = values.required(wanted, scope, at=tx.at).duration
    tenant = await tx.session.get_one(Tenant, review.tenant_id)
    return due_at(office_days(tenant.time_zone), tx.at, time)


def _wants_reply(tx: Tx, review: Review) -> bool:
    return (
        review.reply_words is None
        and review.state is not ReviewState.GONE
        and tx.at - review.written_at <= OLDEST
    )


def _after(review: Review, rule: ReplyRule) -> datetime:
    return review.received_at + timedelta(seconds=rule.delay_s)


async def _locked_source(tx: Tx, review: Review) -> ReviewSource:
    """Lock the page, so that two replies of one page are drafted one after the other."""
    return await tx.get(
        ReviewSource, review.source_id, "source of reviews", argument="reviewId", lock=True
    )


async def _reply_of(tx: Tx, review_id: UUID) -> UUID | None:
    found: UUID | None = await tx.session.scalar(
        select(ReviewReply.id).where(ReviewReply.review_id == review_id)
    )
    return found


async def _owner(tx: Tx, review: Review) -> UUID | None:
    """Return who answers it: the user who writes it, else a relationship manager with access, else management."""
    if tx.actor.user_id is not None:
        return tx.actor.user_id
    reach = select(Reach.user_id).where(Reach.user_id == User.id)
    within = ~exists(reach)
    if review.account_id is not None:
        within = or_(within, exists(reach.where(Reach.account_id == review.account_id)))
    found: UUID | None = await tx.session.scalar(
        select(User.id)
        .where(
            User.tenant_id == review.tenant_id,
            User.disabled_at.is_(None),
            User.role.in_([Role.RELATIONSHIP_MANAGER, Role.MANAGEMENT]),
            within,
        )
        .order_by(User.role == Role.MANAGEMENT, User.id)
        .limit(1)
    )
    return found
