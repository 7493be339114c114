"""Outbound buffer of one connection: writes through while the client reads, buffers a bounded amount otherwise."""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

from realtime.source import SourceEvent

ROOM_BYTES = 256 * 1024
"""Limit of one connection's buffer, without the bytes already in the transport. Payloads are shared between buffers."""


class OperationOutput(Protocol):
    """One operation that writes its responses to an outbound buffer."""

    reached: int

    def framed(self, payloads: Sequence[bytes]) -> bytes:
        """Return these payloads with the framing of the transport."""
        ...

    def on_overflow(self) -> None:
        """Stop the operation because its buffer is full; it sent no event after `reached`."""
        ...


class OutboundBuffer(ABC):
    """Buffer what one connection cannot take yet. While `flowing` is true, writes go to the transport directly."""

    __slots__ = (
        "_buffered",
        "_bytes",
        "_count",
        "_held",
        "_paused",
        "_waiting",
        "flowing",
        "write",
    )

    write: Callable[[bytes], None]

    def __init__(self) -> None:
        self.flowing = True
        self._paused = False
        self._held: (
            dict[Hashable, tuple[OperationOutput | None, SourceEvent | None, bytes]] | None
        ) = None
        self._buffered: Counter[OperationOutput] | None = None
        self._bytes = 0
        self._count = 0
        self._waiting: list[asyncio.Future[None]] | None = None

    def say(self, frame: bytes) -> None:
        """Send a frame that is not an event; append it to the buffer while the client does not read."""
        if self.flowing:
            self.write(frame)
            return
        self._put(self._next_key(), None, None, frame)
        if self._bytes > 2 * ROOM_BYTES:
            self.give_up()

    def hold(
        self, reader: OperationOutput, events: Sequence[SourceEvent], payloads: Sequence[bytes]
    ) -> None:
        """Buffer payloads until the client reads again.

        Of events with a `latest` key only the newest is kept. When the others exceed the limit, the operation ends.
        """
        for event, payload in zip(events, payloads, strict=True):
            key = self._next_key() if event.latest is None else (reader, event.latest)
            self._put(key, reader, event, payload)
        if self._bytes > ROOM_BYTES:
            self.forget(reader)
            reader.on_overflow()

    def holds(self, reader: OperationOutput) -> bool:
        """Return whether the buffer holds payloads of an operation."""
        return self._buffered is not None and self._buffered[reader] > 0

    def forget(self, reader: OperationOutput) -> None:
        """Remove the payloads of an operation from the buffer."""
        if self.holds(reader):
            for key in [k for k, (owner, _, _) in (self._held or {}).items() if owner is reader]:
                self._pop(key)

    async def room(self) -> None:
        """Wait until the client reads again."""
        while not self.flowing:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting = [*(self._waiting or ()), waiting]
            await waiting

    @abstractmethod
    def give_up(self) -> None:
        """Disconnect a client that keeps sending requests but does not read the responses."""

    def pause_writing(self) -> None:
        """Start buffering, because the transport's write buffer is full."""
        self._paused = True
        self.flowing = False

    def resume_writing(self) -> None:
        """Send the buffered payloads, because the transport's write buffer has space again; then write through."""
        self._paused = False
        while self._held and not self._paused:
            reader, event, payload = self._pop(next(iter(self._held)))
            if reader is None or event is None:
                self.write(payload)
            else:
                self.write(reader.framed((payload,)))
                reader.reached = event.seq or reader.reached
        if not self._paused:
            self._held = self._buffered = None
            self.flowing = True
            self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting or (), None
        for each in waiting:
            if not each.done():
                each.set_result(None)

    def _put(
        self,
        key: Hashable,
        reader: OperationOutput | None,
        event: SourceEvent | None,
        payload: bytes,
    ) -> None:
        if self._held is None or self._buffered is None:
            self._held, self._buffered = {}, Counter()
        if key in self._held:
            self._pop(key)
        self._held[key] = (reader, event, payload)
        self._bytes += _weight(event, payload)
        if reader is not None:
            self._buffered[reader] += 1

    def _pop(self, key: Hashable) -> tuple[OperationOutput | None, SourceEvent | None, bytes]:
        reader, event, payload = (self._held or {}).pop(key)
        self._bytes -= _weight(event, payload)
        if reader is not None and self._buffered is not None:
            self._buffered[reader] -= 1
        return reader, event, payload

    def _next_key(self) -> int:
        self._count += 1
        return self._count


def _weight(event: SourceEvent | None, payload: bytes) -> int:
    """Return the bytes that count towards the limit: 0 for events with a `latest` key, of which one per key is kept."""
    return 0 if event is not None and event.latest is not None else len(payload)
