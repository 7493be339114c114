"""Access rules of replies to reviews: for those who look after clients; others see what the source shows."""

from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from domain.access import Actor, Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows, in_company


def _within_reach(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select replies to reviews of accessible accounts, and to those that are linked to no client."""
    return or_(actor.scope(model), and_(in_company(actor, model), model.account_id.is_(None)))


ACCESS = AccessRules(
    rows={
        "reply_rule": Rows((Right.READ_RELATIONSHIP,), "the own company", in_company),
        "review_reply": Rows(
            (Right.READ_RELATIONSHIP, Right.READ_REVIEWS),
            "accessible accounts, and linked to no client",
            _within_reach,
        ),
    },
    fields={
        "ReplyRule": {
            None: "id name position isActive mode languages themes hasWords delaySeconds templates shareAtLeast"
            " shareAtMost polarityAtLeast polarityAtMost createdAt version source"
        },
        "ReviewReply": {
            None: "id state isNegative words postedWords draftedAt dueAt lateAt answeredAt approvedAt sendAt nextTryAt"
            " failures error sentAt publishedAt reason recheckAt version review source rule account",
            Right.READ_STAFF: "owner approver",
        },
        "Review": {Right.READ_RELATIONSHIP: "reply"},
    },
    facts={
        Right.READ_RELATIONSHIP: "reply_rule.added reply_rule.changed review_reply.drafted review_reply.edited"
        " review_reply.approved review_reply.sent review_reply.rejected review_reply.failed review_reply.held"
        " review_reply.reopened review_reply.confirmed review_reply.withdrawn review_reply.retracted"
        " review_reply.overtaken review_reply.removed review_reply.late",
        Right.READ_REVIEWS: "review_reply.published",
    },
    queries={"reviewReplies": (), "replyRules": ()},
    subscriptions={
        "reviewReplyEvents": (Right.READ_LEDGER, Right.READ_REVIEWS, Right.READ_RELATIONSHIP)
    },
    mutations={
        Right.MANAGE_ACCOUNTS: "addReplyRule changeReplyRule draftReviewReply editReviewReply approveReviewReply"
        " sendReviewReply withdrawReviewReply confirmReviewReply"
    },
)
