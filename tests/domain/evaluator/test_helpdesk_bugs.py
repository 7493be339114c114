"""Mistakes that helpdesks are known for, and choices of ours, each in one small story."""

import numpy as np
import pytest

from domain.calendars.rules import calendars_for
from domain.calendars.spec import CalendarSpec
from domain.evaluator.kernels.batch import HorizonTooShort, verdicts
from domain.evaluator.kernels.codes import ClockState, EventKind, PromiseClass
from domain.evaluator.kernels.columns import Event, PromiseInput, event_columns, promise_columns
from tests import naive
from tests.domain.evaluator.examples import HOUR, MINUTE, OFFICE, SPECS, kernel_rows, local

T0 = local(2026, 6, 15, 10, 0)  # a Monday
START, STOP, PAUSE, RESUME = EventKind.START, EventKind.STOP, EventKind.PAUSE, EventKind.RESUME
REOPEN, UPDATE, PRIORITY = EventKind.REOPEN, EventKind.UPDATE, EventKind.PRIORITY


def told(*story: tuple[int, EventKind] | tuple[int, EventKind, int]) -> list[Event]:
    """Minutes after T0, kind, priority: the events of one unit."""
    return [Event(T0 + s[0] * MINUTE, 0, 1, s[1], s[2] if len(s) == 3 else 0) for s in story]


