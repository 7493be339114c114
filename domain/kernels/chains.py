"""Events kept per unit as they come: a hash table of units, a chain of events for each.

Appending walks nothing when events come in order of time, and only its own unit's chain when not.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.kernels.clock import BEYOND
from domain.kernels.columns import CALENDAR, Calendars, Events, Promises
from domain.kernels.jit import kernel, leaf
from domain.kernels.judge import Rows, judge_unit

NONE = -1


class Store(NamedTuple):
    """Growable columns; `used` says how much of them holds."""

    used: NDArray[np.int64]  # (3,) events, units, appends so far
    ts: NDArray[np.int64]  # (events,)
    code: NDArray[np.uint8]  # (events,) kind | priority << 4
    value: NDArray[np.float32]  # (events,)
    next: NDArray[np.int32]  # (events,) next event of the unit by (ts, seq)
    key: NDArray[np.int64]  # (units,) promise << 32 | unit + 2**31: sorts like (promise, unit)
    head: NDArray[np.int32]  # (units,) first event
    tail: NDArray[np.int32]  # (units,) last event
    size: NDArray[np.int32]  # (units,) events
    touched: NDArray[np.int64]  # (units,) number of the append that touched it last
    check: NDArray[np.int64]  # (units,) instant at which it changes by itself, -1 = never
    sibling: NDArray[np.int32]  # (units,) next unit of the same promise
    eldest: NDArray[np.int32]  # (promises,) first unit of the promise
    table: NDArray[np.int32]  # (2**k,) slot of a unit, open addressing


@leaf
def key_of(promise: int, unit: int) -> int:
    """One number for a unit of a promise."""
    return int((np.int64(promise) << 32) + np.int64(unit) + (1 << 31))


@leaf
def place(key: NDArray[np.int64], table: NDArray[np.int32], wanted: int) -> int:
    """Where in the table a key is, or would be."""
    mask = table.size - 1
    mixed = np.uint64(wanted) * np.uint64(0x9E3779B97F4A7C15)
    at = np.int64(mixed >> np.uint64(20)) & mask
    while table[at] != NONE and key[table[at]] != wanted:
        at = (at + 1) & mask
    return int(at)


@kernel
def index(store: Store) -> None:
    """Fill an empty table with the units there are."""
    for slot in range(store.used[1]):
        store.table[place(store.key, store.table, store.key[slot])] = slot


@kernel
def add(store: Store, events: Events) -> tuple[NDArray[np.int64], int]:
    """Append events, for which there is room.

    Returns the slots of the units they touch, and how many events those have.
    """
    (
        used,
        ts,
        code,
        value,
        following,
        key,
        head,
        tail,
        size,
        touched,
        check,
        sibling,
        eldest,
        table,
    ) = store
    slots = np.empty(events.ts.size, np.int64)
    count = 0
    used[2] += 1
    for i in range(events.ts.size):
        promise, unit, t = events.promise[i], events.unit[i], events.ts[i]
        wanted = key_of(promise, unit)
        at = place(key, table, wanted)
        new, slot = used[0], table[at]
        used[0] += 1
        ts[new], value[new], following[new] = t, events.value[i], NONE
        code[new] = events.kind[i] | (events.priority[i] << 4)
        if slot == NONE:
            slot = used[1]
            used[1] += 1
            table[at], key[slot] = slot, wanted
            sibling[slot], eldest[promise] = eldest[promise], slot
            head[slot] = tail[slot] = new
            size[slot], touched[slot], check[slot] = 0, 0, -1
        elif ts[tail[slot]] <= t:
            following[tail[slot]] = new
            tail[slot] = new
        elif t < ts[head[slot]]:
            following[new] = head[slot]
            head[slot] = new
        else:
            before = head[slot]
            while ts[following[before]] <= t:
                before = following[before]
            following[new] = following[before]
            following[before] = new
        size[slot] += 1
        if touched[slot] != used[2]:
            touched[slot] = used[2]
            slots[count] = slot
            count += 1
    touching = 0
    for slot in slots[:count]:
        touching += size[slot]
    return slots[:count], touching


@kernel
def siblings(store: Store, promise: int) -> NDArray[np.int64]:
    """Slots of one promise's units, by unit."""
    count, slot = 0, store.eldest[promise]
    while slot != NONE:
        count += 1
        slot = store.sibling[slot]
    slots, keys = np.empty(count, np.int64), np.empty(count, np.int64)
    slot = store.eldest[promise]
    for i in range(count):
        slots[i], keys[i] = slot, store.key[slot]
        slot = store.sibling[slot]
    return slots[np.argsort(keys)]


@kernel
def judge_slots(
    store: Store,
    slots: NDArray[np.int64],
    promises: Promises,
    calendars: Calendars,
    at: int,
    warn_ppm: NDArray[np.int64],
    out: Rows,
) -> int:
    """Write the rows of some units into `out`, note their next checks; return how many rows.

    -1 - p when a deadline of promise p lies beyond its calendar.
    """
    longest, beyond = 0, -1
    for slot in slots:
        longest = max(longest, store.size[slot])
    ts, code = np.empty(longest, np.int64), np.empty(longest, np.uint8)
    value = np.empty(longest, np.float32)
    row = 0
    for slot in slots:
        event, n = store.head[slot], store.size[slot]
        for i in range(n):
            ts[i], code[i], value[i] = store.ts[event], store.code[event], store.value[event]
            event = store.next[event]
        p = store.key[slot] >> 32
        unit = (store.key[slot] & 0xFFFFFFFF) - (1 << 31)
        terms = promises.terms[p]
        head = calendars.head[terms[CALENDAR]]
        before = row
        row = judge_unit(
            ts, code, value, 0, n, p, unit, terms, promises.marks[p], head, calendars.data, at,
            warn_ppm, out, row,
        )  # fmt: skip
        check = np.int64(-1)
        for i in range(n - 1, -1, -1):  # an event that is told before it happens
            if ts[i] <= at:
                break
            check = ts[i]
        for r in range(before, row):
            if out[r].breach_us == BEYOND:
                beyond = p
            if out[r].next_check_us >= 0 and (check < 0 or out[r].next_check_us < check):
                check = out[r].next_check_us
        store.check[slot] = check
    return row if beyond < 0 else -1 - beyond
