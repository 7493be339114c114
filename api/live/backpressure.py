"""The way out to one client: what is told leaves at once while it reads, and is held back, bounded, otherwise."""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

from realtime.source import SourceEvent

ROOM_BYTES = 256 * 1024
"""What is held back for a connection at most, besides what is on its way already; the bytes are shared with others."""


class OperationOutput(Protocol):
    """One operation whose answers leave through an outlet."""

    reached: int

    def framed(self, payloads: Sequence[bytes]) -> bytes:
        """The bytes that carry these answers."""
        ...

    def overrun(self) -> None:
        """Too much was held back: nothing beyond `reached` will be told."""
        ...


class OutboundBuffer(ABC):
    """One connection's way out. `flowing` tells whether what is written goes out at once."""

    __slots__ = ("_bytes", "_count", "_held", "_holding", "_paused", "_waiting", "flowing", "write")

    write: Callable[[bytes], None]

    def __init__(self) -> None:
        self.flowing = True
        self._paused = False
        self._held: (
            dict[Hashable, tuple[OperationOutput | None, SourceEvent | None, bytes]] | None
        ) = None
        self._holding: Counter[OperationOutput] | None = None
        self._bytes = 0
        self._count = 0
        self._waiting: list[asyncio.Future[None]] | None = None

    def say(self, frame: bytes) -> None:
        """Send something that is no event, behind what is held back."""
        if self.flowing:
            self.write(frame)
            return
        self._keep(self._next(), None, None, frame)
        if self._bytes > 2 * ROOM_BYTES:
            self.give_up()

    def hold(
        self, reader: OperationOutput, events: Sequence[SourceEvent], payloads: Sequence[bytes]
    ) -> None:
        """Keep answers until the client reads again: the latest of each thing, and facts as long as there is room."""
        for told, payload in zip(events, payloads, strict=True):
            key = self._next() if told.latest is None else (reader, told.latest)
            self._keep(key, reader, told, payload)
        if self._bytes > ROOM_BYTES:
            self.forget(reader)
            reader.overrun()

    def holds(self, reader: OperationOutput) -> bool:
        """Whether anything is held back for an operation."""
        return self._holding is not None and self._holding[reader] > 0

    def forget(self, reader: OperationOutput) -> None:
        """Drop what is held back for an operation."""
        if self.holds(reader):
            for key in [k for k, (whose, _, _) in (self._held or {}).items() if whose is reader]:
                self._pop(key)

    async def room(self) -> None:
        """Wait until the client reads."""
        while not self.flowing:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting = [*(self._waiting or ()), waiting]
            await waiting

    @abstractmethod
    def give_up(self) -> None:
        """Let go of a client that takes nothing and asks for more."""

    def pause_writing(self) -> None:
        """The transport's buffer is full."""
        self._paused = True
        self.flowing = False

    def resume_writing(self) -> None:
        """The transport's buffer has room again: what was held back goes first."""
        self._paused = False
        while self._held and not self._paused:
            reader, told, payload = self._pop(next(iter(self._held)))
            if reader is None or told is None:
                self.write(payload)
            else:
                self.write(reader.framed((payload,)))
                reader.reached = told.seq or reader.reached
        if not self._paused:
            self._held = self._holding = None
            self.flowing = True
            self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting or (), None
        for each in waiting:
            if not each.done():
                each.set_result(None)

    def _keep(
        self,
        key: Hashable,
        reader: OperationOutput | None,
        told: SourceEvent | None,
        payload: bytes,
    ) -> None:
        if self._held is None or self._holding is None:
            self._held, self._holding = {}, Counter()
        if key in self._held:
            self._pop(key)
        self._held[key] = (reader, told, payload)
        self._bytes += _weight(told, payload)
        if reader is not None:
            self._holding[reader] += 1

    def _pop(self, key: Hashable) -> tuple[OperationOutput | None, SourceEvent | None, bytes]:
        reader, told, payload = (self._held or {}).pop(key)
        self._bytes -= _weight(told, payload)
        if reader is not None and self._holding is not None:
            self._holding[reader] -= 1
        return reader, told, payload

    def _next(self) -> int:
        self._count += 1
        return self._count


def _weight(told: SourceEvent | None, payload: bytes) -> int:
    """What counts towards the room: not the latest of something, of which there is one each."""
    return 0 if told is not None and told.latest is not None else len(payload)
