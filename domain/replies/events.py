"""Facts about rules for replies and about replies to reviews. Internal to the company until a source shows a reply."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class ReplyRuleAdded(Fact):
    """Reviews that match a rule are answered by it from now on."""

    kind: ClassVar[str] = "reply_rule.added"
    subject_type: ClassVar[str | None] = "ReplyRule"
    after: dict[str, Any]
    internal: bool = True


class ReplyRuleChanged(Fact):
    """A rule for replies was changed or stopped."""

    kind: ClassVar[str] = "reply_rule.changed"
    subject_type: ClassVar[str | None] = "ReplyRule"
    before: dict[str, Any]
    after: dict[str, Any]
    internal: bool = True


class ReviewReplyDrafted(Fact):
    """A reply was drafted, by a rule or a person; the text stays in the row, and is due at the source by `due_at`."""

    kind: ClassVar[str] = "review_reply.drafted"
    subject_type: ClassVar[str | None] = "ReviewReply"
    review_id: UUID
    source_id: UUID
    rule_id: UUID | None
    owner_id: UUID | None
    is_negative: bool
    has_words: bool
    due_at: datetime
    internal: bool = True


class ReviewReplyEdited(Fact):
    """A person changed the text of a reply, which needs approval again."""

    kind: ClassVar[str] = "review_reply.edited"
    subject_type: ClassVar[str | None] = "ReviewReply"
    personal: ClassVar[frozenset[str]] = frozenset({"words_before", "words_after"})
    words_before: str | None
    words_after: str | None
    before: str
    after: str
    internal: bool = True


class ReviewReplyApproved(Fact):
    """A reply may be sent from `send_at` on; `approver_id` is the person who decided, null where a rule did."""

    kind: ClassVar[str] = "review_reply.approved"
    subject_type: ClassVar[str | None] = "ReviewReply"
    approver_id: UUID | None
    send_at_before: datetime | None
    send_at: datetime
    before: str
    after: str
    internal: bool = True


class ReviewReplySent(Fact):
    """The source accepted a reply; `was_there` says that it was found there, because an earlier attempt had arrived."""

    kind: ClassVar[str] = "review_reply.sent"
    subject_type: ClassVar[str | None] = "ReviewReply"
    review_id: UUID
    was_there: bool
    internal: bool = True


class ReviewReplyPublished(Fact):
    """The source shows the reply below the review."""

    kind: ClassVar[str] = "review_reply.published"
    subject_type: ClassVar[str | None] = "ReviewReply"
    review_id: UUID


class ReviewReplyRejected(Fact):
    """The source refused a reply, at once or later; `reason` is what it says."""

    kind: ClassVar[str] = "review_reply.rejected"
    subject_type: ClassVar[str | None] = "ReviewReply"
    reason: str
    before: str
    internal: bool = True


class ReviewReplyFailed(Fact):
    """A reply could not be sent and is tried again; recorded once until it is sent."""

    kind: ClassVar[str] = "review_reply.failed"
    subject_type: ClassVar[str | None] = "ReviewReply"
    error: str
    internal: bool = True


class ReviewReplyHeld(Fact):
    """A reply was not sent: it holds something confidential (of `kinds`), or, without kinds, the review is negative."""

    kind: ClassVar[str] = "review_reply.held"
    subject_type: ClassVar[str | None] = "ReviewReply"
    kinds: list[str]
    before: str
    after: str
    internal: bool = True


class ReviewReplyReopened(Fact):
    """The review was edited: a reply that was not sent is a draft again, and one that was sent is to be checked."""

    kind: ClassVar[str] = "review_reply.reopened"
    subject_type: ClassVar[str | None] = "ReviewReply"
    before: str
    after: str
    is_negative: bool
    internal: bool = True


class ReviewReplyConfirmed(Fact):
    """A person says that a reply still fits the edited review."""

    kind: ClassVar[str] = "review_reply.confirmed"
    subject_type: ClassVar[str | None] = "ReviewReply"
    before: datetime
    internal: bool = True


class ReviewReplyWithdrawn(Fact):
    """A reply that was not sent will not be sent; the row has the reason."""

    kind: ClassVar[str] = "review_reply.withdrawn"
    subject_type: ClassVar[str | None] = "ReviewReply"
    before: str
    after: str
    internal: bool = True


class ReviewReplyRetracted(Fact):
    """A reply that was sent is to be taken away at the source; the row has the reason."""

    kind: ClassVar[str] = "review_reply.retracted"
    subject_type: ClassVar[str | None] = "ReviewReply"
    before: str
    after: str
    internal: bool = True


class ReviewReplyOvertaken(Fact):
    """The source shows another reply, which somebody wrote there: this one is not sent."""

    kind: ClassVar[str] = "review_reply.overtaken"
    subject_type: ClassVar[str | None] = "ReviewReply"
    review_id: UUID
    before: str
    after: str
    internal: bool = True


class ReviewReplyRemoved(Fact):
    """A retracted reply is no longer at the source."""

    kind: ClassVar[str] = "review_reply.removed"
    subject_type: ClassVar[str | None] = "ReviewReply"
    review_id: UUID
    internal: bool = True


class ReviewReplyLate(Fact):
    """The time for the reply has passed, and it was not sent."""

    kind: ClassVar[str] = "review_reply.late"
    subject_type: ClassVar[str | None] = "ReviewReply"
    internal: bool = True
