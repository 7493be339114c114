"""Touchpoints: planned contacts with clients beyond the daily work, with their due dates."""

from domain.touchpoints.actions import accounts_to_plan, activity_at, complete, plan
from domain.touchpoints.model import Activity, Touchpoint, TouchpointKind
from domain.touchpoints.notices import send_check_in
from domain.touchpoints.reads import CheckInDue, check_ins_due, figures_of, intent_of

__all__ = [
    "Activity",
    "CheckInDue",
    "Touchpoint",
    "TouchpointKind",
    "accounts_to_plan",
    "activity_at",
    "check_ins_due",
    "complete",
    "figures_of",
    "intent_of",
    "plan",
    "send_check_in",
]
