"""Numbering: committed facts get their place in the ledger (`seq`), their link in the chain, their consequences.

`seq` is dense: 1, 2, 3 … over all tenants, given in one transaction at a time by one relay. So a reader that knows
`n` and is shown `n + 2` knows that it lacks exactly one fact.
"""

from domain.core.sequencing.actions import SequencedBatch, assign_sequence
from domain.core.sequencing.model import Lag, SequencedEvent, link_of
from domain.core.sequencing.reads import (
    check_cursor,
    fact,
    head,
    lag,
    last_recorded_at,
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
    "head",
    "lag",
    "last_recorded_at",
    "ledger_name",
    "link_at",
    "link_of",
    "read",
]
