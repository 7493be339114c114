"""Escalation: notify people of incidents that nobody acknowledges or updates, in timed steps."""

from domain.escalation.actions import end_policy, follow, set_policy, sweep
from domain.escalation.model import Cycle, Escalation, EscalationPolicy, EscalationStep
from domain.escalation.reads import answered_users, policy_for, warned_users
from domain.escalation.rules import StepDraft

__all__ = [
    "Cycle",
    "Escalation",
    "EscalationPolicy",
    "EscalationStep",
    "StepDraft",
    "answered_users",
    "end_policy",
    "follow",
    "policy_for",
    "set_policy",
    "sweep",
    "warned_users",
]
