"""Rules by which the system opens incidents: one for each event, with its reason."""

from domain.watch_rules.model import SystemOpening, WatchRule
from domain.watch_rules.opening import (
    RuleEvent,
    follow_no_show,
    follow_round,
    follow_silence,
    open_expiring,
    open_once,
    silence_counts_at,
)

__all__ = [
    "RuleEvent",
    "SystemOpening",
    "WatchRule",
    "follow_no_show",
    "follow_round",
    "follow_silence",
    "open_expiring",
    "open_once",
    "silence_counts_at",
]
