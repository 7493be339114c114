"""Replies to reviews: the rules that draft them, the replies with their states, and the feed."""

from collections.abc import AsyncIterable
from datetime import datetime
from typing import Annotated

import strawberry

from domain import accounts, replies, reputation
from domain.replies import ReplyMode, ReplyState
from domain.sentiment import Theme
from schema.accounts import Account
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, among, lists, naming, visible
from schema.core.roots import query_fields, subscription_fields
from schema.core.types import enum, from_row, resolver, subscription
from schema.reviews import Review, ReviewSource, SourceFilter
from schema.subscriptions import After, FeedEvent, Item, facts_named
from schema.users import User

enum(
    ReplyMode,
    "ReplyMode",
    draft="The reply waits for the approval of a person.",
    send="The reply goes out by itself, unless the review is negative.",
    none="The review gets no reply.",
)
enum(
    ReplyState,
    "ReplyState",
    draft="It waits for a text, or for approval.",
    approved="It is sent as soon as its delay is over.",
    sent="The source accepted it, and was not read since.",
    published="The source shows it below the review.",
    rejected="The source refused it, or shows it no longer; `reason` says why.",
    withdrawn="It is not to be shown; `reason` says why.",
)
RuleRow = strawberry.Parent[replies.ReplyRule]
ReplyRow = strawberry.Parent[replies.ReviewReply]
Templates = Annotated[
    list[str] | None, "Texts to choose from, at most 10; `{company}` is the company's name."
]


