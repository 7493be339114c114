"""Numbering: committed facts get their place in the ledger (`seq`), their link in the chain, their consequences.

`seq` is dense: 1, 2, 3 … over all tenants, given in one transaction at a time by one relay. So a reader that knows
`n` and is shown `n + 2` knows that it lacks exactly one fact.
"""

from domain.numbering.actions import Batch, number
from domain.numbering.model import Lag, Numbered, link_of
from domain.numbering.reads import (
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
    "Batch",
    "Lag",
    "Numbered",
    "check_cursor",
    "fact",
    "head",
    "lag",
    "last_recorded_at",
    "ledger_name",
    "link_at",
    "link_of",
    "number",
    "read",
]
