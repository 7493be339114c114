"""Row-level security: every transaction of a request tells PostgreSQL whose it is; other rows do not exist for it.

The application's login sees nothing until it has said for whom. It says so in the same message as its BEGIN, so the
second fence costs no round trip, and for the length of the transaction only, so the next borrower of a pooled
connection inherits nothing. Work that is no single company's (relay, sweepers, sign-in) uses the system's login.
"""

from typing import Any

import asyncpg
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session, SessionTransaction

from domain.actor import Actor

TENANT, ACCOUNTS = "waarborg.tenant", "waarborg.accounts"


class Connection(asyncpg.Connection):
    """A connection that says along with its next BEGIN what `whose` holds."""

    whose: str | None = None

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109 - asyncpg's
        """Run a command; asyncpg starts transactions through here."""
        if self.whose is not None and query.startswith("BEGIN"):
            query, self.whose = f"{query} {self.whose}", None
        return await super().execute(query, *args, timeout=timeout)


class _Fenced(Session):
    """A session of one actor."""


class Fenced(async_sessionmaker[AsyncSession]):
    """A maker of sessions for which only the rows of one actor exist, on the engine of another maker."""

    def __init__(self, make: async_sessionmaker[AsyncSession], actor: Actor, **info: Any) -> None:
        """Scope the sessions of `make` to `actor`; `info` is kept in the `info` of each session."""
        # Not super().__init__: it builds a class, which is 40 µs of every request for nothing.
        self.class_ = make.class_
        self.kw = {
            **make.kw,
            "sync_session_class": _Fenced,
            "info": {"whose": whose(actor), **info},
        }


def whose(actor: Actor) -> str:
    """The settings that the policies read, as statements; ids are UUIDs, so nothing needs quoting."""
    said = f"SET LOCAL {TENANT} = '{actor.tenant_id}';"
    if actor.accounts is not None:
        ids = ",".join(map(str, actor.accounts))
        said += f" SET LOCAL {ACCOUNTS} = '{{{ids}}}';"
    return said


@event.listens_for(_Fenced, "after_begin")
def _say(session: Session, transaction: SessionTransaction, connection: SyncConnection) -> None:
    if transaction.nested:
        return  # a savepoint stands inside what was said
    driver: Connection = connection.connection.driver_connection  # type: ignore[assignment]
    driver.whose = session.info["whose"]


def policy(table: str, *, tenant: str = "tenant_id", account: str | None = None) -> list[str]:
    """The statements by which a migration fences a table, for its owner too.

    `account` names the column that limits rows to accounts; rows where it is null belong to the whole company.
    """
    mine = f"{tenant} = (SELECT fence_tenant())"
    if account is not None:
        mine += (
            f" AND ((SELECT fence_accounts()) IS NULL OR {account} IS NULL"
            f" OR {account} = ANY ((SELECT fence_accounts())::uuid[]))"
        )
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY fence ON {table} USING ({mine})",
    ]
