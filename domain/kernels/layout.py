"""Events laid out for reading: per promise, per unit, by (ts, seq)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.kernels.columns import Events
from domain.kernels.jit import kernel, step

SHORT = 32  # insertion sort up to here, merge sort above: a unit with 10,000 events stays cheap


class Sealed(NamedTuple):
    """Events in reading order; those of promise p are `first[p]:first[p + 1]`."""

    first: NDArray[np.int64]  # (promises + 1,)
    ts: NDArray[np.int64]  # (events,)
    unit: NDArray[np.int32]  # (events,) ascending within a promise
    code: NDArray[np.uint8]  # (events,) kind | priority << 4
    value: NDArray[np.float32]  # (events,)


@step
def kind_of(code: int) -> int:
    """EventKind in a code; signed, or numba makes a float of it."""
    return int(np.int64(code) & 15)


@step
def priority_of(code: int) -> int:
    """Priority in a code."""
    return int(np.int64(code) >> 4)


@kernel
def seal(events: Events, promises: int) -> Sealed:
    """Lay events out for reading. Events of promises outside 0..promises-1 are left out."""
    first = np.zeros(promises + 1, np.int64)
    for p in events.promise:
        if 0 <= p < promises:
            first[p + 1] += 1
    for p in range(promises):
        first[p + 1] += first[p]
    n = first[promises]
    sealed = Sealed(
        first,
        np.empty(n, np.int64),
        np.empty(n, np.int32),
        np.empty(n, np.uint8),
        np.empty(n, np.float32),
    )
    at = first[:-1].copy()
    for i in range(events.ts.size):
        p = events.promise[i]
        if 0 <= p < promises:
            j = at[p]
            at[p] = j + 1
            sealed.ts[j] = events.ts[i]
            sealed.unit[j] = events.unit[i]
            sealed.code[j] = events.kind[i] | (events.priority[i] << 4)
            sealed.value[j] = events.value[i]
    for p in range(promises):
        order_promise(sealed, first[p], first[p + 1])
    return sealed


@step
def order_promise(sealed: Sealed, lo: int, hi: int) -> None:
    """Bring one promise's events, in arrival order, into the order unit, ts, seq."""
    n = hi - lo
    if n < 2:
        return
    order = by_unit(sealed.unit[lo:hi])
    ts, unit = sealed.ts[lo:hi][order], sealed.unit[lo:hi][order]
    code, value = sealed.code[lo:hi][order], sealed.value[lo:hi][order]
    a = 0
    while a < n:
        b = a + 1
        sorted_already = True
        while b < n and unit[b] == unit[a]:
            sorted_already &= ts[b - 1] <= ts[b]
            b += 1
        if not sorted_already:
            order_unit(ts[a:b], code[a:b], value[a:b])
        a = b
    sealed.ts[lo:hi], sealed.unit[lo:hi] = ts, unit
    sealed.code[lo:hi], sealed.value[lo:hi] = code, value


@step
def by_unit(unit: NDArray[np.int32]) -> NDArray[np.int64]:
    """Stable order by unit: counted where the units are dense, sorted where they are not."""
    low, high = np.int64(unit.min()), np.int64(unit.max())
    if high - low >= 4 * unit.size + 64:
        return np.argsort(unit, kind="mergesort")
    at = np.zeros(high - low + 2, np.int64)
    for u in unit:
        at[u - low + 1] += 1
    for u in range(high - low + 1):
        at[u + 1] += at[u]
    order = np.empty(unit.size, np.int64)
    for i in range(unit.size):
        u = unit[i] - low
        order[at[u]] = i
        at[u] += 1
    return order


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
