"""Touchpoints: how often we speak with a client beyond the daily work, what is due, and what is overdue."""

from domain.touchpoints.actions import activity_at, complete, plan, plan_all
from domain.touchpoints.model import Activity, Touchpoint, TouchpointKind
from domain.touchpoints.reads import CheckInDue, check_ins_due, intent_of

__all__ = [
    "Activity",
    "CheckInDue",
    "Touchpoint",
    "TouchpointKind",
    "activity_at",
    "check_ins_due",
    "complete",
    "intent_of",
    "plan",
    "plan_all",
]
