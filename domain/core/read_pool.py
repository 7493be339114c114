"""A pool of connections for prepared reads: a read takes one message, and no session."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import asyncpg
import msgspec
import structlog
from sqlalchemy import make_url
from sqlalchemy.engine import Dialect

log = structlog.get_logger()

STATEMENTS = 500
"""Prepared statements that a connection keeps: some for each actor that is limited to accounts."""
IDLE_S = 60.0
CLOSE_S = 5.0
_VERSION = b"\x01"
"""The first byte of a binary `jsonb` value."""
# InternalClientError: the driver's state machine raises it when the server ends a connection between two messages.
_LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


class ReadScope(NamedTuple):
    """The settings that the policies of an actor's rows read, as statements."""

    of_connection: str
    """They hold until they are set again."""
    of_transaction: str
    """They hold to the end of the transaction."""


class ReadConnection(asyncpg.Connection):
    """A connection that stays in the scope of the actor who read last, until another actor reads.

    Behind a pooler that gives a server's process to another client after each transaction, settings of a connection
    would reach that client: there each read is a transaction with settings of its own, which takes three messages.
    """

    _scope: ReadScope | None = None
    _is_direct = False

    async def find_out(self) -> None:
        """Find out whether a pooler is between: it gives a process number of its own."""
        self._is_direct = await self.fetchval("SELECT pg_backend_pid()") == self.get_server_pid()

    async def read(self, scope: ReadScope, sql: str, arguments: Sequence[Any]) -> list[Any]:
        """Run a statement in a scope."""
        records: list[Any]
        if not self._is_direct:
            return await self._in_transaction(scope, sql, arguments)
        if self._scope != scope:
            self._scope = None  # nobody may rely on a change that fails or is cancelled
            await self.execute(scope.of_connection)
            self._scope = scope
        records = await self.fetch(sql, *arguments)
        return records

    async def _in_transaction(
        self, scope: ReadScope, sql: str, arguments: Sequence[Any]
    ) -> list[Any]:
        try:
            await self.execute(f"BEGIN READ ONLY; {scope.of_transaction}")
            records: list[Any] = await self.fetch(sql, *arguments)
            await self.execute("COMMIT")
        finally:
            if self.is_in_transaction():  # it failed, or was cancelled
                await self._roll_back()
        return records

    async def _roll_back(self) -> None:
        """End a transaction; if that fails, or is cancelled, close the connection: nobody gets its scope."""
        try:
            await self.execute("ROLLBACK")
        except BaseException:
            self.terminate()
            raise


class ReadPool:
    """Connections that are opened when they are needed, and closed when they are not."""

    def __init__(self, url: str, dialect: Dialect, *, size: int, **server_settings: str) -> None:
        plain = make_url(url).set(drivername="postgresql")
        self.dialect = dialect
        self.listeners: list[Callable[[str], object]] = []
        """Called with each statement before it is sent."""
        self.failures = 0
        """Reads that failed, and were left to a session."""
        self._pool = asyncpg.create_pool(
            plain.render_as_string(hide_password=False),
            connection_class=ReadConnection,
            min_size=0,
            max_size=size,
            max_inactive_connection_lifetime=IDLE_S,
            statement_cache_size=STATEMENTS,
            max_cached_statement_lifetime=0,
            init=_prepare,
            reset=_nothing,
            server_settings={
                "application_name": "waarborg reads",
                "timezone": "UTC",
                "jit": "off",
                "default_transaction_read_only": "on",
                **server_settings,
            },
        )

    async def open(self) -> None:
        """Make the pool ready; connects to nothing."""
        await self._pool

    async def close(self) -> None:
        """Close all connections; those in use within five seconds."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def fetch(self, scope: ReadScope, sql: str, arguments: Sequence[Any]) -> list[Any] | None:
        """Run a statement with the settings of `scope`; None when the connection or the statement failed."""
        for each in self.listeners:
            each(sql)
        try:
            async with self._pool.acquire() as acquired:
                connection: Any = acquired  # a proxy of a ReadConnection
                records: list[Any] = await connection.read(scope, sql, arguments)
        except _LOST as error:
            self.failures += 1
            log.warning("read_pool.failed", error=type(error).__name__)
            return None
        return records


async def _prepare(connection: Any) -> None:
    """Take and return JSON values as the sessions do, and find out about a pooler."""
    await connection.find_out()
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda text: _VERSION + text.encode(),  # a statement's own arguments are JSON text
        decoder=lambda packed: msgspec.json.decode(packed[1:]),
    )


async def _nothing(_connection: Any) -> None:
    """Reset nothing: a read leaves its scope behind only, which the next one sets if it needs another."""
