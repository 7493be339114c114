"""Changes that PostgreSQL announces: one connection of a process listens, for all that wait for some of them."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

import structlog

from domain.core.db import connect
from domain.core.wakeups import CHANGES, FACTS, FactKinds, WakeUp
from realtime.tasks import wait_at_most

log = structlog.get_logger()

NAME = "waarborg changes"
"""Name of the connection in `pg_stat_activity`."""
CHECK_S = 10.0
"""Interval at which the connection is checked: one that a firewall dropped says nothing."""
ANSWER_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 10.0


class ChangeWaiter:
    """Waits for announced changes; may live in the event loop of another thread than the connection."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def wake(self) -> None:
        """End the wait that is under way, or the next one."""
        if not self._event.is_set():
            with suppress(RuntimeError):  # its loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._event.set)

    def begin(self) -> None:
        """Forget changes so far; called before the look that will find them."""
        self._event.clear()

    @property
    def is_woken(self) -> bool:
        """Whether there was a change since `begin`."""
        return self._event.is_set()

    async def wait(self, seconds: float) -> None:
        """Wait for a change since `begin`, at most so long."""
        await wait_at_most(self._event, seconds)


class Changes:
    """Distributes announced changes. While nothing listens, those who wait have to poll."""

    def __init__(self) -> None:
        self.is_heard = False
        """Whether changes are announced to this process at the moment."""
        self._by_message: dict[str, set[ChangeWaiter]] = defaultdict(set)
        self._by_prefix: dict[str, set[ChangeWaiter]] = defaultdict(set)
        self._waiters: set[ChangeWaiter] = set()

    @contextmanager
    def waiting_for(self, wakeups: Collection[WakeUp]) -> Iterator[ChangeWaiter]:
        """Receive the changes that these wake-ups name, and every loss and return of the connection."""
        waiter = ChangeWaiter()
        places = [self._waiters]
        for each in wakeups:
            if isinstance(each, FactKinds):
                places += [self._by_prefix[prefix] for prefix in each.prefixes]
            elif each.message is not None:
                places.append(self._by_message[each.message])
        for place in places:
            place.add(waiter)
        try:
            yield waiter
        finally:
            for place in places:
                place.discard(waiter)

    def pass_on(self, channel: str, message: str) -> None:
        """Wake those who wait for this change."""
        if channel == CHANGES:
            for waiter in list(self._by_message.get(message, ())):
                waiter.wake()
            return
        for prefix, waiters in list(self._by_prefix.items()):
            if message.startswith(prefix):
                for waiter in list(waiters):
                    waiter.wake()

    def set_heard(self, is_heard: bool) -> None:
        """Note that the connection was lost or is back, and wake everybody: changes may have been missed."""
        self.is_heard = is_heard
        for waiter in list(self._waiters):
            waiter.wake()


async def listen(database_url: str, changes: Changes) -> None:
    """Listen until the connection is lost or this is cancelled. Raises `ConnectionError` when it is lost."""
    engine = connect(database_url, pool_size=1, application_name=NAME, idle_session_timeout="60000")
    lost = asyncio.Event()
    try:
        async with engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            if driver is None:
                raise ConnectionError("no connection to listen on")
            driver.add_termination_listener(lambda *_: lost.set())
            for channel in (CHANGES, FACTS):
                await driver.add_listener(
                    channel, lambda _driver, _pid, heard, said: changes.pass_on(heard, said)
                )
            changes.set_heard(True)
            try:
                while not lost.is_set():
                    await driver.fetchval("SELECT 1", timeout=ANSWER_S)
                    await wait_at_most(lost, CHECK_S)
            finally:
                changes.set_heard(False)
                await connection.invalidate()  # closed, not pooled: it still listens
        raise ConnectionError("the connection that listens for changes is lost")
    finally:
        await engine.dispose()


async def keep_listening(database_url: str, changes: Changes) -> None:
    """Listen until cancelled, again after each loss of the connection."""
    loop = asyncio.get_running_loop()
    pause_s = FIRST_PAUSE_S
    while True:
        began = loop.time()
        try:
            await listen(database_url, changes)
        except Exception as error:  # noqa: BLE001 - PostgreSQL is away: those who wait poll meanwhile
            if loop.time() - began > LONGEST_PAUSE_S:
                pause_s = FIRST_PAUSE_S
            log.warning("changes.not_heard", error=repr(error), again_in_s=pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
