"""Welfare checks follow shifts."""

from domain.lone_workers.checks import follow_shift

AFTER_SHIFT = follow_shift
