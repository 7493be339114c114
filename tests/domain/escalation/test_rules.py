"""When steps are due, and what a policy may not say."""

from datetime import timedelta

import pytest

from domain.access import Role
from domain.core.errors import Refused
from domain.escalation.rules import StepDraft, check, due_at, latest_due, percent_of
from tests.build import T0, minutes

STEPS = [
    StepDraft(after_minutes=10, roles=[Role.DISPATCHER]),
    StepDraft(after_minutes=30, roles=[Role.MANAGEMENT]),
]


def test_steps_come_after_their_minutes_and_the_last_one_again_and_again() -> None:
    due = [due_at(STEPS, 15, T0, n) for n in range(4)]
    assert due == [T0 + minutes(10), T0 + minutes(30), T0 + minutes(45), T0 + minutes(60)]
    assert due_at(STEPS, None, T0, 2) is None
    assert due_at([], 15, T0, 0) is None


def test_of_repeats_that_were_missed_only_the_last_is_taken() -> None:
    assert latest_due(STEPS, 15, T0, 0, T0 + timedelta(days=1)) == 0
    assert latest_due(STEPS, 15, T0, 2, T0 + minutes(45)) == 2
    assert latest_due(STEPS, 15, T0, 2, T0 + minutes(91)) == 5
    assert due_at(STEPS, 15, T0, 5) == T0 + minutes(90)


@pytest.mark.parametrize(
    ("steps", "repeat", "warns"),
    [
        ([], None, []),
        ([StepDraft(after_minutes=5)], None, []),
        ([*reversed(STEPS)], None, []),
        ([StepDraft(after_minutes=-1, roles=[Role.MANAGEMENT])], None, []),
        ([StepDraft(after_minutes=1, roles=[Role.CLIENT_ADMIN])], None, []),
        (STEPS, 0, []),
        (STEPS, None, [80]),
    ],
)
def test_a_policy_that_tells_nobody_or_goes_backwards_is_refused(
    steps: list[StepDraft], repeat: int | None, warns: list[int]
) -> None:
    check(STEPS, 15, [50, 75, 90])
    with pytest.raises(Refused):
        check(steps, repeat, warns)


def test_the_three_warnings_stand_for_half_three_quarters_and_nine_tenths() -> None:
    assert [percent_of(n) for n in (1, 2, 3)] == [50, 75, 90]
    assert [percent_of(n, (10, 20, 30)) for n in (1, 2, 3)] == [10, 20, 30]
