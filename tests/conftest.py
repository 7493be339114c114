"""Real servers for every test: one PostgreSQL and one Redis for the whole run, one database for each file of it."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis
from sqlalchemy import make_url

from api.embedded import Servers, servers
from api.support import migrate
from domain.core.db import Sessions, connect, sessions

TEMPLATE = "waarborg_template"
_NUMBERS = count()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow tests, so that no worker is left with one when the others are done."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The loop that everything of ours runs on."""
    return "asyncio"


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers of this run. They skip fsync: no test pulls the plug of this machine, and it saves a third.

    Killing a server process loses nothing without fsync either; tests about durability start their own pair.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with servers(shared / "servers", durable=False) as running:
        yield running


@pytest.fixture(scope="module")
def owner_url(pair: Servers) -> Iterator[str]:
    """A database for the tests of one file, as the login that owns its tables.

    A copy takes a fifth of a second; a worker process that has to plough through the facts of all other tests
    before it comes to ours took a minute.
    """
    name = f"waarborg_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}_{next(_NUMBERS)}"
    yield copied(pair, name)
    asyncio.run(_drop(superuser(pair), name))


def copied(pair: Servers, name: str) -> str:
    """A database of this name, copied from one template that was migrated once; its owner's address."""
    owner = make_url(pair.owner_url)
    template_url = owner.set(database=TEMPLATE).render_as_string(hide_password=False)
    directory = Path(str(owner.query["host"])).parent
    with (directory / "template.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if asyncio.run(_create(superuser(pair), TEMPLATE, "template1")):
            migrate.upgrade(template_url)
        asyncio.run(_create(superuser(pair), name, TEMPLATE))
    return owner.set(database=name).render_as_string(hide_password=False)


def superuser(pair: Servers) -> str:
    """The address of whoever may make databases."""
    owner = make_url(pair.owner_url)
    login = owner.set(drivername="postgresql", username="postgres", database="postgres")
    return login.render_as_string(hide_password=False)


async def _drop(address: str, name: str) -> None:
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


async def _create(address: str, name: str, template: str) -> bool:
    """Make a database unless it is there; whether it was made."""
    connection = await asyncpg.connect(address)
    try:
        if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            return False
        await connection.execute(
            f"CREATE DATABASE {name} TEMPLATE {template} OWNER waarborg_owner STRATEGY file_copy"
        )
        return True
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def database_url(owner_url: str) -> str:
    """The same database, as the application's login."""
    return login(owner_url, migrate.APP_ROLE)


@pytest.fixture(scope="module")
def system_url(owner_url: str) -> str:
    """The same database, as the login that sees every company's rows."""
    return login(owner_url, "waarborg_system")


def login(url: str, role: str) -> str:
    """The same database for another login."""
    return make_url(url).set(username=role).render_as_string(hide_password=False)


@pytest.fixture
async def make(system_url: str) -> AsyncIterator[Sessions]:
    """A maker of sessions on this file's database; commits are real and nothing is cleaned."""
    engine = connect(system_url)
    yield sessions(engine)
    await engine.dispose()


@pytest.fixture(scope="session")
def redis_url(pair: Servers) -> str:
    """A Redis database number of this worker's own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return pair.redis_url.replace("?db=0", f"?db={1 + int(worker)}")


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A connection to this worker's Redis database."""
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()
