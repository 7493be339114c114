"""A whole log at once: threads over promises, largest run first, each run one compiled call."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from queue import SimpleQueue
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.kernels.batch import HorizonTooShort, beyond, check_horizon, checked
from domain.kernels.burn import Limits, alarms, burning, limits_for
from domain.kernels.columns import Calendars, Events, Promises
from domain.kernels.gist import Gist, Room, gist, room_for
from domain.kernels.layout import Sealed, counted, empty_sealed, order, scatter
from domain.kernels.lists import LateList, OpenList
from domain.kernels.spans import Spans
from domain.kernels.windows import WindowRows, window_rows

RUNS_PER_THREAD = 12  # small enough to balance a skewed log, large enough that calls are free


class Replay(NamedTuple):
    """Everything that follows from a log at one instant."""

    windows: WindowRows  # by promise and span
    late: LateList
    open: OpenList
    pages: NDArray[np.int64]  # (promises,) decided parts at which the budget burned fast
    tickets: NDArray[np.int64]  # (promises,) … or slowly


def replay(
    events: Events,
    promises: Promises,
    calendars: Calendars,
    at_us: int,
    spans: Spans,
    *,
    threads: int = 2,
    period_days: int = 30,
) -> Replay:
    """Evaluate a log in arrival order; see `verdicts` for the errors."""
    events = checked(events, promises, calendars)
    with ThreadPoolExecutor(threads) as pool:
        sealed = _scattered(pool, threads, events, promises)
        return _evaluated(
            pool, threads, sealed, promises, calendars, at_us, spans, period_days, ordered=False
        )


def replay_sealed(
    sealed: Sealed,
    promises: Promises,
    calendars: Calendars,
    at_us: int,
    spans: Spans,
    *,
    threads: int = 2,
    period_days: int = 30,
) -> Replay:
    """Evaluate a log that `sealed_log` has laid out before."""
    with ThreadPoolExecutor(threads) as pool:
        return _evaluated(
            pool, threads, sealed, promises, calendars, at_us, spans, period_days, ordered=True
        )


def sealed_log(events: Events, promises: Promises, *, threads: int = 2) -> Sealed:
    """Lay a log out for reading, to be evaluated many times."""
    with ThreadPoolExecutor(threads) as pool:
        sealed = _scattered(pool, threads, events, promises)
        runs = _runs(sealed, threads)
        list(pool.map(lambda run: order(sealed, promises, *run), runs))
    return sealed


def _scattered(
    pool: ThreadPoolExecutor, threads: int, events: Events, promises: Promises
) -> Sealed:
    """Bring events to their promise: every thread a stretch of the log, in order of arrival."""
    edges = [events.ts.size * i // threads for i in range(threads + 1)]
    stretches = list(pairwise(edges))
    p = promises.cls.size
    counts = list(pool.map(lambda s: counted(events, s[0], s[1], p), stretches))
    first = np.cumsum(np.sum(counts, axis=0))
    sealed, starts = empty_sealed(first), []
    at = first[:-1].copy()
    for count in counts:
        starts.append(at.copy())
        at += count[1:]
    jobs = [
        pool.submit(scatter, events, lo, hi, sealed, start, promises)
        for (lo, hi), start in zip(stretches, starts, strict=True)
    ]
    for job in jobs:
        job.result()
    return sealed


def _runs(sealed: Sealed, threads: int) -> list[tuple[int, int]]:
    """Cut the promises into runs of about the same number of events, largest first."""
    promises = sealed.first.size - 1
    if promises == 0:
        return [(0, 0)]
    enough = max(1, sealed.ts.size // (threads * RUNS_PER_THREAD))
    edges = [0]
    for p in range(1, promises + 1):
        if sealed.first[p] - sealed.first[edges[-1]] >= enough or p == promises:
            edges.append(p)
    runs = pairwise(edges)
    return sorted(runs, key=lambda run: int(sealed.first[run[0]] - sealed.first[run[1]]))


def _evaluated(
    pool: ThreadPoolExecutor,
    threads: int,
    sealed: Sealed,
    promises: Promises,
    calendars: Calendars,
    at_us: int,
    spans: Spans,
    period_days: int,
    *,
    ordered: bool,
) -> Replay:
    check_horizon(sealed.ts, promises, calendars, at_us)
    limits = limits_for(promises, period_days)
    runs = _runs(sealed, threads)
    largest = max(int(sealed.first[b] - sealed.first[a]) for a, b in runs)
    free: SimpleQueue[Room] = SimpleQueue()
    for _ in range(threads):
        free.put(room_for(largest))

    def run(edges: tuple[int, int]) -> Replay:
        if not ordered:
            order(sealed, promises, *edges)
        room = free.get()
        try:
            found = gist(sealed, promises, calendars, at_us, *edges, room)
        finally:
            free.put(room)
        if found.beyond >= 0:
            raise HorizonTooShort(beyond(found.beyond))
        return _run(found, promises, spans, limits, edges)

    found = dict(zip(runs, pool.map(run, runs), strict=True))
    return _joined([found[edges] for edges in sorted(runs)])


def _run(
    found: Gist, promises: Promises, spans: Spans, limits: Limits, edges: tuple[int, int]
) -> Replay:
    done = found.done
    return Replay(
        window_rows(done, promises, spans, *edges),
        found.late,
        found.open,
        *alarms(burning(done, limits, *edges), done.first),
    )


def _joined(parts: list[Replay]) -> Replay:
    """Put runs, in order of promise, behind each other."""
    return Replay(
        WindowRows._make(np.concatenate(c) for c in zip(*(p.windows for p in parts), strict=True)),
        LateList._make(np.concatenate(c) for c in zip(*(p.late for p in parts), strict=True)),
        OpenList._make(np.concatenate(c) for c in zip(*(p.open for p in parts), strict=True)),
        np.concatenate([p.pages for p in parts]),
        np.concatenate([p.tickets for p in parts]),
    )
