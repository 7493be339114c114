"""What a subscription follows, apart from who follows it: many may share one, so nothing here is one reader's own.

A reader's beginning (`past`) is its own; what comes afterwards (`listen`) is heard once for all who share. Both meet
at a place in the ledger, so that nothing falls between them and nothing comes from both sides.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Hashable, Sequence
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class GapReason(StrEnum):
    """Reason for which a subscription ends."""

    TOO_SLOW = "too_slow"  # the reader did not keep up: come back with the cursor
    RESTORED = "restored"  # the ledger was restored from a backup: read it again
    TOO_FAR = "too_far"  # more was missed than a feed replays: read the ledger, then come back


@dataclass(frozen=True, slots=True)
class SourceEvent:
    """One thing to tell, and where it leaves the reader."""

    seq: int | None
    """Its place in the ledger; None for what has none, such as a position."""
    what: Any
    latest: Hashable | None = None
    """To a reader that does not keep up, the newer of two with the same `latest` is told, the older one never."""
    last: bool = False
    """Whether the feed ends with it."""


class SourceListener(Protocol):
    """Hears from the moment it was made."""

    async def take(self) -> Sequence[SourceEvent]:
        """Wait for things to tell; empty means that too much came, and that this was the end."""
        ...


class EventSource(ABC):
    """One thing to follow. A resolver of a subscription returns it; iterating it is following it alone."""

    async def begin(self) -> None:  # noqa: B027 - most refuse nobody
        """Refuse whoever may not follow it. Comes first, once for each reader."""

    def place(self) -> int:
        """Up to where `past` tells; what comes later is heard by an ear made in the same breath."""
        return 0

    def ear_place(self) -> int:
        """From where an ear made in the same breath hears; before `place()` when this reader is further than that."""
        return self.place()

    @abstractmethod
    def listen(self) -> AbstractContextManager[SourceListener]:
        """Hear everything after `place()` as it is now."""

    async def past(self, upto: int) -> AsyncGenerator[SourceEvent]:  # noqa: ARG002 - for who has a past
        """What this reader is told before it hears what comes after `upto`; asked again, what is new since."""
        nothing: tuple[SourceEvent, ...] = ()
        for told in nothing:
            yield told

    def gap(self, after: int) -> SourceEvent | None:  # noqa: ARG002 - for who has a notice
        """The notice for a reader that was too slow: everything up to `after` was told, nothing beyond it."""
        return None

    async def __aiter__(self) -> AsyncIterator[Any]:
        """Follow it alone: the past, then the present, without gap or repeat."""
        await self.begin()
        told = self.place()
        async with aclosing(self.past(told)) as missed:
            async for each in missed:
                yield each.what
                if each.last:
                    return
        with self.listen() as ear:
            upto = self.place()
            async with aclosing(self.past(upto)) as missed:
                async for each in missed:
                    yield each.what
                    told = each.seq or told
            while batch := await ear.take():
                for each in batch:
                    if each.seq is None or each.seq > upto:
                        yield each.what
                        told = each.seq or told
        if (notice := self.gap(max(told, upto))) is not None:
            yield notice.what
