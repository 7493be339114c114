"""Replacements follow shifts."""

from domain.replacements.following import follow_shift

AFTER_SHIFT = follow_shift
