"""Connections to PostgreSQL: one engine per process, one transaction per action."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from domain.core import ledger_signal
from domain.core.text_rules import cleaned

Sessions = async_sessionmaker[AsyncSession]


class ScopedConnection(asyncpg.Connection):
    """Connection that sends `scope_settings` in the same message as its next BEGIN."""

    scope_settings: str | None = None

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109 - asyncpg's
        """Run a command; asyncpg starts transactions through this method."""
        if self.scope_settings is not None and query.startswith("BEGIN"):
            query, self.scope_settings = f"{query} {self.scope_settings}", None
        return await super().execute(query, *args, timeout=timeout)


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def connect(url: str, *, pool_size: int = 10, **server_settings: str) -> AsyncEngine:
    """Create an engine; `server_settings` are set on each connection, in PostgreSQL's units.

    Pre-ping costs a round trip on checkout and saves 10 of 100 requests after a database restart. Waiting for a lock
    fails after 4 s, so that contention shows as an error instead of a growing queue. Errors do not include the values
    of a statement, because those contain names and texts and errors are written to logs and rows.
    """
    if url.startswith("postgresql://"):
        url = "postgresql+asyncpg://" + url.removeprefix("postgresql://")
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        hide_parameters=True,
        json_serializer=_to_json,
        json_deserializer=msgspec.json.decode,
        connect_args={
            "connection_class": ScopedConnection,
            "server_settings": {
                "application_name": "waarborg",
                "timezone": "UTC",
                "lock_timeout": "4000",
                "jit": "off",
                **server_settings,
            },
        },
    )


def reason(error: BaseException) -> str:
    """Return an error as one line that is safe to store and show; of a database error only its class and code."""
    if isinstance(error, DBAPIError):
        orig = error.orig
        cause = getattr(orig, "__cause__", None) or orig
        state = getattr(orig, "sqlstate", None) or "no code"
        return f"{type(error).__name__}: {type(cause).__name__} ({state})"
    return cleaned(f"{type(error).__name__}: {error}", 500)


def sqlstate(error: DBAPIError) -> str:
    """Return PostgreSQL's code of an error; empty when it has none."""
    cause: BaseException | None = error.orig
    while cause is not None:
        state = getattr(cause, "sqlstate", None)
        if isinstance(state, str):
            return state
        cause = cause.__cause__
    return ""


def is_busy(error: BaseException) -> bool:
    """Whether other work held what a statement needed: a lock not had in time, a deadlock, a serialisation failure."""
    return isinstance(error, DBAPIError) and sqlstate(error) in {"55P03", "40P01", "40001"}


def is_unstorable(error: BaseException) -> bool:
    """Return whether an error means that a text cannot be stored: it contains a NUL or a lone surrogate."""
    if not isinstance(error, DBAPIError):
        return False
    cause = getattr(error.orig, "__cause__", None)
    states = {getattr(each, "sqlstate", None) for each in (error.orig, cause)}
    return bool(states & {"22021", "22P05"}) or "surrogates not allowed" in str(cause)


def sessions(engine: AsyncEngine, kind: type[AsyncSession] = AsyncSession) -> Sessions:
    """Create a session factory; rows stay readable after the commit."""
    return async_sessionmaker(engine, class_=kind, expire_on_commit=False)


@asynccontextmanager
async def transaction(make: Sessions) -> AsyncGenerator[AsyncSession]:
    """Run a block in a transaction: commit it completely or not at all. No other code commits."""
    async with make() as session, session.begin():
        yield session
    await ledger_signal.send(session)


async def driver_of(session: AsyncSession) -> Any:
    """Return the driver's connection, inside the session's transaction.

    SQLAlchemy begins a transaction with its own first statement only. A driver command sent before that would commit by
    itself.
    """
    connection = await session.connection()
    driver: Any = (await connection.get_raw_connection()).driver_connection
    if not driver.is_in_transaction():
        await connection.exec_driver_sql("SELECT 1")
    return driver


async def copy_rows(
    session: AsyncSession, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Insert many rows by binary COPY in the session's transaction; column defaults of the model do not apply."""
    if not rows:
        return
    if table == "ledger":
        ledger_signal.announce(session)
    driver = await driver_of(session)
    await driver.copy_records_to_table(table, columns=columns, records=rows)
