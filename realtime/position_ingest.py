"""Position ingest: gathers the reports of all devices during a commit, stores them together, then answers.

Stored one request at a time (validate, insert, publish), a fix costs 116-142 µs of the server; as one group
in columns 2-4 µs, so that the table is the limit.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import isnan
from typing import NamedTuple, Self
from uuid import UUID

import asyncpg
import structlog
from cachetools import FIFOCache
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain import positions
from domain.core.db import Sessions, transaction
from domain.positions import (
    DeviceAssignment,
    DeviceReport,
    Fences,
    IngestOutcome,
    LivePosition,
    Reason,
    ReceivedFix,
)
from realtime.tasks import end

log = structlog.get_logger()

FRESH_S = 4.0  # the end of a shift is noticed here within 5 s
KEPT = 20_000
GROUP = 20_000  # fixes stored together at most
# groups in progress at once: one is converted to columns while PostgreSQL stores the other
WRITERS = 2
WAITING = 200_000  # fixes waiting at most; further ones are refused at once
DAYS_S = 3600.0


AWAY: tuple[type[Exception], ...] = (
    *(OSError, DBAPIError, PoolTimeout, asyncpg.InterfaceError, asyncpg.PostgresConnectionError),
    *(
        asyncpg.OperatorInterventionError,
        asyncpg.InsufficientResourcesError,
        asyncpg.PostgresSystemError,
        asyncpg.InternalClientError,  # of the driver, when the server ends a connection between two messages
    ),
    *(asyncpg.TransactionRollbackError, asyncpg.ObjectNotInPrerequisiteStateError),
    asyncpg.InvalidTransactionStateError,
)
"""Errors that mean that PostgreSQL cannot store now: away, stopping, full, a standby, or a lock is held."""


class IngestBusy(Exception):
    """Raised when more fixes arrive than can be stored; the device retries in a moment."""


class _Waiting(NamedTuple):
    report: DeviceReport
    answer: asyncio.Future[IngestOutcome]


class PositionIngest:
    """Accepts reports of devices; `async with PositionIngest(...)` runs it for the length of the block."""

    def __init__(
        self,
        make: Sessions,
        now: Callable[[], datetime],
        tell: Callable[[Sequence[LivePosition]], None],
        *,
        keep: timedelta,
    ) -> None:
        self._make = make
        self._now = now
        self._tell = tell
        self._keep = keep
        self._posts: OrderedDict[UUID, tuple[float, DeviceAssignment | None]] = OrderedDict()
        self._fences: dict[UUID, Fences] = {}
        self._fenced_at = 0.0
        self._known_ms: dict[UUID, int] = {}
        self._refused: FIFOCache[tuple[UUID, int], None] = FIFOCache(KEPT)
        self._waiting: deque[_Waiting] = deque()
        self._fixes = 0
        self._filled = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._days_until = 0.0

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._work(), name="intake") for _ in range(WRITERS)]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await end(*self._tasks)
        while self._waiting:
            self._waiting.popleft().answer.cancel()

    async def post(self, device_id: UUID) -> DeviceAssignment | None:
        """Load a device with its shifts, at most 4 s old."""
        tick = time.monotonic()
        found_at, post = self._posts.get(device_id, (-FRESH_S, None))
        if tick - found_at >= FRESH_S:
            if tick - self._fenced_at >= FRESH_S:
                self._fenced_at, self._fences = tick, {}
            since = self._now() - self._keep
            async with self._make() as session:
                post = await positions.device_assignment(
                    session, device_id, since=since, fences=self._fences
                )
            self._posts[device_id] = (tick, post)
            self._posts.move_to_end(device_id)
            while len(self._posts) > KEPT:
                gone, _ = self._posts.popitem(last=False)
                self._known_ms.pop(gone, None)
        return post

    async def take(
        self,
        device_id: UUID,
        readings: Sequence[ReceivedFix],
        source: int,
        *,
        skew_s: float = float("nan"),
    ) -> IngestOutcome | None:
        """Store a device's report and return when it is committed; None when there is no such device.

        Raises `IngestBusy` when too many fixes wait already, and the database's errors.
        """
        post = await self.post(device_id)
        if post is None:
            return None
        if not readings:
            return IngestOutcome(0, 0, ())
        clock_ms = await self._clock(post, skew_s)
        if self._fixes + len(readings) > WAITING:
            raise IngestBusy
        waiting = _Waiting(
            DeviceReport(post, readings, source, skew_s, clock_ms),
            asyncio.get_running_loop().create_future(),
        )
        self._waiting.append(waiting)
        self._fixes += len(readings)
        self._filled.set()
        return await waiting.answer

    async def _clock(self, post: DeviceAssignment, skew_s: float) -> int:
        """Return the offset of a device's clock; store it when it is reported for the first time or has changed."""
        found = positions.clock_ms(skew_s, post.clock_ms)
        if isnan(skew_s) or found == post.clock_ms:
            return found
        async with transaction(self._make) as session:
            found = await positions.set_clock(session, post.device_id, skew_s)
        self._posts.pop(post.device_id, None)
        return found

    async def note_refusal(self, device_id: UUID, reason: Reason, message: str, count: int) -> None:
        """Record in the device's log that something was refused; without a database, log a warning only."""
        try:
            async with transaction(self._make) as session:
                await positions.note_refusal(
                    session, device_id, reason, message, count=count, at=self._now()
                )
        except AWAY as error:
            log.warning("intake.refusal_not_noted", error=repr(error))

    def refused_before(self, device_id: UUID, at: int | datetime) -> bool:
        """Return whether this fix was refused permanently before, and remember it as refused."""
        key = (device_id, positions.ms_of(at))
        known = key in self._refused
        self._refused[key] = None
        return known

    async def _work(self) -> None:
        try:
            await self._have_days()
        except Exception as error:  # noqa: BLE001 - the writer must keep running; the next report tries again
            log.warning("intake.no_days", error=repr(error))
        while True:
            await self._filled.wait()
            group = self._group()
            if not group:
                self._filled.clear()
                continue
            try:
                await self._answer(group)
            finally:
                for each in group:
                    each.answer.cancel()  # no effect on those answered

    async def _answer(self, group: list[_Waiting]) -> None:
        try:
            await self._store(group)
        except Exception as error:  # noqa: BLE001 - any failure is passed to those who wait
            log.warning("intake.not_stored", error=repr(error), reports=len(group))
            if len(group) > 1 and not isinstance(error, AWAY):
                for each in group:  # one report is at fault; the others are stored without it
                    await self._answer([each])
                return
            for each in group:
                if not each.answer.done():
                    each.answer.set_exception(error)

    def _group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        fixes = 0
        while self._waiting and fixes < GROUP:
            waiting = self._waiting.popleft()
            self._fixes -= len(waiting.report.readings)
            if not waiting.answer.done():  # the request may have been cancelled
                group.append(waiting)
                fixes += len(waiting.report.readings)
        return group

    async def _store(self, group: list[_Waiting]) -> None:
        await self._have_days()
        outcomes, moved = await positions.accept(
            self._make,
            [each.report for each in group],
            self._known_ms,
            at=self._now(),
            keep=self._keep,
        )
        for each, outcome in zip(group, outcomes, strict=True):
            if not each.answer.done():
                each.answer.set_result(outcome)
        self._tell(moved)

    async def _have_days(self) -> None:
        """Create the partitions of all days that may be reported; the workers do this too."""
        if time.monotonic() < self._days_until:
            return
        async with transaction(self._make) as session:
            await positions.ensure_partitions(session, at=self._now(), keep=self._keep)
        self._days_until = time.monotonic() + DAYS_S
