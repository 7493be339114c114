"""What is found about attendance, at the limits of each grace."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from domain.shifts.model import ShiftState
from domain.shifts.rules import Findings, findings_of, next_look
from tests.build import T0

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Plan:
    """A shift from T0 for eight hours."""

    state: ShiftState = ShiftState.PUBLISHED
    from_at: datetime = T0
    until_at: datetime = T0 + 8 * HOUR
    started_at: datetime | None = None
    ended_at: datetime | None = None


LATE, ABSENT = T0 + 5 * MINUTE, T0 + 15 * MINUTE
NOBODY = Plan()
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("plan", "after", "found"),
    [
        (NOBODY, 5 * MINUTE - SECOND, Findings()),
        (NOBODY, 5 * MINUTE, Findings(LATE)),
        (NOBODY, 15 * MINUTE - SECOND, Findings(LATE)),
        (NOBODY, 15 * MINUTE, Findings(LATE, ABSENT)),
        (NOBODY, DAY, Findings(LATE, ABSENT)),
        (replace(NOBODY, state=ShiftState.PLANNED), DAY, Findings()),
        (replace(NOBODY, state=ShiftState.CANCELLED), DAY, Findings()),
        (replace(NOBODY, started_at=T0 - HOUR), DAY, Findings()),
        (replace(NOBODY, started_at=LATE), DAY, Findings()),
        (replace(NOBODY, started_at=LATE + SECOND), DAY, Findings(LATE)),
        (replace(NOBODY, started_at=ABSENT), DAY, Findings(LATE)),
        (replace(NOBODY, started_at=ABSENT + SECOND), DAY, Findings(LATE, ABSENT)),
        (replace(NOBODY, started_at=T0, ended_at=T0 + 8 * HOUR - 5 * MINUTE), DAY, Findings()),
        (
            replace(NOBODY, started_at=T0, ended_at=T0 + 8 * HOUR - 5 * MINUTE - SECOND),
            DAY,
            Findings(left_early_at=T0 + 8 * HOUR - 5 * MINUTE - SECOND),
        ),
        (replace(NOBODY, started_at=T0, ended_at=T0 + 9 * HOUR), DAY, Findings()),
    ],
)
def test_findings_at_the_limits(plan: Plan, after: timedelta, found: Findings) -> None:
    assert findings_of(plan, at=T0 + after) == found


def test_the_system_looks_when_something_can_be_found_and_no_more_when_the_shift_is_over() -> None:
    steps = [T0 - HOUR]
    while (after := next_look(NOBODY, at=steps[-1])) is not None and after not in steps:
        steps.append(after)
    assert steps[1:] == [LATE, ABSENT, T0 + 8 * HOUR]
    running = replace(NOBODY, state=ShiftState.RUNNING, started_at=T0)
    assert next_look(running, at=T0) == T0 + 30 * MINUTE  # its grade
    assert next_look(running, at=T0 + 30 * MINUTE) == T0 + 9 * HOUR
    for state in (ShiftState.PLANNED, ShiftState.ENDED, ShiftState.CANCELLED):
        assert next_look(replace(NOBODY, state=state), at=T0) is None
