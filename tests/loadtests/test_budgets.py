"""Budgets: kept, exceeded, and not measured, which is not kept."""

from pathlib import Path

import pytest

from loadtests.audit import Audit, Wrong
from loadtests.budgets import Budgets, Measured

SHIPPED = Path(__file__).parents[2] / "loadtests" / "budgets.toml"
BUDGETS = Budgets("POST viewer", floor_ms=50, failures=0, least_looked_at=1, p95={"POST home": 4})


def broken(home_ms: float | None, *, failures: int = 0, audit: Audit | None = None) -> list[str]:
    """The names of budgets that a run did not keep."""
    looked = Audit()
    looked.saw(*Wrong)
    operations = [Measured("POST viewer", 10, 0, 20.0)]
    if home_ms is not None:
        operations.append(Measured("POST home", 10, failures, home_ms))
    return [each.name for each in BUDGETS.judge(operations, audit or looked) if not each.kept]


@pytest.mark.parametrize(
    ("home_ms", "names"), [(80, []), (81, ["POST home"]), (None, ["POST home"])]
)
def test_an_operation_is_held_to_a_multiple_of_the_least_one(
    home_ms: float | None, names: list[str]
) -> None:
    assert broken(home_ms) == names


def test_what_is_fast_anyway_is_fast_enough() -> None:
    [verdict] = [
        each
        for each in BUDGETS.judge(
            [Measured("POST viewer", 9, 0, 2.0), Measured("POST home", 9, 0, 49.0)], Audit()
        )
        if each.name == "POST home"
    ]
    assert verdict.kept


def test_one_failure_is_one_too_many() -> None:
    assert broken(10, failures=1) == ["failed operations"]


def test_a_violation_and_a_check_that_looked_at_nothing_break_the_run() -> None:
    audit = Audit()
    audit.saw(*(set(Wrong) - {Wrong.FIX}))
    audit.blame(Wrong.LOST, "one")
    assert set(broken(10, audit=audit)) == {
        f"never {what.value}" for what in (Wrong.LOST, Wrong.FIX)
    }


def test_the_shipped_file_is_read_and_names_operations_once() -> None:
    budgets = Budgets.read(SHIPPED)
    assert budgets.baseline not in budgets.p95
    assert all(ratio > 1 for ratio in budgets.p95.values())
