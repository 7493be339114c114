"""A whole log at once says what the small calls say, from any order and any number of threads."""

import hashlib

import numpy as np
import pytest

from domain.kernels import Calendars, Events, HorizonTooShort, Promises
from domain.kernels.batch import judged
from domain.kernels.burn import PAGE, TICKET, burning, limits_for
from domain.kernels.columns import PRIORITIES, TARGET
from domain.kernels.lists import late_list, open_list
from domain.kernels.replay import Replay, replay, replay_sealed, sealed_log
from domain.kernels.windows import decided, window_rows
from tests.bench.log import Log, synthetic


@pytest.fixture(scope="module")
def log() -> Log:
    return synthetic(30_000, promises=25)


def fingerprint(found: Replay) -> str:
    """The same bits, the same text."""
    digest = hashlib.sha256()
    for part in (*found.windows, *found.late, *found.open, found.pages, found.tickets):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def test_a_replay_is_the_small_calls_put_together(log: Log) -> None:
    p = log.promises.cls.size

    found = replay(log.events, log.promises, log.calendars, log.at_us, log.spans)

    rows = judged(log.events, log.promises, log.calendars, log.at_us)
    done = decided(rows, 0, p)
    says = burning(done, limits_for(log.promises), 0, p)
    whose = np.repeat(np.arange(p), np.diff(done.first))
    small = Replay(
        window_rows(done, log.promises, log.spans, 0, p),
        late_list(rows),
        open_list(rows, 0, p),
        np.bincount(whose[(says & PAGE) > 0], minlength=p),
        np.bincount(whose[(says & TICKET) > 0], minlength=p),
    )
    assert fingerprint(found) == fingerprint(small)
    assert found.late.unit.size > 100
    assert found.tickets.sum() > 0


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_and_sealing_do_not_change_a_bit(log: Log, threads: int) -> None:
    args = (log.promises, log.calendars, log.at_us, log.spans)

    sealed = sealed_log(log.events, log.promises, threads=threads)

    assert fingerprint(replay_sealed(sealed, *args, threads=threads)) == fingerprint(
        replay(log.events, *args, threads=threads)
    )
    assert fingerprint(replay(log.events, *args, threads=threads)) == fingerprint(
        replay(log.events, *args, threads=1)
    )


def test_the_order_of_arrival_does_not_change_a_bit(log: Log) -> None:
    rng = np.random.default_rng(7)
    args = (log.promises, log.calendars, log.at_us, log.spans)
    # Instants that coincide within a unit are decided by arrival: make them differ.
    ts = log.events.ts // 1000 * 1000 + log.events.kind
    events = log.events._replace(ts=ts)
    expected = fingerprint(replay(events, *args))

    for _ in range(5):
        order = rng.permutation(ts.size)
        assert fingerprint(replay(Events._make(c[order] for c in events), *args)) == expected


def test_nothing_promised_and_nothing_happened_is_an_empty_answer(log: Log) -> None:
    nothing = Events._make(column[:0] for column in log.events)
    nobody = Promises(log.promises.terms[:0], log.promises.marks[:0])
    calendars: Calendars = log.calendars

    for promises in (nobody, log.promises):
        found = replay(nothing, promises, calendars, log.at_us, log.spans)
        assert found.windows.n.size == found.late.unit.size == 0
        assert found.open.running.size == promises.cls.size


def test_a_deadline_beyond_the_calendar_stops_the_whole_replay(log: Log) -> None:
    forever = log.promises.terms.copy()
    forever[:, TARGET : TARGET + PRIORITIES] = 10**16
    promises = log.promises._replace(terms=forever)

    with pytest.raises(HorizonTooShort):
        replay(log.events, promises, log.calendars, log.at_us, log.spans)
