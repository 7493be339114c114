"""RAID log: risks, actions, issues and decisions about a client, with their reviews."""

from domain.raid.actions import RaidDraft, close, hand_over, raise_entry, review
from domain.raid.model import RaidEntry, RaidKind
from domain.raid.watching import DUE, look_at_review, reviews_due

__all__ = [
    "DUE",
    "RaidDraft",
    "RaidEntry",
    "RaidKind",
    "close",
    "hand_over",
    "look_at_review",
    "raise_entry",
    "review",
    "reviews_due",
]
