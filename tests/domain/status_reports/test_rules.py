"""The status follows from its reasons alone: red by one red reason, yellow by any other."""

from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.status_reports import StatusLight, StatusReason, StatusRule, is_greener, light_of
from domain.status_reports.rules import is_too_low

RED_RULES = {
    "critical_promise_broken",
    "milestone_very_late",
    "compliance_too_low",
    "health_critical",
}


def reason(rule: StatusRule) -> StatusReason:
    return StatusReason(rule, "Account", UUID(int=1))


@given(st.sets(st.sampled_from(StatusRule)))
def test_the_worst_reason_decides(rules: set[StatusRule]) -> None:
    names = {str(each) for each in rules}
    wanted = "red" if names & RED_RULES else "yellow" if names else "green"
    assert light_of([reason(each) for each in rules]) == wanted


def test_greener_means_better_than_computed() -> None:
    order = ["green", "yellow", "red"]
    for confirmed, computed in product(StatusLight, StatusLight):
        wanted = order.index(confirmed) < order.index(computed)
        assert is_greener(confirmed, computed) is wanted


@pytest.mark.parametrize(
    ("kept", "decided", "wanted"),
    [(0, 4, False), (4, 5, True), (5, 5, False), (99, 100, False), (98, 100, True), (0, 0, False)],
)
def test_compliance_is_compared_without_rounding_from_five_promises_on(
    kept: int, decided: int, wanted: bool
) -> None:
    assert is_too_low(kept, decided, 99) is wanted