@from_row(replies.ReplyRule)
class ReplyRule(Node):
    """Rule for replies: the first one that matches a new review applies."""

    name: Annotated[str, "Name; unique in the company."]
    position: Annotated[int, "Place in the order; the lowest number is tried first."]
    is_active: Annotated[bool, "Whether it is tried now."]
    mode: Annotated[ReplyMode, "What it does with the reviews that match."]
    languages: Annotated[list[str], "Languages of the reviews; empty for all."]
    has_words: Annotated[bool | None, "Whether the reviews have a text; null for both."]
    templates: Annotated[list[str], "Texts to choose from; none is used twice in a month."]
    created_at: Annotated[datetime, "Time at which it was added."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(list[Theme])
    @staticmethod
    def themes(row: RuleRow) -> list[Theme]:
        """Themes of which the reviews have one; empty for all."""
        return [Theme(each) for each in row.themes]

    @resolver(int)
    @staticmethod
    def delay_seconds(row: RuleRow) -> int:
        """Seconds from the receipt of a review to a reply that goes out by itself."""
        return row.delay_s

    @resolver(float | None)
    @staticmethod
    def share_at_least(row: RuleRow) -> float | None:
        """Lowest rating of the reviews, as a share of 0 to 1."""
        return row.share_low

    @resolver(float | None)
    @staticmethod
    def share_at_most(row: RuleRow) -> float | None:
        """Highest rating of the reviews, as a share of 0 to 1."""
        return row.share_high

    @resolver(float | None)
    @staticmethod
    def polarity_at_least(row: RuleRow) -> float | None:
        """Lowest polarity of the text, from −1 to 1; a text of unknown polarity does not match."""
        return row.polarity_low

    @resolver(float | None)
    @staticmethod
    def polarity_at_most(row: RuleRow) -> float | None:
        """Highest polarity of the text, from −1 to 1; a text of unknown polarity does not match."""
        return row.polarity_high

    @resolver(ReviewSource | None)
    @staticmethod
    async def source(row: RuleRow, info: Info) -> reputation.ReviewSource | None:
        """Source of the reviews; null for all sources."""
        return await info.context.get(reputation.ReviewSource, row.source_id)


@from_row(replies.ReviewReply)
class ReviewReply(Node):
    """Reply of the company to one review, from the draft to what the source did with it."""

    state: Annotated[ReplyState, "State of the reply."]
    is_negative: Annotated[bool, "Whether the review is negative, so that only a person approves."]
    words: Annotated[str | None, "Text; null while a person has to write it."]
    posted_words: Annotated[str | None, "Text that the source has, as far as it was sent."]
    drafted_at: Annotated[datetime, "Time at which it was drafted."]
    due_at: Annotated[datetime, "Time by which it is to be sent."]
    late_at: Annotated[datetime | None, "Due time, once it passed without a reply."]
    answered_at: Annotated[datetime | None, "Time at which it was sent first, or not needed."]
    approved_at: Annotated[datetime | None, "Time of a person's approval."]
    send_at: Annotated[datetime | None, "Time from which it is sent."]
    next_try_at: Annotated[datetime | None, "Time of the next attempt; null when none is due."]
    failures: Annotated[int, "Number of attempts that failed in a row."]
    error: Annotated[str | None, "Reason for which the last attempt failed, or was not made."]
    sent_at: Annotated[datetime | None, "Time at which the source accepted it."]
    published_at: Annotated[datetime | None, "Time at which it was seen at the source."]
    reason: Annotated[str | None, "Reason of a rejection or a withdrawal."]
    recheck_at: Annotated[datetime | None, "Time of an edit of the review after it was sent."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(Review | None)
    @staticmethod
    async def review(row: ReplyRow, info: Info) -> reputation.Review | None:
        """Review that it answers."""
        return await info.context.get(reputation.Review, row.review_id)

    @resolver(ReviewSource | None)
    @staticmethod
    async def source(row: ReplyRow, info: Info) -> reputation.ReviewSource | None:
        """Source at which it is shown."""
        return await info.context.get(reputation.ReviewSource, row.source_id)

    @resolver(ReplyRule | None)
    @staticmethod
    async def rule(row: ReplyRow, info: Info) -> replies.ReplyRule | None:
        """Rule that drafted it; null where a person did, or none matched."""
        return await info.context.get(replies.ReplyRule, row.rule_id)

    @resolver(Account | None)
    @staticmethod
    async def account(row: ReplyRow, info: Info) -> accounts.Account | None:
        """Client that the review is linked to."""
        return await info.context.get(accounts.Account, row.account_id)

    @resolver(User | None)
    @staticmethod
    async def owner(row: ReplyRow, info: Info) -> accounts.User | None:
        """User of the company responsible for it."""
        return await info.context.get(accounts.User, row.owner_id)

    @resolver(User | None)
    @staticmethod
    async def approver(row: ReplyRow, info: Info) -> accounts.User | None:
        """User who approved it; null where a rule did."""
        return await info.context.get(accounts.User, row.approver_id)


@query_fields
class ReviewReplyQuery:
    """Queries of replies to reviews."""

    @lists(ReviewReply, replies.ReviewReply.due_at, replies.ReviewReply.id)
    @staticmethod
    def review_replies(
        info: Info,
        account_id: AccountFilter = None,
        source_id: SourceFilter = None,
        states: Annotated[list[ReplyState] | None, "Only replies in these states."] = None,
        is_negative: Annotated[bool | None, "Only replies to negative reviews, or others."] = None,
        is_late: Annotated[bool | None, "Only replies that are late, or others."] = None,
        needs_recheck: Annotated[bool | None, "Only those of edited reviews, or others."] = None,
    ) -> Rows:
        """Replies to reviews, by due time."""
        row = replies.ReviewReply
        query = naming(
            info, visible(info, row, account_id), row.source_id, "ReviewSource", source_id
        )
        conditions = (
            None if is_negative is None else row.is_negative == is_negative,
            None if is_late is None else row.late_at.is_not(None) == is_late,
            None if needs_recheck is None else row.recheck_at.is_not(None) == needs_recheck,
        )
        found = among(query, row.state, states)
        return found.where(*(each for each in conditions if each is not None))

    @lists(ReplyRule, replies.ReplyRule.position, replies.ReplyRule.id)
    @staticmethod
    def reply_rules(info: Info) -> Rows:
        """Rules for replies, in the order in which they are tried."""
        return visible(info, replies.ReplyRule)


@subscription_fields
class ReviewReplySubscription:
    """Subscriptions to replies to reviews."""

    @subscription(FeedEvent)
    def review_reply_events(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all replies that you can see."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Replies as they are drafted, approved, sent, shown, refused, late and withdrawn."""
        return facts_named(info, account_id, after, "review_reply.")
