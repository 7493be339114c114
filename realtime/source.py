"""Event sources of subscriptions, independent of any reader, so that several readers may share one.

The backlog of a reader is its own; live events (`listen`) are received once for all who share the source.
Both meet at a position in the ledger, so that no event is lost between them and none comes twice.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Hashable, Sequence
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class GapReason(StrEnum):
    """Reason for which a subscription ends."""

    TOO_SLOW = "too_slow"  # the reader did not keep up: resume with the cursor
    RESTORED = "restored"  # the ledger was restored from a backup: read it again
    # more was missed than a feed replays: read the ledger, then subscribe again
    TOO_FAR = "too_far"


@dataclass(frozen=True, slots=True)
class SourceEvent:
    """An event to deliver, with its position."""

    seq: int | None
    """Position in the ledger; None for an event outside it, such as a position on the map."""
    payload: Any
    latest: Hashable | None = None
    """For a reader that does not keep up, the newer of two events with the same `latest` replaces the older one."""
    last: bool = False
    """Whether the subscription ends with this event."""


class SourceListener(Protocol):
    """Receives events from its creation on."""

    async def take(self) -> Sequence[SourceEvent]:
        """Wait for events and return them; empty means that too many came and this listener has ended."""
        ...


class EventSource(ABC):
    """A source of events. A subscription's resolver returns it; iterating over it follows it without sharing."""

    async def begin(self) -> None:  # noqa: B027 - most sources refuse no reader
        """Check the reader's access; called first, once for each reader."""

    def position(self) -> int:
        """Return the position up to which `backlog` delivers; a listener created now receives what follows."""
        return 0

    def listener_position(self) -> int:
        """Return the position after which a new listener receives events; may be lower than `position()`."""
        return self.position()

    @abstractmethod
    def listen(self) -> AbstractContextManager[SourceListener]:
        """Listen to every event after the current `position()`."""

    async def backlog(self, upto: int) -> AsyncGenerator[SourceEvent]:  # noqa: ARG002 - for sources with a backlog
        """Deliver the events up to `upto` to this reader; a repeated call delivers those added since."""
        nothing: tuple[SourceEvent, ...] = ()
        for event in nothing:
            yield event

    def gap(self, after: int) -> SourceEvent | None:  # noqa: ARG002 - for sources with a notice
        """Return the notice for a reader that was too slow: delivered is everything up to `after`, nothing beyond."""
        return None

    async def __aiter__(self) -> AsyncIterator[Any]:
        """Deliver the backlog, then live events, without gap or repeat."""
        await self.begin()
        delivered = self.position()
        async with aclosing(self.backlog(delivered)) as missed:
            async for each in missed:
                yield each.payload
                if each.last:
                    return
        with self.listen() as listener:
            upto = self.position()
            async with aclosing(self.backlog(upto)) as missed:
                async for each in missed:
                    yield each.payload
                    delivered = each.seq or delivered
            while batch := await listener.take():
                for each in batch:
                    if each.seq is None or each.seq > upto:
                        yield each.payload
                        delivered = each.seq or delivered
        if (notice := self.gap(max(delivered, upto))) is not None:
            yield notice.payload
