"""Guards who work alone: welfare checks, panic and no movement, and the critical incident that follows."""

from domain.lone_workers.checks import (
    DUE,
    checks_due,
    confirm_welfare,
    end_checks,
    look_at_check,
    start_checks,
)
from domain.lone_workers.distress import (
    StatedPlace,
    follow_distress,
    raise_by_phone,
    withdraw_distress,
)
from domain.lone_workers.model import DistressCause, DistressSign, WelfareWatch

__all__ = [
    "DUE",
    "DistressCause",
    "DistressSign",
    "StatedPlace",
    "WelfareWatch",
    "checks_due",
    "confirm_welfare",
    "end_checks",
    "follow_distress",
    "look_at_check",
    "raise_by_phone",
    "start_checks",
    "withdraw_distress",
]
