"""The hub: one reader of the ledger per process, and all listeners of the process.

A listener receives every fact of its topic once, in the order of `seq`, or a mark that its queue overflowed.
Redis brings facts within milliseconds. A second after facts were announced the hub compares its position with
PostgreSQL, so a wiped, stalled or absent Redis delays facts by about a second and loses none.
"""

import asyncio
import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Self

import structlog
from redis.asyncio import Redis

from domain.core import sequencing
from domain.core.cursor import LedgerPosition
from domain.core.db import Sessions
from domain.core.sequencing import SequencedEvent
from domain.core.wakeups import FactKinds
from realtime.changes import Changes, ChangeWaiter
from realtime.stream import SequenceBuffer, Streams
from realtime.tasks import end
from realtime.topics import Topic, topics_of

log = structlog.get_logger()

ROOM = 2048  # facts a listener may be behind; the facts are shared, an entry costs 8 bytes
PAGE = 1000  # facts read from PostgreSQL at once
COMPARE_S = 1.0
IDLE_COMPARE_S = 10.0  # while PostgreSQL announces facts, and has announced none
LINKS = 4096  # positions whose hash is kept, for cursors
POLL_S = 0.5  # between reads of PostgreSQL while Redis is away
AWAY_S = 2.0  # before Redis is tried again


class Listener:
    """A bounded queue of facts for one reader."""

    def __init__(self, wants: Callable[[SequencedEvent], bool], room: int) -> None:
        self._wants = wants
        self._room = room
        self._facts: deque[SequencedEvent] = deque()
        self._filled = asyncio.Event()
        self.overran = False

    def offer(self, fact: SequencedEvent) -> None:
        """Queue a fact if it is wanted; when the queue is full, empty it and mark it as overrun instead."""
        if self.overran or not self._wants(fact):
            return
        if len(self._facts) >= self._room:
            self.overrun()
        else:
            self._facts.append(fact)
        self._filled.set()

    def overrun(self) -> None:
        """Mark this listener as overrun; it receives no more facts."""
        self.overran = True
        self._facts.clear()
        self._filled.set()

    async def take(self) -> list[SequencedEvent]:
        """Wait for facts and return them; empty means that the queue overran and no more will come."""
        await self._filled.wait()
        self._filled.clear()
        facts = list(self._facts)
        self._facts.clear()
        return facts


