"""Sequencing: committed facts get their sequence number (`seq`), their link in the hash chain, and their jobs.

`seq` is dense: 1, 2, 3 … over all tenants, assigned in one transaction at a time by one relay. A reader that has `n`
and receives `n + 2` therefore knows that exactly one fact is missing.
"""

from domain.core.sequencing.actions import SequencedBatch, assign_sequence
from domain.core.sequencing.model import Lag, SequencedEvent, link_of
from domain.core.sequencing.reads import (
    check_cursor,
    fact,
    lag,
    last_recorded_at,
    last_seq,
    ledger_name,
    link_at,
    read,
)

__all__ = [
    "Lag",
    "SequencedBatch",
    "SequencedEvent",
    "assign_sequence",
    "check_cursor",
    "fact",
    "lag",
    "last_recorded_at",
    "last_seq",
    "ledger_name",
    "link_at",
    "link_of",
    "read",
]
