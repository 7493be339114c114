"""The kernel says what its slow twin says, for every class of promise."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from domain.calendars.rules import calendars_for
from domain.kernels import (
    EventKind,
    PromiseClass,
    decided,
    event_columns,
    judged,
    late_list,
    open_list,
    promise_columns,
)
from domain.kernels.gist import gist, room_for
from domain.kernels.layout import seal
from tests.domain.kernels import examples

CLOCK_KINDS = [
    EventKind.START,
    EventKind.START,
    EventKind.STOP,
    EventKind.PAUSE,
    EventKind.RESUME,
    EventKind.REOPEN,
    EventKind.UPDATE,
    EventKind.PRIORITY,
    EventKind.CANCEL,
    EventKind.RESTORE,
]
KINDS = {
    PromiseClass.FLOW: CLOCK_KINDS,
    PromiseClass.UPDATE: [*CLOCK_KINDS, EventKind.UPDATE],
    PromiseClass.DUE: [
        EventKind.START,
        EventKind.STOP,
        EventKind.PAUSE,
        EventKind.PRIORITY,
        EventKind.CANCEL,
        EventKind.RESTORE,
    ],
    PromiseClass.COVER: [
        EventKind.START,
        EventKind.STOP,
        EventKind.STAFFED,
        EventKind.UNSTAFFED,
        EventKind.STAFFED,
    ],
    PromiseClass.POINT: [EventKind.MEASURE, EventKind.START],
}


@pytest.mark.parametrize("season", [0, 1], ids=["spring", "autumn"])
@pytest.mark.parametrize("cls", list(PromiseClass), ids=lambda c: c.name.lower())
@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_the_kernel_agrees_with_its_twin(
    cls: PromiseClass, season: int, data: st.DataObject
) -> None:
    promises = data.draw(st.lists(examples.promises(cls), min_size=1, max_size=2))
    events = data.draw(examples.logs(len(promises), season, KINDS[cls]))
    at = data.draw(examples.instants(season))

    found = examples.kernel_rows(events, promises, examples.SPECS, at)

    expected = examples.naive_rows(events, promises, examples.SPECS, at, season)
    assert found == expected


@pytest.mark.parametrize("cls", list(PromiseClass), ids=lambda c: c.name.lower())
@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_what_a_replay_reads_is_what_the_verdicts_say(
    cls: PromiseClass, data: st.DataObject
) -> None:
    promises = data.draw(st.lists(examples.promises(cls), min_size=1, max_size=2))
    told = data.draw(
        examples.logs(len(promises), 0, [EventKind.START, EventKind.STOP, *KINDS[cls]])
    )
    at, p = data.draw(examples.instants(0)), len(promises)
    events, columns = event_columns(told), promise_columns(promises)
    calendars = calendars_for(examples.SPECS, columns, min([at, *(e.ts for e in told)]), at)

    found = gist(seal(events, columns), columns, calendars, at, 0, p, room_for(len(told)))

    rows = judged(events, columns, calendars, at)
    whole: list[NDArray[Any]] = [*found.done, *found.late, *found.open]
    parts: list[NDArray[Any]] = [*decided(rows, 0, p), *late_list(rows), *open_list(rows, 0, p)]
    assert [each.tolist() for each in whole] == [each.tolist() for each in parts]