class Hub:
    """Reads the ledger and distributes its facts. `async with Hub(...)` runs it for the length of the block."""

    def __init__(self, make: Sessions, redis: Redis, changes: Changes | None = None) -> None:
        """Without `changes` that are heard it compares itself with PostgreSQL every second."""
        self._make = make
        self._changes = changes or Changes()
        self._redis = redis
        self._buffer = SequenceBuffer(0)
        self._streams: Streams | None = None
        self._topics: dict[Topic, set[Listener]] = defaultdict(set)
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._redis_back_at = 0.0
        self._links: OrderedDict[int, int | None] = OrderedDict()
        self.restores = 0
        """How often the ledger was found shorter than what was distributed, after a restore from a backup."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.run(), name="hub")
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._task is not None:
            await end(self._task)
        if self._streams is not None:
            await self._streams.aclose()

    @property
    def position(self) -> int:
        """The number of the last fact that was distributed."""
        return self._buffer.position

    @property
    def listeners(self) -> int:
        """The number of listeners."""
        return sum(map(len, self._topics.values()))

    async def check_cursor(self, at: LedgerPosition, *, argument: str = "after") -> int:
        """Check a cursor as `domain.core.sequencing.check_cursor` does, over all companies' facts."""
        async with self._make() as session:
            return await sequencing.check_cursor(session, at, argument=argument)

    async def link_at(self, seq: int) -> int | None:
        """Return the part of a fact's hash that a cursor at this position contains; None when there is no fact."""
        if seq in self._links:
            return self._links[seq]
        async with self._make() as session:
            return await sequencing.link_at(session, seq)

    async def ready(self) -> None:
        """Wait until the hub knows the ledger's position."""
        await self._ready.wait()

    @contextmanager
    def listen(
        self, topic: Topic, wants: Callable[[SequencedEvent], bool], *, room: int = ROOM
    ) -> Iterator[Listener]:
        """Receive every wanted fact after the current `position`."""
        listener = Listener(wants, room)
        self._topics[topic].add(listener)
        try:
            yield listener
        finally:
            self._topics[topic].discard(listener)
            if not self._topics[topic]:
                del self._topics[topic]

    async def run(self) -> None:
        """Run until cancelled. Catches every error: if the hub stopped, subscribers would silently receive nothing."""
        with self._changes.waiting_for((FactKinds(""),)) as announced:
            await self._run(announced)

    async def _run(self, announced: ChangeWaiter) -> None:
        compared_at = 0.0
        while True:
            try:
                if self._streams is None:
                    self._streams = await self._start()
                followed = await self._follow(self._streams)
                is_quiet = self._changes.is_heard and not announced.is_woken
                every_s = max(COMPARE_S, IDLE_COMPARE_S) if is_quiet else COMPARE_S
                due = time.monotonic() - compared_at >= every_s
                if due or self._buffer.broken or not followed:
                    announced.begin()
                    await self._compare()
                    compared_at = time.monotonic()
                if self._buffer.broken:
                    # Redis has facts that PostgreSQL does not have: pause before reading them again.
                    self._buffer.drop()
                    await asyncio.sleep(POLL_S)
            except Exception as error:  # noqa: BLE001 - PostgreSQL is away, or a bug: log it and continue
                log.warning("hub.behind", error=repr(error), position=self.position)
                self._buffer.drop()
                await asyncio.sleep(POLL_S)

    async def _start(self) -> Streams:
        async with self._make() as session:
            name, position = (
                await sequencing.ledger_name(session),
                await sequencing.last_seq(session),
            )
        self._buffer = SequenceBuffer(position)
        self._ready.set()
        return Streams(self._redis, name)

    async def _follow(self, streams: Streams) -> bool:
        """Read from Redis until the next comparison is due; when Redis fails, wait a moment and return False."""
        if time.monotonic() < self._redis_back_at:
            await asyncio.sleep(POLL_S)
            return False
        try:
            async with asyncio.timeout(COMPARE_S + 1):  # a stalled Redis answers nothing at all
                facts = await streams.read(self.position, wait_ms=int(COMPARE_S * 1000))
        except Exception as error:  # noqa: BLE001 - away, stalled or unreadable: PostgreSQL has all facts
            log.warning("hub.redis_away", error=repr(error))
            self._redis_back_at = time.monotonic() + AWAY_S
            return False
        await self._pass_on(self._buffer.take(facts))
        return True

    async def _compare(self) -> None:
        """Read the facts that did not come through Redis from PostgreSQL."""
        while True:
            async with self._make() as session:
                facts = await sequencing.read(session, after=self.position, limit=PAGE)
                if not facts and await sequencing.last_seq(session) < self.position:
                    return await self._start_over()
            await self._pass_on(self._buffer.jump(facts))
            if len(facts) < PAGE:
                return None

    async def _start_over(self) -> None:
        """Start again on a ledger restored from a backup, ending all listeners: they may have facts it lacks."""
        log.warning("hub.ledger_restored", position=self.position)
        if self._streams is not None:
            await self._streams.aclose()
        self.restores += 1
        self._links.clear()
        self._streams = await self._start()
        for listeners in self._topics.values():
            for listener in listeners:
                listener.overrun()

    async def _pass_on(self, facts: Sequence[SequencedEvent]) -> None:
        for fact in facts[-LINKS:]:
            self._links[fact.seq] = fact.link
        while len(self._links) > LINKS:
            self._links.popitem(last=False)
        for count, fact in enumerate(facts, start=1):
            for topic in topics_of(fact):
                for listener in self._topics.get(topic, ()):
                    listener.offer(fact)
            if count % 256 == 0:
                await asyncio.sleep(0)  # let readers empty their queues in the middle of a burst
