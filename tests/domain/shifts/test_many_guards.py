"""One more shift for many guards at once: the same findings as for one guard alone."""

import struct
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.shifts.many_guards import check_many
from domain.shifts.working_time import WorkingTimeFinding, WorkPeriod, check

ZONE = "Europe/Amsterdam"
HOUR = timedelta(hours=1)
STARTS = datetime(2026, 3, 2, tzinfo=UTC)  # the clock changes four weeks later


def packed(work: list[WorkPeriod]) -> bytes:
    return b"".join(
        struct.pack(">qq", int(each.from_at.timestamp()), int(each.until_at.timestamp()))
        for each in sorted(work)
    )


@st.composite
def weeks_of_work(draw: st.DrawFn) -> tuple[list[WorkPeriod], WorkPeriod]:
    """Shifts without overlap, and one of them that is new."""
    at = STARTS + draw(st.integers(0, 50)) * HOUR
    work = []
    for _ in range(draw(st.integers(1, 45))):
        at += draw(st.sampled_from([1, 2, 3, 8, 9, 11, 13, 14, 16, 36, 46, 72])) * HOUR
        until = at + draw(st.sampled_from([2, 6, 8, 9, 10, 12, 13])) * HOUR
        work.append(WorkPeriod(at, until))
        at = until
    new = draw(st.sampled_from(work))
    return [each for each in work if each != new], new


def alone(known: list[WorkPeriod], new: WorkPeriod) -> WorkingTimeFinding | None:
    """What planning refuses with."""
    earlier = set(check(known, ZONE))
    found = [each for each in check([*known, new], ZONE) if each not in earlier]
    return next((each for each in found if each.refuses), None)


@settings(max_examples=400, deadline=None)
@given(st.lists(weeks_of_work(), min_size=1, max_size=4))
def test_the_first_broken_rule_is_that_of_one_guard_alone(
    given_work: list[tuple[list[WorkPeriod], WorkPeriod]],
) -> None:
    for _, new in given_work:
        guards = [[each for each in known if not _meet(each, new)] for known, _ in given_work]
        found = check_many([packed(work) for work in guards], new, ZONE)
        for work, one in zip(guards, found, strict=True):
            expected = alone(work, new)
            assert not one.overlaps
            if expected is None:
                assert one.finding is None
                continue
            assert one.finding is not None
            assert one.finding.rule is expected.rule
            assert abs(one.finding.figure - expected.figure) < 1e-6
            assert (one.finding.from_at, one.finding.until_at) == (
                expected.from_at,
                expected.until_at,
            )


def _meet(a: WorkPeriod, b: WorkPeriod) -> bool:
    return a.from_at < b.until_at and a.until_at > b.from_at


def test_overlap_rest_and_hours_of_the_week() -> None:
    new = WorkPeriod(STARTS + 100 * HOUR, STARTS + 108 * HOUR)
    before = WorkPeriod(STARTS + 80 * HOUR, STARTS + 88 * HOUR)
    meeting = WorkPeriod(STARTS + 107 * HOUR, STARTS + 110 * HOUR)
    free, busy, fresh = check_many(
        [packed([before]), packed([before, meeting]), b""], new, ZONE, asked=[True, True, False]
    )
    assert (free.overlaps, free.rest, free.in_week) == (False, 12 * HOUR, 8 * HOUR)
    assert (busy.overlaps, busy.in_week) == (True, 11 * HOUR)
    assert (fresh.rest, fresh.finding, fresh.in_week) == (None, None, 0 * HOUR)
