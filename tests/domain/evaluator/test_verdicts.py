"""The kernel says what its slow twin says, for every class of promise."""

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from domain.evaluator.kernels.batch import verdicts
from domain.evaluator.kernels.codes import ClockState, EventKind, PromiseClass
from domain.evaluator.kernels.columns import Event, Events, Promises, Verdicts, event_columns
from tests.bench.log import Log, synthetic
from tests.domain.evaluator import examples

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
        EventKind.REOPEN,
        EventKind.CANCEL,
        EventKind.RESTORE,
    ],
    PromiseClass.COVER: [
        EventKind.START,
        EventKind.START,
        EventKind.STOP,
        EventKind.STAFFED,
        EventKind.UNSTAFFED,
        EventKind.STAFFED,
        EventKind.CANCEL,
        EventKind.RESTORE,
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


@pytest.fixture(scope="module")
def log() -> Log:
    return synthetic(6_000, promises=12)


def fingerprint(log: Log, events: Events, at_us: int) -> str:
    """The same bits of the verdicts, the same text."""
    return _bits(verdicts(events, log.promises, log.calendars, at_us))


def _bits(rows: Verdicts) -> str:
    digest = hashlib.sha256()
    for column in rows:
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def taken(events: Events, which: NDArray[Any] | slice) -> Events:
    return Events._make(column[which] for column in events)


def test_the_order_of_arrival_does_not_change_a_bit(log: Log) -> None:
    rng = np.random.default_rng(5)
    # Instants that coincide within a unit are decided by arrival: make them differ.
    events = log.events._replace(ts=log.events.ts // 1000 * 1000 + log.events.kind)
    expected = fingerprint(log, events, log.at_us)

    found = {
        fingerprint(log, taken(events, rng.permutation(events.ts.size)), log.at_us)
        for _ in range(100)
    }

    assert found == {expected}


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_one_promise_at_a_time_is_the_whole_log_bit_for_bit(log: Log, data: st.DataObject) -> None:
    at = data.draw(st.integers(int(log.events.ts.min()), log.at_us))
    whole = verdicts(log.events, log.promises, log.calendars, at)

    for p in range(log.promises.cls.size):
        mine = taken(log.events, log.events.promise == p)
        alone = verdicts(mine, log.promises, log.calendars, at)
        rows = Verdicts._make(column[whole.promise == p] for column in whole)
        assert _bits(rows) == _bits(alone)


def test_a_verdict_changes_by_itself_when_it_said_that_it_would(log: Log) -> None:
    flows = log.promises.cls[log.events.promise] == PromiseClass.FLOW
    starts = log.events.ts[flows & (log.events.kind == EventKind.START)]
    middle = int(np.sort(starts)[starts.size // 2])
    later = middle + 10 * 86_400_000_000
    arrived = taken(log.events, log.events.ts <= middle)

    before = verdicts(arrived, log.promises, log.calendars, middle)
    after = verdicts(arrived, log.promises, log.calendars, later)

    due = (before.next_check_us >= 0) & (before.next_check_us <= later)
    changed = (before.state != after.state) | (before.warn != after.warn)
    assert changed.sum() > 0
    assert due.tolist() == changed.tolist()


def test_an_event_of_the_future_has_no_effect_before_it_happens(log: Log) -> None:
    start, stop = log.at_us, log.at_us + 60_000_000
    told = event_columns([Event(start, 0, 1, EventKind.START), Event(stop, 0, 1, EventKind.STOP)])

    states = [
        verdicts(told, log.promises, log.calendars, at).state.tolist() for at in (stop - 1, stop)
    ]

    assert states == [[ClockState.RUNNING], [ClockState.KEPT]]


def test_nothing_promised_and_nothing_happened_is_an_empty_answer(log: Log) -> None:
    nothing = taken(log.events, slice(0))
    nobody = Promises(log.promises.terms[:0], log.promises.marks[:0])

    for promises in (nobody, log.promises):
        assert verdicts(nothing, promises, log.calendars, log.at_us).unit.size == 0
