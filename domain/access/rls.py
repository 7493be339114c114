"""Row-level security: every transaction of a request is scoped to one company and, for some actors, to accounts.

The policies themselves are made by migrations. The login of requests sees no row until the settings that the policies
read are set. They are set in the same message as BEGIN, so they cost no round trip, and for the length of the
transaction only, so that the next user of a pooled connection inherits nothing. Work across companies (relay, sweepers,
sign-in) uses the system's login.
"""

from typing import Any

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session, SessionTransaction

from domain.access.actor import Actor
from domain.core.db import ScopedConnection
from domain.core.prepared_rows import RowReader

TENANT, ACCOUNTS = "waarborg.tenant", "waarborg.accounts"


class _ScopedSession(Session):
    """A session scoped to one actor."""


class ScopedSessions(async_sessionmaker[AsyncSession]):
    """Session factory that shows only the rows of one actor, on the engine of another factory."""

    reader: RowReader | None = None
    """Reads whole rows in the same scope, without a session; None where sessions read everything."""

    def __init__(self, make: async_sessionmaker[AsyncSession], actor: Actor, **info: Any) -> None:
        """Scope the sessions of `make` to `actor`; `info` is kept in the `info` of each session."""
        # Not super().__init__: it builds a class, which is 40 µs of every request for nothing.
        self.class_ = make.class_
        self.kw = {
            **make.kw,
            "sync_session_class": _ScopedSession,
            "info": {"scope_settings": scope_settings(actor), **info},
        }


def scope_settings(actor: Actor) -> str:
    """Render the settings that the policies read as statements; ids are UUIDs, so nothing needs quoting."""
    statements = f"SET LOCAL {TENANT} = '{actor.tenant_id}';"
    if actor.accounts is not None:
        ids = ",".join(map(str, actor.accounts))
        statements += f" SET LOCAL {ACCOUNTS} = '{{{ids}}}';"
    return statements


def connection_scope(actor: Actor) -> str:
    """Render the settings as `scope_settings` does, for all transactions of a connection until they are set again."""
    statements = f"SET {TENANT} = '{actor.tenant_id}';"
    if actor.accounts is None:
        return f"{statements} RESET {ACCOUNTS};"
    ids = ",".join(map(str, actor.accounts))
    return f"{statements} SET {ACCOUNTS} = '{{{ids}}}';"


@event.listens_for(_ScopedSession, "after_begin")
def _apply_scope(
    session: Session, transaction: SessionTransaction, connection: SyncConnection
) -> None:
    if transaction.nested:
        return  # a savepoint stays within the scope of its transaction
    driver: ScopedConnection = connection.connection.driver_connection  # type: ignore[assignment]
    driver.scope_settings = session.info["scope_settings"]
