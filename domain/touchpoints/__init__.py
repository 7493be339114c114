"""Touchpoints: how often we speak with a client beyond the daily work, what is due, and what is overdue."""

from domain.touchpoints.actions import activity_at, complete, plan, plan_all
from domain.touchpoints.model import Activity, Touchpoint, TouchpointKind

__all__ = [
    "Activity",
    "Touchpoint",
    "TouchpointKind",
    "activity_at",
    "complete",
    "plan",
    "plan_all",
]
