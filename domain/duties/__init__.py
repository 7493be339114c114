"""Duties: which guard carries which device for which client, from when until when."""

from domain.duties.actions import assign, end, end_overdue
from domain.duties.model import Duty

__all__ = ["Duty", "assign", "end", "end_overdue"]
