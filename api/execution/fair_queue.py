"""Fair queues for shared resources: the control room first, then the actors of each class in round-robin order.

An operation waits for a permit before it is parsed and executed, and for one per database session it opens. Without
the queues, requests are served in order of arrival: one request with 90 fields that each take a connection made a
dispatcher wait for 29 s, and 20 connections that repeat a document refused after parsing kept the process busy.

The permits of one actor and of one class are limited, and the limit of a class leaves some for the classes before it.
A class that holds no permit is served first.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from enum import IntEnum
from types import TracebackType
from typing import Self

from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Role

PER_OPERATION = 4


class ServiceClass(IntEnum):
    """Priority when permits are scarce; a lower value is served first."""

    OPERATIONS = 0
    OFFICE = 1
    CLIENTS = 2
    STRANGERS = 3


_CLASS_OF: Mapping[Role, ServiceClass] = {
    Role.DISPATCHER: ServiceClass.OPERATIONS,
    Role.GUARD: ServiceClass.OPERATIONS,
    Role.SYSTEM: ServiceClass.OPERATIONS,
    Role.MANAGEMENT: ServiceClass.OFFICE,
    Role.RELATIONSHIP_MANAGER: ServiceClass.OFFICE,
    Role.FINANCE: ServiceClass.OFFICE,
    Role.AUDITOR: ServiceClass.OFFICE,
    Role.CLIENT_USER: ServiceClass.CLIENTS,
    Role.CLIENT_ADMIN: ServiceClass.CLIENTS,
    Role.PARTNER: ServiceClass.CLIENTS,
}
_HOLDS_PERMIT: ContextVar[bool] = ContextVar("holds_permit", default=False)


def _key_of(actor: Actor | None) -> tuple[ServiceClass, str]:
    """Return the class and the subject by which permits are counted; an actor of None is not signed in."""
    if actor is None:
        return ServiceClass.STRANGERS, ""
    return _CLASS_OF[actor.role], actor.subject


class FairQueue:
    """A queue for `capacity` permits, of which one actor may hold `per_actor`."""

    def __init__(self, capacity: int, per_actor: int) -> None:
        self._free = capacity
        self._per_actor = per_actor
        self._class_limits = {
            ServiceClass.OPERATIONS: capacity,
            ServiceClass.OFFICE: max(1, capacity * 7 // 10),
            ServiceClass.CLIENTS: max(1, capacity // 2),
            ServiceClass.STRANGERS: 1,
        }
        self._held_by_class: Counter[ServiceClass] = Counter()
        self._held_by_actor: Counter[str] = Counter()
        self._waiting: dict[ServiceClass, OrderedDict[str, deque[asyncio.Future[None]]]] = {
            each: OrderedDict() for each in ServiceClass
        }

    @property
    def waiting(self) -> int:
        """The number of callers that wait for a permit."""
        return sum(len(queue) for actors in self._waiting.values() for queue in actors.values())

    async def acquire(self, actor: Actor | None) -> None:
        """Wait for a permit for this actor."""
        kind, subject = _key_of(actor)
        if not self._waiting[kind] and self._may(kind, subject):
            self._take(kind, subject)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[kind].setdefault(subject, deque()).append(turn)
        self._grant()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # granted at the same time as the cancellation
                self.release(actor)
            else:
                self._forget(kind, subject, turn)
            raise

    def release(self, actor: Actor | None) -> None:
        """Return a permit and grant it to the next waiting actor."""
        kind, subject = _key_of(actor)
        self._free += 1
        self._held_by_class[kind] -= 1
        self._held_by_actor[subject] -= 1
        if not self._held_by_actor[subject]:
            del self._held_by_actor[subject]
        self._grant()

    @asynccontextmanager
    async def turn(self, actor: Actor | None) -> AsyncGenerator[None]:
        """Hold a permit while the block runs."""
        await self.acquire(actor)
        try:
            yield
        finally:
            self.release(actor)

    def _may(self, kind: ServiceClass, subject: str) -> bool:
        return (
            self._free > 0
            and self._held_by_class[kind] < self._class_limits[kind]
            and self._held_by_actor[subject] < self._per_actor
        )

    def _take(self, kind: ServiceClass, subject: str) -> None:
        self._free -= 1
        self._held_by_class[kind] += 1
        self._held_by_actor[subject] += 1

    def _grant(self) -> None:
        while self._free > 0 and self._grant_one():
            pass

    def _grant_one(self) -> bool:
        """Grant one permit: first to a class that holds none, else to the class with the highest priority."""
        for kind in sorted(ServiceClass, key=lambda each: (self._held_by_class[each] > 0, each)):
            for subject in list(self._waiting[kind]):
                if not self._may(kind, subject):
                    continue
                queue = self._waiting[kind][subject]
                turn = queue.popleft()
                if queue:
                    self._waiting[kind].move_to_end(subject)
                else:
                    del self._waiting[kind][subject]
                if not turn.done():  # cancelled, and its task has not run yet
                    self._take(kind, subject)
                    turn.set_result(None)
                return True
        return False

    def _forget(self, kind: ServiceClass, subject: str, turn: asyncio.Future[None]) -> None:
        queue = self._waiting[kind].get(subject)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._waiting[kind][subject]


class OperationPermits:
    """The permits of one operation: at most `PER_OPERATION` at once, counted for its actor."""

    def __init__(self, queue: FairQueue, actor: Actor) -> None:
        self._queue = queue
        self._actor = actor
        self._own = asyncio.Semaphore(PER_OPERATION)

    async def acquire(self) -> None:
        """Wait for a permit."""
        await self._own.acquire()
        try:
            await self._queue.acquire(self._actor)
        except BaseException:
            self._own.release()
            raise

    def release(self) -> None:
        """Return a permit."""
        self._queue.release(self._actor)
        self._own.release()


class QueuedSession(AsyncSession):
    """A session that holds a permit while it is open, if its `info` has the permits of an operation.

    A session opened inside another one of the same task takes no second permit, because two operations that each hold
    one permit and wait for a second one would deadlock.
    """

    _permits: OperationPermits | None = None

    async def __aenter__(self) -> Self:
        permits: OperationPermits | None = self.info.get("permits")
        if permits is not None and not _HOLDS_PERMIT.get():
            await permits.acquire()
            self._permits = permits
            _HOLDS_PERMIT.set(True)
        return await super().__aenter__()

    async def __aexit__(
        self,
        type_: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await super().__aexit__(type_, value, traceback)
        finally:
            if self._permits is not None:
                permits, self._permits = self._permits, None
                _HOLDS_PERMIT.set(False)
                permits.release()
