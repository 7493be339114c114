"""Replies to reviews: drafted by rules, approved by people, sent once, and followed at the source."""

from domain.replies.actions import approve, confirm, edit, send_now, withdraw
from domain.replies.clocks import REVIEW_REPLY
from domain.replies.confidential import (
    ConfidentialPiece,
    KnownNames,
    PieceKind,
    confidential_pieces,
)
from domain.replies.drafting import draft_by_hand, draft_by_rule
from domain.replies.following import follow_edit, follow_link, follow_shown_reply
from domain.replies.model import ReplyMode, ReplyRule, ReplyState, ReviewReply
from domain.replies.names import known_names
from domain.replies.rule_actions import add_rule, change_rule
from domain.replies.rules import chosen_text, due_at, is_negative, office_days, same_text
from domain.replies.sending import (
    SENDING_DUE,
    DueReply,
    ReplyAttempt,
    begin,
    claim_replies,
    note_failed,
    note_rejected,
    note_sent,
)
from domain.replies.watching import LATE_DUE, PART, look_at_reply, replies_due

__all__ = [
    "LATE_DUE",
    "PART",
    "REVIEW_REPLY",
    "SENDING_DUE",
    "ConfidentialPiece",
    "DueReply",
    "KnownNames",
    "PieceKind",
    "ReplyAttempt",
    "ReplyMode",
    "ReplyRule",
    "ReplyState",
    "ReviewReply",
    "add_rule",
    "approve",
    "begin",
    "change_rule",
    "chosen_text",
    "claim_replies",
    "confidential_pieces",
    "confirm",
    "draft_by_hand",
    "draft_by_rule",
    "due_at",
    "edit",
    "follow_edit",
    "follow_link",
    "follow_shown_reply",
    "is_negative",
    "known_names",
    "look_at_reply",
    "note_failed",
    "note_rejected",
    "note_sent",
    "office_days",
    "replies_due",
    "same_text",
    "send_now",
    "withdraw",
]
