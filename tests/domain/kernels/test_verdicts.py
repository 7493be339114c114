"""The kernel says what its slow twin says, for every class of promise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.kernels import EventKind, PromiseClass
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
]
KINDS = {
    PromiseClass.FLOW: CLOCK_KINDS,
    PromiseClass.UPDATE: [*CLOCK_KINDS, EventKind.UPDATE],
    PromiseClass.DUE: [EventKind.START, EventKind.STOP, EventKind.PAUSE, EventKind.PRIORITY],
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
