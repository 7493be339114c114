"""Connections to PostgreSQL: one engine a process, one transaction an action."""

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

from domain.core.text_rules import cleaned

Sessions = async_sessionmaker[AsyncSession]


class ScopedConnection(asyncpg.Connection):
    """A connection that runs `scope_settings` in the same message as its next BEGIN."""

    scope_settings: str | None = None

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109 - asyncpg's
        """Run a command; asyncpg starts transactions through here."""
        if self.scope_settings is not None and query.startswith("BEGIN"):
            query, self.scope_settings = f"{query} {self.scope_settings}", None
        return await super().execute(query, *args, timeout=timeout)


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def connect(url: str, *, pool_size: int = 10, **server_settings: str) -> AsyncEngine:
    """An engine on PostgreSQL; `server_settings` are set on each connection, in PostgreSQL's units.

    Pre-ping costs a round trip on checkout and saves 10 of 100 requests after a database restart. A lock
    that is not had in 4 s is an error somebody can see instead of a queue nobody can. Errors do not show the values of
    a statement: they hold names and letters, and errors are written to logs and rows.
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
    """An error in a line that may be kept and shown: of a database's error its class and code, never a value."""
    if isinstance(error, DBAPIError):
        orig = error.orig
        cause = getattr(orig, "__cause__", None) or orig
        state = getattr(orig, "sqlstate", None) or "no code"
        return f"{type(error).__name__}: {type(cause).__name__} ({state})"
    return cleaned(f"{type(error).__name__}: {error}", 500)


def is_unstorable(error: BaseException) -> bool:
    """Whether a text holds what PostgreSQL's text cannot: a NUL, or half a character."""
    if not isinstance(error, DBAPIError):
        return False
    cause = getattr(error.orig, "__cause__", None)
    states = {getattr(each, "sqlstate", None) for each in (error.orig, cause)}
    return bool(states & {"22021", "22P05"}) or "surrogates not allowed" in str(cause)


def sessions(engine: AsyncEngine, kind: type[AsyncSession] = AsyncSession) -> Sessions:
    """A maker of sessions whose rows stay readable after the commit."""
    return async_sessionmaker(engine, class_=kind, expire_on_commit=False)


@asynccontextmanager
async def transaction(make: Sessions) -> AsyncGenerator[AsyncSession]:
    """The only place that commits: all of the block, or nothing of it."""
    async with make() as session, session.begin():
        yield session


async def driver_of(session: AsyncSession) -> Any:
    """The driver's connection, inside the session's transaction.

    SQLAlchemy begins one with its own first statement only: what the driver is told before commits by itself.
    """
    connection = await session.connection()
    driver: Any = (await connection.get_raw_connection()).driver_connection
    if not driver.is_in_transaction():
        await connection.exec_driver_sql("SELECT 1")
    return driver


async def copy_rows(
    session: AsyncSession, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Write many rows by binary COPY, inside the session's transaction; no defaults of the model apply."""
    if not rows:
        return
    driver = await driver_of(session)
    await driver.copy_records_to_table(table, columns=columns, records=rows)
