"""Escalation: notify people of incidents that nobody acknowledges or updates, in timed steps."""

from domain.escalation.actions import DUE, defer, due, follow, sweep
from domain.escalation.model import Cycle, Escalation, EscalationPolicy, EscalationStep
from domain.escalation.notices import tell_answered, warn_ops
from domain.escalation.policies import end_policy, set_policy
from domain.escalation.reads import answered_users, people, policy_for, steps_of, warned_users
from domain.escalation.rules import DEFAULT_STEPS, StepDraft, percent_of

__all__ = [
    "DEFAULT_STEPS",
    "DUE",
    "Cycle",
    "Escalation",
    "EscalationPolicy",
    "EscalationStep",
    "StepDraft",
    "answered_users",
    "defer",
    "due",
    "end_policy",
    "follow",
    "people",
    "percent_of",
    "policy_for",
    "set_policy",
    "steps_of",
    "sweep",
    "tell_answered",
    "warn_ops",
    "warned_users",
]
