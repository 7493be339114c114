"""The second fence: what PostgreSQL itself shows to a session of an actor, whatever the query says."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from domain.access.rls import ScopedSessions
from domain.accounts import Account, Site, Tenant
from domain.core.db import Sessions, connect, sessions, transaction
from domain.core.ledger import LedgerRow
from domain.incidents import Incident
from tests import build
from tests.api import asking
from tests.build import World


@pytest.fixture
async def requests(database_url: str) -> AsyncIterator[Sessions]:
    """Sessions as requests have them, not fenced yet."""
    engine = connect(database_url, pool_size=1)
    yield sessions(engine)
    await engine.dispose()


async def count(make: Sessions, model: type[object]) -> int:
    async with make() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


async def test_a_session_that_says_nothing_sees_nothing(make: Sessions, requests: Sessions) -> None:
    await build.client(make)
    assert await count(make, Account) > 0
    assert [await count(requests, kind) for kind in (Tenant, Account, Site, LedgerRow)] == [0] * 4


async def test_a_query_without_a_fence_sees_only_the_actors_company(
    make: Sessions, requests: Sessions
) -> None:
    own, other = await build.client(make), await build.client(make)
    await build.incident(make, other)
    fenced = ScopedSessions(requests, own.staff)
    async with fenced() as session:
        assert list(await session.scalars(select(Tenant.id))) == [own.tenant.id]
        assert list(await session.scalars(select(Account.id))) == [own.account.id]
        assert set(await session.scalars(select(LedgerRow.tenant_id))) == {own.tenant.id}
    assert await count(fenced, Incident) == 0


async def second_account(make: Sessions, world: World) -> Site:
    from domain import accounts
    from domain.access import Actor, Tx

    system = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        account = await accounts.create_account(Tx(session, system, build.T0), name="Andere")
        return await accounts.add_site(Tx(session, system, build.T0), account.id, name="Daar")


async def test_a_query_without_a_fence_sees_only_the_actors_accounts(
    make: Sessions, requests: Sessions
) -> None:
    world = await build.client(make)
    elsewhere = await second_account(make, world)
    async with ScopedSessions(requests, world.client)() as session:
        assert list(await session.scalars(select(Site.id))) == [world.site.id]
        assert elsewhere.account_id not in set(await session.scalars(select(LedgerRow.account_id)))
    async with ScopedSessions(requests, replace(world.client, accounts=frozenset()))() as session:
        assert list(await session.scalars(select(Site.id))) == []
    async with ScopedSessions(requests, world.staff)() as session:
        assert set(await session.scalars(select(Site.id))) == {world.site.id, elsewhere.id}


async def test_rows_of_others_are_neither_changed_nor_written_nor_taken_away(
    make: Sessions, requests: Sessions
) -> None:
    own, other = await build.client(make), await build.client(make)
    fenced = ScopedSessions(requests, own.staff)
    async with transaction(fenced) as session:
        changed = await session.execute(update(Site).values(name="Mine now"))
        gone = await session.execute(delete(Site).where(Site.id == other.site.id))
    assert (changed.rowcount, gone.rowcount) == (1, 0)  # type: ignore[attr-defined]
    with pytest.raises(DBAPIError, match="row-level security"):
        async with transaction(fenced) as session:
            session.add(
                Account(tenant_id=other.tenant.id, name=uuid4().hex)  # a foreign row from inside
            )
    with pytest.raises(DBAPIError, match="row-level security"):
        async with transaction(ScopedSessions(requests, own.client)) as session:
            await session.execute(update(Account).values(tenant_id=other.tenant.id))


async def test_what_was_said_ends_with_the_transaction(make: Sessions, requests: Sessions) -> None:
    world = await build.client(make)
    fenced = ScopedSessions(requests, world.client)
    said = select(
        func.current_setting("waarborg.tenant", True),
        func.current_setting("waarborg.accounts", True),
    )
    async with fenced() as session:
        first = (await session.execute(said)).one()
        await session.commit()
        again = (await session.execute(said)).one()  # a second transaction says it again
    async with requests() as session:  # the same connection: the pool has one
        after = (await session.execute(said)).one()
    assert first == again == (str(world.tenant.id), f"{{{world.account.id}}}")
    assert after in {(None, None), ("", "")}
    assert await count(requests, Account) == 0


async def test_a_session_that_asked_nothing_leaves_nothing_to_the_next(
    make: Sessions, requests: Sessions
) -> None:
    own, other = await build.client(make), await build.client(make)
    async with ScopedSessions(requests, own.staff)() as session:
        await session.connection()  # begins, and never sends a statement
    async with ScopedSessions(requests, other.staff)() as session:
        assert list(await session.scalars(select(Tenant.id))) == [other.tenant.id]
    async with ScopedSessions(requests, own.staff)() as session:
        await session.connection()
    assert await count(requests, Tenant) == 0


async def test_a_savepoint_keeps_what_was_said(make: Sessions, requests: Sessions) -> None:
    world = await build.client(make)
    async with transaction(ScopedSessions(requests, world.staff)) as session:
        async with session.begin_nested():
            assert await session.scalar(select(func.count()).select_from(Tenant)) == 1
        with pytest.raises(DBAPIError):
            async with session.begin_nested():
                await session.execute(text("SELECT 1 / 0"))
        assert list(await session.scalars(select(Tenant.id))) == [world.tenant.id]


async def test_a_cancelled_request_gives_its_connection_back_without_its_fence(
    make: Sessions, requests: Sessions
) -> None:
    own, other = await build.client(make), await build.client(make)

    async def slow() -> None:
        async with ScopedSessions(requests, own.staff)() as session:
            await session.execute(text("SELECT pg_sleep(30)"))

    for _ in range(5):
        task = asyncio.create_task(slow())
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with ScopedSessions(requests, other.staff)() as session:
        assert list(await session.scalars(select(Tenant.id))) == [other.tenant.id]
    assert await count(requests, Tenant) == 0


@pytest.mark.parametrize("wrong", ["database_url", "system_database_url"])
async def test_an_api_on_the_wrong_login_is_not_ready_and_says_why(
    wrong: str, database_url: str, system_url: str, redis_url: str, tmp_path: Path
) -> None:
    swapped = {"database_url": system_url, "system_database_url": database_url}
    configured = asking.settings(database_url, redis_url, tmp_path)
    right = {"database_url": database_url, "system_database_url": system_url}
    async with asking.running(configured) as api:
        fence = (await api.http.get("/readyz")).json()["parts"]["fence"]
    async with asking.running(configured.model_copy(update=right | {wrong: swapped[wrong]})) as api:
        response = await api.http.get("/readyz")
    assert fence == {"ready": True}
    assert response.status_code == 503
    assert "row-level security" in response.json()["parts"]["fence"]["why"]
