"""A pool of connections for prepared reads: a read takes three messages and no session."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

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
_LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


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
            min_size=0,
            max_size=size,
            max_inactive_connection_lifetime=IDLE_S,
            statement_cache_size=STATEMENTS,
            max_cached_statement_lifetime=0,
            init=_set_json_codec,
            reset=_nothing,
            server_settings={
                "application_name": "waarborg reads",
                "timezone": "UTC",
                "jit": "off",
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

    async def fetch(
        self, scope_settings: str, sql: str, arguments: Sequence[Any]
    ) -> list[Any] | None:
        """Run a statement in a transaction with these settings; None when the connection or the statement failed."""
        for each in self.listeners:
            each(sql)
        try:
            async with self._pool.acquire() as connection:
                try:
                    await connection.execute(f"BEGIN READ ONLY; {scope_settings}")
                    records: list[Any] = await connection.fetch(sql, *arguments)
                    await connection.execute("COMMIT")
                finally:
                    if connection.is_in_transaction():  # it failed, or was cancelled
                        await _roll_back(connection)
        except _LOST as error:
            self.failures += 1
            log.warning("read_pool.failed", error=type(error).__name__)
            return None
        return records


async def _set_json_codec(connection: Any) -> None:
    """Take and return JSON values as the sessions do."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda text: _VERSION + text.encode(),  # a statement's own arguments are JSON text
        decoder=lambda packed: msgspec.json.decode(packed[1:]),
    )


async def _roll_back(connection: Any) -> None:
    """End a transaction; a connection on which that fails, or is cancelled, is closed, and nobody gets its scope."""
    try:
        await connection.execute("ROLLBACK")
    except BaseException:
        connection.terminate()
        raise


async def _nothing(_connection: Any) -> None:
    """Reset nothing: a read leaves nothing behind that outlives its transaction."""
