"""Fair queues in front of what requests share: the control room first, actors of one class in turns.

An operation takes a turn before it is parsed and executed, and a permit for each database session it opens. Without
them whoever asked first is served first: one request with 90 fields that each take a connection kept a dispatcher
waiting for 29 s, and 20 connections that repeat a document which is refused after parsing kept the process busy.

What one actor and one class may hold is bounded. The latter leaves room for the classes before it; a class that
holds nothing at all is served before anybody.
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
    """Priority of a class of actors when connections are scarce; lower is earlier."""

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
    """The class and the name under which permits are counted; None is somebody who is not signed in."""
    if actor is None:
        return ServiceClass.STRANGERS, ""
    return _CLASS_OF[actor.role], actor.subject


class FairQueue:
    """`capacity` permits, of which one actor holds `per_actor` at most."""

    def __init__(self, capacity: int, per_actor: int) -> None:
        self._free = capacity
        self._per_actor = per_actor
        self._most = {
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
        """Return the number of waiting requests."""
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
            if not turn.cancelled():  # granted in the moment of the cancellation
                self.release(actor)
            else:
                self._forget(kind, subject, turn)
            raise

    def release(self, actor: Actor | None) -> None:
        """Give a permit back; whoever is next gets it."""
        kind, subject = _key_of(actor)
        self._free += 1
        self._held_by_class[kind] -= 1
        self._held_by_actor[subject] -= 1
        if not self._held_by_actor[subject]:
            del self._held_by_actor[subject]
        self._grant()

    @asynccontextmanager
    async def turn(self, actor: Actor | None) -> AsyncGenerator[None]:
        """Hold a permit for the length of the block."""
        await self.acquire(actor)
        try:
            yield
        finally:
            self.release(actor)

    def _may(self, kind: ServiceClass, subject: str) -> bool:
        return (
            self._free > 0
            and self._held_by_class[kind] < self._most[kind]
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
        """Serve one waiting actor: of a class that holds nothing if there is one, else of the first class."""
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
    """The permits of one operation: its actor's, and no more than `PER_OPERATION` at once."""

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
        """Give a permit back."""
        self._queue.release(self._actor)
        self._own.release()

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[None]:
        """Hold a permit for the length of the block, or the one that the task holds already."""
        if _HOLDS_PERMIT.get():
            yield
            return
        await self.acquire()
        _HOLDS_PERMIT.set(True)
        try:
            yield
        finally:
            _HOLDS_PERMIT.set(False)
            self.release()


class QueuedSession(AsyncSession):
    """A session that holds a permit while it is open, if `info` names the permits of its operation.

    A session opened inside another one of the same task takes no second permit: two operations that each held one
    and waited for one more would wait for ever.
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
