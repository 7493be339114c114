"""Recovery cases: steps after a failure until the client is satisfied."""

from domain.recovery.actions import (
    follow_up,
    hand_over,
    open_case,
    open_for_response,
    take_step,
)
from domain.recovery.model import (
    CaseState,
    RecoveryCase,
    RecoveryStep,
    Remedy,
    Size,
    StepKind,
)
from domain.recovery.notices import tell_recovery

__all__ = [
    "CaseState",
    "RecoveryCase",
    "RecoveryStep",
    "Remedy",
    "Size",
    "StepKind",
    "follow_up",
    "hand_over",
    "open_case",
    "open_for_response",
    "take_step",
    "tell_recovery",
]
