"""Lifecycle: the stage of the relationship with a client, moved under conditions, and who is missing around it."""

from domain.lifecycle.actions import move
from domain.lifecycle.gaps import CoverageGap, GapKind, coverage_gaps
from domain.lifecycle.model import StageChange
from domain.lifecycle.rules import FOLLOWING

__all__ = ["FOLLOWING", "CoverageGap", "GapKind", "StageChange", "coverage_gaps", "move"]
