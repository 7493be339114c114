"""Verdicts that keep up with a log: append what is new, get back what it changed.

Equal, bit for bit, to `verdicts` over all events so far, whatever the log was split into.
"""

import io
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from domain.kernels.batch import (
    WARN_PPM,
    HorizonTooShort,
    beyond,
    check_within,
    checked,
    horizon,
)
from domain.kernels.chains import NONE, Store, add, index, judge_slots, siblings
from domain.kernels.columns import VERDICT, Calendars, Events, Promises, Verdicts

_EVENTS = ("ts", "code", "value", "next")
_UNITS = ("key", "head", "tail", "size", "touched", "check", "sibling")


class LiveVerdicts:
    """All events so far, by unit. Not for several threads at once."""

    def __init__(
        self, promises: Promises, calendars: Calendars, *, warn_ppm: Sequence[int] = WARN_PPM
    ) -> None:
        self.promises, self.calendars = promises, calendars
        self.warn_ppm = np.array(warn_ppm, np.int64)
        self.store = _empty(promises.cls.size)
        self._within = horizon(promises, calendars)

    def append(self, events: Events, at_us: int) -> Verdicts:
        """Take new events in order of arrival; return the rows, at `at_us`, of the units they touch.

        In order of first touch. Events later than `at_us` are kept and have no effect yet. Costs
        what the events and the units they touch cost, however long the log is.
        """
        events = checked(events, self.promises, self.calendars)
        check_within(events.ts, self._within, at_us)
        self._make_room(events.ts.size)
        return self._judged(*add(self.store, events), at_us)

    def due(self, at_us: int) -> Verdicts:
        """Rows of the units whose state or warning has changed by `at_us` without an event.

        Looks at 8 bytes per unit.
        """
        check = self.store.check[: self.store.used[1]]
        return self._of(np.flatnonzero((check >= 0) & (check <= at_us)), at_us)

    def of_promise(self, promise: int, at_us: int) -> Verdicts:
        """Rows of one promise, by unit and part."""
        return self._of(siblings(self.store, promise), at_us)

    def everything(self, at_us: int) -> Verdicts:
        """All rows, by promise, unit, part: what `verdicts` returns."""
        return self._of(np.argsort(self.store.key[: self.store.used[1]]), at_us)

    def to_bytes(self) -> bytes:
        """Return the state; `from_bytes` restores it with the same promises."""
        events, units, _ = self.store.used
        out = io.BytesIO()
        np.savez(
            out,
            used=self.store.used,
            eldest=self.store.eldest,
            **{name: getattr(self.store, name)[:events] for name in _EVENTS},
            **{name: getattr(self.store, name)[:units] for name in _UNITS},
        )
        return out.getvalue()

    @classmethod
    def from_bytes(cls, state: bytes, promises: Promises, calendars: Calendars) -> Self:
        """Restore a state; ValueError when it belongs to another number of promises."""
        live = cls(promises, calendars)
        with np.load(io.BytesIO(state), allow_pickle=False) as stored:
            if stored["eldest"].size != promises.cls.size:
                raise ValueError("this state belongs to other promises")
            columns = {name: stored[name] for name in stored.files}
        live.store = _indexed(live.store._replace(**columns))
        return live

    def _of(self, slots: NDArray[np.int64], at_us: int) -> Verdicts:
        return self._judged(slots, int(self.store.size[slots].sum()), at_us)

    def _judged(self, slots: NDArray[np.int64], events: int, at_us: int) -> Verdicts:
        out = np.empty(events, VERDICT)  # a record array takes 10 µs more to make and to read
        n = judge_slots(self.store, slots, self.promises, self.calendars, at_us, self.warn_ppm, out)
        if n < 0:
            raise HorizonTooShort(beyond(-1 - n))
        return Verdicts(*(out[name][:n] for name in Verdicts._fields))

    def _make_room(self, more: int) -> None:
        events, units, _ = self.store.used.tolist()
        if events + more > self.store.ts.size:
            self.store = _grown(self.store, _EVENTS, events, 2 * (events + more))
        if units + more > self.store.key.size:
            self.store = _grown(self.store, _UNITS, units, 2 * (units + more))
        if 2 * (units + more) > self.store.table.size:
            self.store = _indexed(self.store)


def _empty(promises: int) -> Store:
    def small(n: int) -> NDArray[np.int32]:
        return np.full(n, NONE, np.int32)

    def wide(n: int) -> NDArray[np.int64]:
        return np.zeros(n, np.int64)

    room = 64
    return Store(
        used=wide(3),
        ts=wide(room),
        code=np.zeros(room, np.uint8),
        value=np.zeros(room, np.float32),
        next=small(room),
        key=wide(room),
        head=small(room),
        tail=small(room),
        size=small(room),
        touched=wide(room),
        check=wide(room),
        sibling=small(room),
        eldest=small(promises),
        table=small(4 * room),
    )


def _grown(store: Store, names: Sequence[str], used: int, room: int) -> Store:
    """Copy into columns of twice the size, so that a long log is copied once per event."""
    grown = {}
    for name in names:
        old = getattr(store, name)
        grown[name] = np.empty(room, old.dtype)
        grown[name][:used] = old[:used]
    return store._replace(**grown)


def _indexed(store: Store) -> Store:
    """Give the store a table four times its units and fill it."""
    room = 1 << int(4 * max(store.key.size, 64) - 1).bit_length()
    store = store._replace(table=np.full(room, NONE, np.int32))
    index(store)
    return store
