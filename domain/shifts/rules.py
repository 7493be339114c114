"""Rules of shifts: what is found about attendance, and when to look again. Values in, values out."""

from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from domain.shifts.model import ShiftState

LATE_AFTER = timedelta(minutes=5)
NO_SHOW_AFTER = timedelta(minutes=15)
EARLY_BY = timedelta(minutes=5)
CLOCK_IN_BEFORE = timedelta(hours=1)
"""How long before its beginning a shift can be clocked in."""
UNENDED_AFTER = timedelta(hours=1)
"""How long after its planned end a running shift is ended without a clock-out."""
GRADED_AFTER = timedelta(minutes=30)
"""How long after a clock-in the positions of the guard's device are looked at, for its grade."""
LONGEST = timedelta(hours=24)
LIVE = frozenset({ShiftState.PUBLISHED, ShiftState.CONFIRMED, ShiftState.RUNNING})
"""States in which the system watches a shift."""


class Findings(NamedTuple):
    """What is found about the attendance of a shift, each with its time; None where it is not so."""

    late_at: datetime | None = None
    no_show_at: datetime | None = None
    left_early_at: datetime | None = None


class Attended(Protocol):
    """The columns of a shift that findings depend on."""

    @property
    def state(self) -> ShiftState:
        """The state."""

    @property
    def from_at(self) -> datetime:
        """The planned beginning."""

    @property
    def until_at(self) -> datetime:
        """The planned end."""

    @property
    def started_at(self) -> datetime | None:
        """The clock-in that stands."""

    @property
    def ended_at(self) -> datetime | None:
        """The clock-out that stands."""


def findings_of(shift: Attended, *, at: datetime) -> Findings:
    """Return what is found about a shift at `at`; a clock-in exactly at the end of a grace is in time."""
    if shift.state in (ShiftState.PLANNED, ShiftState.CANCELLED):
        return Findings()
    there = shift.started_at
    late, absent = shift.from_at + LATE_AFTER, shift.from_at + NO_SHOW_AFTER
    left = shift.ended_at
    return Findings(
        late_at=late if _missed(there, late, at) else None,
        no_show_at=absent if _missed(there, absent, at) else None,
        left_early_at=left if left is not None and left < shift.until_at - EARLY_BY else None,
    )


def next_look(shift: Attended, *, at: datetime) -> datetime | None:
    """Return when the system has to look at a shift again after `at`; None when nothing follows from time alone."""
    if shift.state not in LIVE:
        return None
    if shift.started_at is not None:
        graded, ended = shift.started_at + GRADED_AFTER, shift.until_at + UNENDED_AFTER
        return graded if at < graded < ended else ended
    steps = (shift.from_at + LATE_AFTER, shift.from_at + NO_SHOW_AFTER, shift.until_at)
    ahead = [step for step in steps if step > at]
    return min(ahead, default=shift.until_at)


def _missed(there: datetime | None, limit: datetime, at: datetime) -> bool:
    return at >= limit if there is None else there > limit
