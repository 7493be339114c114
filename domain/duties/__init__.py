"""Duties: which guard carries which device for which client, from when until when."""

from domain.duties.actions import assign, begin, end, end_overdue
from domain.duties.model import Duty, GuardNumber
from domain.duties.pseudonyms import Doer, knows, names_of, number_of
from domain.duties.reads import DUE, overdue, running

__all__ = [
    "DUE",
    "Doer",
    "Duty",
    "GuardNumber",
    "assign",
    "begin",
    "end",
    "end_overdue",
    "knows",
    "names_of",
    "number_of",
    "overdue",
    "running",
]
