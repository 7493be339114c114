"""Findings of `doctor`: parts of an installation, their state and a remedy."""

from dataclasses import dataclass
from enum import StrEnum


class PartState(StrEnum):
    """State of a part."""

    FINE = "fine"
    WORRYING = "worrying"
    BROKEN = "broken"


@dataclass(frozen=True)
class Finding:
    """Result of the check of one part; `remedy` says what to do when it is not fine."""

    part: str
    state: PartState
    seen: str
    remedy: str = ""


def judged(part: str, fine: bool, seen: str, remedy: str) -> Finding:
    """Return a finding that is fine or broken."""
    return (
        Finding(part, PartState.FINE, seen)
        if fine
        else Finding(part, PartState.BROKEN, seen, remedy)
    )