def judged(
    events: list[Event], at: int, cls: PromiseClass = PromiseClass.FLOW, target: int = 60
) -> naive.Row:
    """The last row of one unit, around the clock; priority 1 has twice the target, 2 half."""
    targets = (*(target * MINUTE * f // 2 for f in (2, 4, 1)), -1)
    rows = kernel_rows(events, [PromiseInput(cls, targets)], SPECS, T0 + at * MINUTE)
    return rows[-1]


def test_a_pause_does_not_keep_ticking() -> None:
    events = told((0, START), (30, PAUSE), (300, RESUME), (320, STOP))

    row = judged(events, at=400)

    assert (row.state, row.elapsed_us, row.paused_us) == (
        ClockState.KEPT,
        50 * MINUTE,
        270 * MINUTE,
    )


def test_time_on_hold_is_not_counted_twice() -> None:
    events = told((0, START), (10, PAUSE), (20, PAUSE), (40, RESUME), (50, RESUME), (70, STOP))

    row = judged(events, at=400)

    assert (row.elapsed_us, row.paused_us) == (40 * MINUTE, 30 * MINUTE)


def test_a_change_of_priority_keeps_the_pauses_so_far() -> None:
    events = told((0, START), (10, PAUSE), (50, RESUME), (55, PRIORITY, 1), (150, STOP))

    row = judged(events, at=400)

    assert (row.target_us, row.elapsed_us) == (120 * MINUTE, 110 * MINUTE)
    assert row.state is ClockState.KEPT


def test_a_day_may_have_more_than_one_working_interval() -> None:
    split = CalendarSpec("Europe/Amsterdam", hours=(((540, 720), (780, 1020)),) * 7)
    events = [Event(local(2026, 6, 15, 11, 30), 0, 1, START)]

    [row] = kernel_rows(
        events, [PromiseInput(PromiseClass.FLOW, (HOUR,) * 4)], [split], T0 + 2 * HOUR
    )

    assert row.breach_us == local(2026, 6, 15, 13, 30)


def test_a_calendar_means_its_own_zone() -> None:
    berth = CalendarSpec("America/New_York", hours=(OFFICE,) * 7)
    opened = local(2026, 6, 15, 12, 0)  # 06:00 in New York

    [row] = kernel_rows(
        [Event(opened, 0, 1, START)],
        [PromiseInput(PromiseClass.FLOW, (HOUR,) * 4)],
        [berth],
        opened,
    )

    assert row.breach_us == local(2026, 6, 15, 10, 0, zone="America/New_York")


def test_an_update_does_not_stop_the_first_response() -> None:
    events = told((0, START), (10, UPDATE), (20, UPDATE))

    row = judged(events, at=61)

    assert (row.state, row.breach_us) == (ClockState.LATE_OPEN, T0 + 60 * MINUTE)


def test_a_kind_without_a_role_does_not_stop_the_clock() -> None:
    events = told((0, START), (10, EventKind.MEASURE), (20, EventKind.STAFFED))

    assert judged(events, at=59).state is ClockState.RUNNING


def test_a_timer_survives_a_restart_because_it_is_a_function_of_the_log() -> None:
    events = told((0, START), (10, PAUSE), (20, RESUME))

    assert judged(events, at=30) == judged(list(events), at=30)
    assert judged(events, at=30).next_check_us == T0 + 40 * MINUTE


def test_stopping_on_the_limit_is_in_time_and_a_microsecond_later_is_not() -> None:
    on_time = told((0, START), (60, STOP))
    late = [on_time[0], on_time[1]._replace(ts=on_time[1].ts + 1)]

    assert judged(on_time, at=90).state is ClockState.KEPT
    assert judged(late, at=90).state is ClockState.LATE_CLOSED
    assert judged(late, at=90).decided_us == T0 + 60 * MINUTE


def test_an_open_clock_is_late_only_after_its_deadline() -> None:
    events = told((0, START))

    assert judged(events, at=60).state is ClockState.RUNNING
    assert judged(events, at=60).next_check_us == T0 + 60 * MINUTE + 1
    assert judged(events, at=61).state is ClockState.LATE_OPEN


def test_a_deadline_on_friday_evening_is_broken_on_monday_morning() -> None:
    friday = local(2026, 6, 19, 16, 0)
    events = [Event(friday, 0, 1, START)]
    promise = PromiseInput(PromiseClass.FLOW, (HOUR,) * 4, calendar=1)

    [row] = kernel_rows(events, [promise], SPECS, local(2026, 6, 20, 12, 0))

    assert (row.state, row.breach_us) == (ClockState.RUNNING, local(2026, 6, 22, 9, 0))


def test_a_reopened_unit_is_undecided_again_and_goes_on_from_where_it_was() -> None:
    events = told((0, START), (50, STOP), (200, REOPEN))

    row = judged(events, at=205)

    assert (row.state, row.elapsed_us, row.stopped_us) == (ClockState.RUNNING, 55 * MINUTE, -1)
    assert row.breach_us == T0 + 210 * MINUTE


def test_a_lower_priority_does_not_rescue_what_is_late() -> None:
    events = told((0, START), (70, PRIORITY, 1), (80, STOP))

    row = judged(events, at=90)

    assert (row.state, row.breach_us) == (ClockState.LATE_CLOSED, T0 + 60 * MINUTE)
    assert row.target_us == 60 * MINUTE


def test_a_higher_priority_never_dates_a_breach_before_itself() -> None:
    events = told((0, START), (40, PRIORITY, 2))

    row = judged(events, at=41)

    assert (row.state, row.breach_us) == (ClockState.LATE_OPEN, T0 + 40 * MINUTE)


def test_a_unit_whose_priority_has_no_target_is_not_measured() -> None:
    events = told((0, START, 3), (40, STOP))

    assert kernel_rows(events, [PromiseInput(PromiseClass.FLOW)], SPECS, T0 + HOUR) == []


def test_a_promise_that_cannot_be_paused_ignores_pauses() -> None:
    promise = PromiseInput(PromiseClass.FLOW, (HOUR,) * 4, pausable=False)

    [row] = kernel_rows(told((0, START), (1, PAUSE)), [promise], SPECS, T0 + 2 * HOUR)

    assert (row.state, row.paused_us) == (ClockState.LATE_OPEN, 0)


def test_the_future_does_not_exist_yet() -> None:
    events = told((0, START), (50, STOP))

    assert judged(events, at=49).state is ClockState.RUNNING


def test_every_update_begins_a_part_of_its_own() -> None:
    events = told((0, START), (30, UPDATE), (100, UPDATE), (110, STOP), (120, UPDATE))
    promise = PromiseInput(PromiseClass.UPDATE, (HOUR,) * 4)

    rows = kernel_rows(events, [promise], SPECS, T0 + 3 * HOUR)

    assert [(r.part, r.state, r.elapsed_us // MINUTE) for r in rows] == [
        (0, ClockState.KEPT, 30),
        (1, ClockState.LATE_CLOSED, 70),
        (2, ClockState.KEPT, 10),
    ]


def test_a_stop_before_the_due_instant_keeps_a_promise_without_tolerance() -> None:
    events = told((-5, STOP), (0, START))

    row = judged(events, at=10, cls=PromiseClass.DUE, target=0)

    assert (row.state, row.elapsed_us, row.decided_us) == (ClockState.KEPT, 0, T0)


def test_a_replacement_that_overlaps_leaves_no_gap_in_the_cover() -> None:
    events = told(
        (0, START),
        (0, EventKind.STAFFED),
        (50, EventKind.STAFFED),
        (60, EventKind.UNSTAFFED),
        (100, STOP),
    )

    [row] = kernel_rows(
        events, [PromiseInput(PromiseClass.COVER, objective_ppm=1_000_000)], SPECS, T0 + 2 * HOUR
    )

    assert (row.state, row.elapsed_us) == (ClockState.KEPT, 100 * MINUTE)


def test_state_and_warning_change_exactly_at_the_next_check() -> None:
    events = told((0, START), (10, PAUSE), (31, RESUME))
    at, seen = 31, []
    while (row := judged(events, at)).next_check_us > 0:
        before = judged(events, at)
        [just_before] = kernel_rows(
            events,
            [PromiseInput(PromiseClass.FLOW, (HOUR,) * 4)],
            SPECS,
            row.next_check_us - 1,
        )
        assert (just_before.state, just_before.warn) == (before.state, before.warn)
        seen.append(row.next_check_us - T0)
        at = -(-(row.next_check_us - T0) // MINUTE)
    assert seen == [51 * MINUTE, 66 * MINUTE, 75 * MINUTE, 81 * MINUTE + 1]


def test_a_calendar_that_ends_too_early_is_an_error_and_not_a_wrong_deadline() -> None:
    short = promise_columns([PromiseInput(PromiseClass.FLOW, (HOUR,) * 4, calendar=0)])
    long = promise_columns([PromiseInput(PromiseClass.FLOW, (90_000 * HOUR,) * 4, calendar=0)])
    calendars = calendars_for([SPECS[1]], short, T0, T0)
    events = event_columns([Event(T0, 0, 1, START)])

    with pytest.raises(HorizonTooShort, match="beyond its calendar"):
        verdicts(events, long, calendars, T0)
    with pytest.raises(HorizonTooShort, match="expanded"):
        verdicts(events, short, calendars, T0 + 20 * 366 * 24 * HOUR)


def test_thresholds_that_do_not_ascend_are_refused() -> None:
    promises = promise_columns([PromiseInput(PromiseClass.FLOW, (HOUR,) * 4)])
    calendars = calendars_for(SPECS[:1], promises, T0, T0)

    with pytest.raises(ValueError, match="ascend"):
        verdicts(event_columns([]), promises, calendars, T0, warn_ppm=(900_000, 500_000))


def test_arrival_order_does_not_matter_when_instants_differ() -> None:
    events = told((0, START), (10, PAUSE), (20, RESUME), (45, STOP))
    rng = np.random.default_rng(1)

    rows = {judged([events[i] for i in rng.permutation(4)], at=90) for _ in range(10)}

    assert len(rows) == 1
