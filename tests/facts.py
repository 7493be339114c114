"""Plain facts for tests: a client of its own, things that happen to it, and a relay's round of numbering."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from domain import accounts
from domain.access import Actor, Role, Tx
from domain.core import sequencing
from domain.core.db import Sessions, transaction
from domain.core.ledger import Fact, LedgerRow, record, shard_of
from domain.core.sequencing import SequencedBatch

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class Noted(Fact):
    """Something happened, the `n`th of its kind."""

    kind: ClassVar[str] = "test.noted"

    n: int
    internal: bool = False


class Rung(Fact):
    """Something else happened."""

    kind: ClassVar[str] = "test.rung"

    n: int


@dataclass(frozen=True)
class Client:
    """One account of a tenant of its own, and who acts in it."""

    actor: Actor
    account_id: UUID

    @property
    def guest(self) -> Actor:
        """A client user of this account."""
        return replace(
            self.actor,
            role=Role.CLIENT_USER,
            accounts=frozenset({self.account_id}),
            subject="user:guest",
        )


async def client(make: Sessions) -> Client:
    """A new account of a new tenant."""
    async with transaction(make) as session:
        tenant = await accounts.create_tenant(session, name=f"Veilig {uuid4()}")
        actor = Actor(tenant.id, Role.MANAGEMENT, "user:tester")
        account = await accounts.create_account(Tx(session, actor, T0), name="Haven")
    return Client(actor, account.id)


async def sibling(make: Sessions, of: Client) -> Client:
    """Another account of the same tenant."""
    async with transaction(make) as session:
        account = await accounts.create_account(Tx(session, of.actor, T0), name=f"Kade {uuid4()}")
    return Client(of.actor, account.id)


async def note(make: Sessions, whom: Client, *numbers: int, **fields: Any) -> list[LedgerRow]:
    """Commit one `test.noted` fact for each number, together."""
    async with transaction(make) as session:
        return [
            record(
                session,
                whom.actor,
                Noted(account_id=whom.account_id, subject_id=uuid4(), at=T0, n=n, **fields),
            )
            for n in numbers
        ]


async def import_past(make: Sessions, whom: Client, facts: int) -> None:
    """Commit many `test.noted` facts of history at once, as an import does."""
    async with transaction(make) as session:
        await session.execute(
            text(
                "INSERT INTO ledger (tenant_id, account_id, shard, kind, subject_id, at, origin, actor, body)"
                " SELECT :tenant, :account, :shard, 'test.noted', uuidv7(), :at, 'history', :actor,"
                " jsonb_build_object('n', n, 'internal', false) FROM generate_series(1, :facts) n"
            ),
            {
                "tenant": whom.actor.tenant_id,
                "account": whom.account_id,
                "shard": shard_of(whom.actor.tenant_id, whom.account_id),
                "at": T0,
                "actor": whom.actor.subject,
                "facts": facts,
            },
        )


async def number_all(
    make: Sessions, routes: Mapping[str, Sequence[str]] | None = None, *, at: datetime = T0
) -> SequencedBatch:
    """Number whatever is committed, as the relay does."""
    while True:
        async with transaction(make) as session:
            batch = await sequencing.assign_sequence(session, routes=routes or {}, due_at=at)
        if batch.facts < 1000:
            return batch


async def until(holds: Callable[[], bool], *, within_s: float = 60) -> None:
    """Wait for something that another task or process brings about."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - what is waited for is no task of this loop
            await asyncio.sleep(0.01)


@asynccontextmanager
async def tampering(owner_url: str) -> AsyncIterator[AsyncSession]:
    """A superuser's session, past every trigger; what it does is undone at the end."""
    engine = create_async_engine(make_url(owner_url).set(username="postgres"), poolclass=NullPool)
    async with engine.connect() as connection:
        session = AsyncSession(connection)
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        yield session
        await session.rollback()
    await engine.dispose()


async def end_all_connections(owner_url: str) -> None:
    """What a restart or a failover of PostgreSQL does to everybody connected to this database."""
    engine = create_async_engine(make_url(owner_url).set(username="postgres"), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    await engine.dispose()
