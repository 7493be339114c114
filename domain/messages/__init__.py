"""Messages to a client's contacts: written once per intent and contact, sent, and what became of them."""

from domain.messages.actions import compose, mark_failed, mark_sent, put_back, take
from domain.messages.model import Message, MessageState
from domain.messages.rules import (
    CheckpointNotice,
    CreditNotice,
    IncidentOpened,
    IncidentResolved,
    Variables,
    Words,
    as_html,
)

__all__ = [
    "CheckpointNotice",
    "CreditNotice",
    "IncidentOpened",
    "IncidentResolved",
    "Message",
    "MessageState",
    "Variables",
    "Words",
    "as_html",
    "compose",
    "mark_failed",
    "mark_sent",
    "put_back",
    "take",
]
