"""The journal: double entry, append only, in integer cents. The database refuses an unbalanced entry."""

from domain.journal.actions import post
from domain.journal.model import Book, JournalEntry, JournalKind, JournalLine
from domain.journal.reads import StatementLine, balance, opening, statement, trial_balance

__all__ = [
    "Book",
    "JournalEntry",
    "JournalKind",
    "JournalLine",
    "StatementLine",
    "balance",
    "opening",
    "post",
    "statement",
    "trial_balance",
]
