"""Appending a log in any pieces, in any order, gives what one batch gives, bit for bit."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.kernels import (
    Event,
    EventKind,
    Events,
    PromiseClass,
    State,
    Verdicts,
    event_columns,
    verdicts,
)
from domain.kernels.live import LiveVerdicts
from tests.bench.log import Log, synthetic


@pytest.fixture(scope="module")
def log() -> Log:
    return synthetic(6_000, promises=12)


def fingerprint(rows: Verdicts) -> str:
    """The same bits, the same text."""
    digest = hashlib.sha256()
    for column in rows:
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def taken(events: Events, which: slice | np.ndarray) -> Events:
    return Events._make(column[which] for column in events)


def batch(log: Log, events: Events, at: int) -> str:
    return fingerprint(verdicts(events, log.promises, log.calendars, at))


@pytest.mark.slow
def test_five_hundred_splits_and_shuffles_give_the_same_bits(log: Log) -> None:
    # Instants that coincide within a unit are decided by arrival: make them differ.
    events = log.events._replace(ts=log.events.ts // 1000 * 1000 + log.events.kind)
    expected, rng = batch(log, events, log.at_us), np.random.default_rng(5)

    found = set()
    for _ in range(500):
        shuffled = taken(events, rng.permutation(events.ts.size))
        live = LiveVerdicts(log.promises, log.calendars)
        edges = np.sort(rng.integers(0, events.ts.size, rng.integers(0, 12)))
        for piece in np.split(np.arange(events.ts.size), edges):
            live.append(taken(shuffled, piece), int(rng.integers(log.events.ts[0], log.at_us)))
        found.add(fingerprint(live.everything(log.at_us)))

    assert found == {expected}


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_prefix_equals_its_batch_at_every_instant(log: Log, data: st.DataObject) -> None:
    n = log.events.ts.size
    edges = sorted(data.draw(st.lists(st.integers(0, n), max_size=5)))
    live, start = LiveVerdicts(log.promises, log.calendars), 0
    for end in edges:
        live.append(taken(log.events, slice(start, end)), log.at_us)
        start = end
        at = data.draw(st.integers(int(log.events.ts.min()), log.at_us))
        assert fingerprint(live.everything(at)) == batch(log, taken(log.events, slice(end)), at)


def test_an_append_returns_the_rows_it_revised_and_no_others(log: Log) -> None:
    live = LiveVerdicts(log.promises, log.calendars)
    live.append(log.events, log.at_us)
    whole = verdicts(log.events, log.promises, log.calendars, log.at_us)
    i = int(np.flatnonzero(whole.state == 5)[0])
    late_word = Event(
        int(whole.started_us[i]) + 1, int(whole.promise[i]), int(whole.unit[i]), EventKind.PAUSE
    )

    rows = live.append(event_columns([late_word]), log.at_us)

    events = Events._make(
        np.concatenate([getattr(log.events, name), getattr(event_columns([late_word]), name)])
        for name in Events._fields
    )
    after = verdicts(events, log.promises, log.calendars, log.at_us)
    mine = (after.promise == late_word.promise) & (after.unit == late_word.unit)
    assert fingerprint(rows) == fingerprint(Verdicts._make(column[mine] for column in after))


def test_a_state_survives_as_bytes_and_goes_on(log: Log) -> None:
    half = log.events.ts.size // 2
    live = LiveVerdicts(log.promises, log.calendars)
    live.append(taken(log.events, slice(half)), log.at_us)

    restored = LiveVerdicts.from_bytes(live.to_bytes(), log.promises, log.calendars)
    restored.append(taken(log.events, slice(half, None)), log.at_us)

    assert fingerprint(restored.everything(log.at_us)) == batch(log, log.events, log.at_us)
    other = log.promises._replace(terms=log.promises.terms[:3])
    with pytest.raises(ValueError, match="other promises"):
        LiveVerdicts.from_bytes(live.to_bytes(), other, log.calendars)


def test_one_promise_reads_as_its_rows_of_the_whole(log: Log) -> None:
    live = LiveVerdicts(log.promises, log.calendars)
    live.append(log.events, log.at_us)

    whole = live.everything(log.at_us)

    for p in range(log.promises.cls.size):
        mine = Verdicts._make(column[whole.promise == p] for column in whole)
        assert fingerprint(live.of_promise(p, log.at_us)) == fingerprint(mine)


def test_what_is_due_is_what_changes_by_itself(log: Log) -> None:
    flows = log.promises.cls[log.events.promise] == PromiseClass.FLOW
    starts = log.events.ts[flows & (log.events.kind == EventKind.START)]
    middle = int(np.sort(starts)[starts.size // 2])
    later = middle + 10 * 86_400_000_000
    arrived = taken(log.events, log.events.ts <= middle)
    live = LiveVerdicts(log.promises, log.calendars)
    live.append(arrived, middle)

    due = live.due(later)

    before = verdicts(arrived, log.promises, log.calendars, middle)
    after = verdicts(arrived, log.promises, log.calendars, later)
    changed = (before.state != after.state) | (before.warn != after.warn)
    assert changed.sum() > 0
    assert set(zip(due.promise.tolist(), due.unit.tolist(), strict=True)) == set(
        zip(after.promise[changed].tolist(), after.unit[changed].tolist(), strict=True)
    )
    assert (live.due(later).promise.size, later) == (0, later)


def test_an_event_told_before_it_happens_is_due_when_it_does(log: Log) -> None:
    start, stop = log.at_us, log.at_us + 60_000_000
    live = LiveVerdicts(log.promises, log.calendars)
    told = [Event(start, 0, 1, EventKind.START), Event(stop, 0, 1, EventKind.STOP)]

    [state] = live.append(event_columns(told), start).state

    assert (state, live.due(stop - 1).unit.tolist()) == (State.RUNNING, [])
    assert live.due(stop).state.tolist() == [State.KEPT]
