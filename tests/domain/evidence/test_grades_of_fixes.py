"""Grades of arrivals by fixes: each reason alone, and what holds for any fixes in any order and split."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.evidence import Assessment, Grade, MeasuredFix, ReasonCode, grade_by_fixes

T0 = datetime(2026, 3, 2, 12, tzinfo=UTC)
T0_S = T0.timestamp()
METRE = 1 / 111_195
LAT, LON, RADIUS_M = 52.0907, 5.1214, 100.0


def fix(
    s: float,
    north: float = 0.0,
    *,
    accuracy_m: float | None = 5.0,
    lag_s: float = 2.0,
    mock: bool | None = False,
    skew_s: float | None = 0.0,
) -> MeasuredFix:
    """A fix so many seconds after noon, and metres north of the middle of the geofence."""
    return MeasuredFix(
        at_s=T0_S + s,
        received_s=T0_S + s + lag_s,
        lat=LAT + north * METRE,
        lon=LON,
        outside_m=abs(north) - RADIUS_M,
        size_m=RADIUS_M,
        accuracy_m=accuracy_m,
        skew_s=skew_s,
        mock=mock,
    )


def coming(**more: object) -> list[MeasuredFix]:
    """Somebody who walks up for a minute, is there at noon and stays for two minutes."""
    way = [fix(-60.0 + 10 * n, 600.0 - 90 * n) for n in range(6)]
    return [*way, *(fix(10.0 * n, 20.0 - n, **more) for n in range(13))]  # type: ignore[arg-type]


def codes(found: Assessment) -> set[ReasonCode]:
    """The codes that allow no better grade than the one that was given."""
    return {each.code for each in found.reasons if each.allows is found.grade}


def test_who_comes_and_stays_with_an_honest_device_is_proven() -> None:
    found = grade_by_fixes(T0, coming())
    assert (found.grade, found.contradicted) == (Grade.A, False)
    assert found.proven_from == {Grade.A: T0, Grade.B: T0, Grade.C: T0}
    figures = {each.code: each.figure for each in found.reasons}
    assert figures == {
        ReasonCode.FIXES: 13, ReasonCode.DWELL: 120, ReasonCode.GAP: 10,
        ReasonCode.ACCURACY: 5, ReasonCode.DELAY: 2,
    }  # fmt: skip
    assert all(each.text for each in found.reasons)


@pytest.mark.parametrize(
    ("more", "grade", "code"),
    [
        ({"accuracy_m": 40.0}, Grade.B, ReasonCode.ACCURACY),
        ({"accuracy_m": None}, Grade.C, ReasonCode.ACCURACY_UNKNOWN),
        ({"lag_s": 50.0}, Grade.A, ReasonCode.DELAY),
        ({"mock": None}, Grade.B, ReasonCode.MOCK_UNKNOWN),
        ({"skew_s": 60.0}, Grade.B, ReasonCode.CLOCK_SKEW),
        ({"skew_s": -3_600.0}, Grade.D, ReasonCode.CLOCK_SKEW),
        ({"lag_s": 3_600.0}, Grade.D, ReasonCode.CLOCK_BEHIND),
    ],
)
def test_each_doubt_allows_its_grade(
    more: dict[str, object], grade: Grade, code: ReasonCode
) -> None:
    found = grade_by_fixes(T0, coming(**more))
    assert found.grade is grade
    assert code in codes(found)
    assert found.contradicted is (grade is Grade.D)


def late(fixes: Sequence[MeasuredFix], received: float) -> list[MeasuredFix]:
    """The same fixes, received all at once."""
    return [replace(each, received_s=T0_S + received) for each in fixes]


@pytest.mark.parametrize(("received", "grade"), [(130, Grade.B), (800, Grade.B), (4_000, Grade.C)])
def test_a_batch_that_comes_in_late_proves_less(received: float, grade: Grade) -> None:
    found = grade_by_fixes(T0, late(coming(), received))
    assert (found.grade, found.contradicted) == (grade, False)


@pytest.mark.parametrize(
    ("seconds", "grade", "code"),
    [
        ([0, 6], Grade.B, ReasonCode.DWELL),
        ([0, 100, 200], Grade.B, ReasonCode.FIXES),
        ([0, 250], Grade.C, ReasonCode.FIXES),
        ([0, 400], Grade.D, ReasonCode.FIXES),
        ([0, 2], Grade.D, ReasonCode.DWELL),
    ],
)
def test_few_fixes_over_a_short_time_or_with_gaps_prove_less(
    seconds: list[int], grade: Grade, code: ReasonCode
) -> None:
    found = grade_by_fixes(T0, [fix(s) for s in seconds])
    assert found.grade is grade
    assert code in codes(found)
    assert not found.contradicted


def test_weak_fixes_never_borrow_the_strength_of_others() -> None:
    poor = [fix(10.0 * n, accuracy_m=45.0) for n in range(7)]
    good = [fix(10.0 * n + 5, lag_s=1_000.0) for n in range(7)]  # accurate, and very late
    assert grade_by_fixes(T0, poor).grade is Grade.B
    assert grade_by_fixes(T0, [*poor, *good]).grade is Grade.B
    better = grade_by_fixes(T0, [*poor, *(fix(10.0 * n + 5) for n in range(8))])
    assert better.proven_from[Grade.A] == T0 + timedelta(seconds=5)
    assert better.grade is Grade.B


def test_simulated_fixes_make_those_around_them_worthless_for_five_minutes() -> None:
    honest = [fix(10.0 * n) for n in range(60)]
    found = grade_by_fixes(T0, [*honest, fix(-5, mock=True)])
    assert (found.grade, found.contradicted) == (Grade.D, True)
    assert ReasonCode.MOCK in codes(found)
    assert found.proven_from[Grade.A] == T0 + timedelta(seconds=300)


def test_a_jump_to_the_site_proves_nothing_until_the_site_was_left() -> None:
    home = [fix(-600.0 + 10 * n, 20_000) for n in range(10)]
    there = [fix(10.0 * n - 400) for n in range(90)]
    found = grade_by_fixes(T0 - timedelta(seconds=400), [*home, *there])
    assert (found.grade, found.contradicted, found.proven_from) == (Grade.D, True, {})
    assert ReasonCode.JUMP in codes(found)
    left = [fix(500.0 + 30 * n, 200.0 * (n + 1)) for n in range(3)]
    back = [fix(700.0 + 10 * n) for n in range(10)]
    found = grade_by_fixes(T0, [*home, *there, *left, *back])
    assert found.proven_from[Grade.A] == T0 + timedelta(seconds=700)


def test_an_instant_between_two_fixes_of_a_chain_is_proven_by_it() -> None:
    instant = T0 + timedelta(seconds=33)
    assert grade_by_fixes(instant, coming()).proven_from[Grade.A] == instant


def test_only_fixes_of_the_stay_support_it() -> None:
    found = grade_by_fixes(T0, coming(), until_at=T0 + timedelta(seconds=25))
    assert found.grade is Grade.B
    assert grade_by_fixes(T0, []).grade is Grade.D


fixes = st.lists(
    st.builds(
        fix,
        st.integers(-600, 1_200).map(float),
        st.sampled_from([0.0, 20.0, 45.0, 80.0, 700.0, 30_000.0]),
        accuracy_m=st.sampled_from([None, 3.0, 20.0, 40.0, 90.0]),
        lag_s=st.sampled_from([-5.0, 1.0, 30.0, 90.0, 700.0, 4_000.0]),
        mock=st.sampled_from([None, False, True]),
        skew_s=st.sampled_from([None, 0.0, 50.0, 3_600.0]),
    ),
    max_size=40,
    unique_by=lambda each: each.at_s,
)


@given(fixes, st.randoms(use_true_random=False), st.integers(0, 40))
def test_any_order_and_split_gives_the_same_grade(
    found: list[MeasuredFix], mixer: Random, cut: int
) -> None:
    mixed = [*found[cut:], *found[:cut]]
    mixer.shuffle(mixed)
    assert grade_by_fixes(T0, mixed) == grade_by_fixes(T0, found)


@given(fixes)
def test_no_instant_is_proven_by_simulated_fixes_alone(found: list[MeasuredFix]) -> None:
    proven = grade_by_fixes(T0, [replace(each, mock=True) for each in found])
    assert (proven.grade, proven.proven_from) == (Grade.D, {})


@given(fixes)
def test_better_grades_are_never_proven_earlier_and_the_worst_reason_is_the_grade(
    found: list[MeasuredFix],
) -> None:
    proven = grade_by_fixes(T0, found)
    order = [proven.proven_from[each] for each in Grade if each in proven.proven_from]
    assert order == sorted(order, reverse=True)
    assert max(each.allows for each in proven.reasons) is proven.grade


@given(fixes)
def test_a_simulated_fix_more_proves_nothing_more(found: list[MeasuredFix]) -> None:
    known = {each.at_s for each in found}
    more = [*found, *(fix(s, mock=True) for s in (1.0, 61.0) if T0_S + s not in known)]
    assert grade_by_fixes(T0, more).grade >= grade_by_fixes(T0, found).grade
