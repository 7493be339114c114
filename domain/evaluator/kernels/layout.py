"""Layout of events for reading: per promise, per unit, by (ts, seq)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.evaluator.kernels.codes import PromiseClass
from domain.evaluator.kernels.columns import CLS, Events, Promises
from domain.evaluator.kernels.compilation import kernel, leaf, step

POINT = int(PromiseClass.POINT)
SHORT = 32  # insertion sort up to here, merge sort above: a unit with 10,000 events stays cheap


class Sealed(NamedTuple):
    """Events in reading order; those of promise p are `first[p]:first[p + 1]`."""

    first: NDArray[np.int64]  # (promises + 1,)
    ts: NDArray[np.int64]  # (events,)
    unit: NDArray[np.int32]  # (events,) ascending within a promise
    code: NDArray[np.uint8]  # (events,) kind | priority << 4
    value: NDArray[np.float32]  # (events,) of POINT promises


@leaf
def kind_of(code: int) -> int:
    """Return the EventKind in a code; signed, because numba would make a float of it."""
    return int(np.int64(code) & 15)


@leaf
def priority_of(code: int) -> int:
    """Return the priority in a code."""
    return int(np.int64(code) >> 4)


@kernel
def seal(events: Events, promises: Promises) -> Sealed:
    """Arrange events for reading."""
    first = np.cumsum(counted(events, 0, events.ts.size, promises.terms.shape[0]))
    sealed = empty_sealed(first)
    scatter(events, 0, events.ts.size, sealed, first[:-1].copy(), promises)
    order(sealed, promises, 0, promises.terms.shape[0])
    return sealed


@kernel
def counted(events: Events, lo: int, hi: int, promises: int) -> NDArray[np.int64]:
    """Count the events lo..hi-1 of each promise, after a 0; (promises + 1,)."""
    counts = np.zeros(promises + 1, np.int64)
    for p in events.promise[lo:hi]:
        counts[p + 1] += 1
    return counts


@kernel
def empty_sealed(first: NDArray[np.int64]) -> Sealed:
    """Allocate the columns for the events of every promise."""
    n = first[-1]
    return Sealed(
        first,
        np.empty(n, np.int64),
        np.empty(n, np.int32),
        np.empty(n, np.uint8),
        np.empty(n, np.float32),
    )


@kernel
def scatter(
    events: Events, lo: int, hi: int, sealed: Sealed, at: NDArray[np.int64], promises: Promises
) -> None:
    """Copy the events lo..hi-1 to their promise; `at` is the next position of each promise."""
    for i in range(lo, hi):
        p = events.promise[i]
        j = at[p]
        at[p] = j + 1
        sealed.ts[j] = events.ts[i]
        sealed.unit[j] = events.unit[i]
        sealed.code[j] = events.kind[i] | (events.priority[i] << 4)
        if promises.terms[p, CLS] == POINT:  # 4 bytes per event that only POINT needs
            sealed.value[j] = events.value[i]


@kernel
def order(sealed: Sealed, promises: Promises, p_from: int, p_until: int) -> None:
    """Sort each promise's events from the order of arrival into unit, ts, seq; in place."""
    for p in range(p_from, p_until):
        a, b = sealed.first[p], sealed.first[p + 1]
        if b - a > 1:
            _order(
                sealed.ts[a:b],
                sealed.unit[a:b],
                sealed.code[a:b],
                sealed.value[a:b],
                promises.terms[p, CLS] == POINT,
            )


@step
def _order(
    ts: NDArray[np.int64],
    unit: NDArray[np.int32],
    code: NDArray[np.uint8],
    value: NDArray[np.float32],
    valued: bool,
) -> None:
    n = ts.size
    to = places(unit)
    new_ts, new_unit = np.empty_like(ts), np.empty_like(unit)
    new_code = np.empty_like(code)
    for i in range(n):
        j = to[i]
        new_ts[j], new_unit[j], new_code[j] = ts[i], unit[i], code[i]
    if valued:
        new_value = np.empty_like(value)
        for i in range(n):
            new_value[to[i]] = value[i]
        value[:] = new_value
    ts[:], unit[:], code[:] = new_ts, new_unit, new_code
    a = 0
    while a < n:
        b = a + 1
        ascending = True
        while b < n and unit[b] == unit[a]:
            ascending &= ts[b - 1] <= ts[b]
            b += 1
        if not ascending:
            order_unit(ts[a:b], code[a:b], value[a:b])
        a = b


@step
def places(unit: NDArray[np.int32]) -> NDArray[np.int64]:
    """Where each event goes when units are put together, in order of arrival within each.

    Counted where the units are dense, sorted where they are not.
    """
    low, high = np.int64(unit.min()), np.int64(unit.max())
    to = np.empty(unit.size, np.int64)
    if high - low >= 4 * unit.size + 64:
        order = np.argsort(unit, kind="mergesort")
        for i in range(unit.size):
            to[order[i]] = i
        return to
    at = np.zeros(high - low + 2, np.int64)
    for u in unit:
        at[u - low + 1] += 1
    for u in range(high - low + 1):
        at[u + 1] += at[u]
    for i in range(unit.size):
        u = unit[i] - low
        to[i] = at[u]
        at[u] += 1
    return to


@step
def order_unit(ts: NDArray[np.int64], code: NDArray[np.uint8], value: NDArray[np.float32]) -> None:
    """Sort one unit's events by ts, in place; equal instants keep their order of arrival."""
    if ts.size > SHORT:
        order = np.argsort(ts, kind="mergesort")
        ts[:], code[:], value[:] = ts[order], code[order], value[order]
        return
    for i in range(1, ts.size):
        t, c, v = ts[i], code[i], value[i]
        j = i
        while j > 0 and ts[j - 1] > t:
            ts[j], code[j], value[j] = ts[j - 1], code[j - 1], value[j - 1]
            j -= 1
        ts[j], code[j], value[j] = t, c, v
