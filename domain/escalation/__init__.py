"""Escalation: who is told of a ticket that nobody takes up, or that nobody speaks about, and when."""

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
