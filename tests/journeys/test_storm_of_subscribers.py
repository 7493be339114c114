"""Two hundred subscribers on a bad network, while Redis forgets, an API process is killed and the relay dies.

Whatever is acknowledged reaches every subscriber of its account: in order, once, none missing.
"""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from redis.asyncio import Redis
from sqlalchemy import func, select

from api.identity import tokens
from api.process.serve import listen
from domain import accounts
from domain.access import Actor, Role, Tx
from domain.core import cursor, sequencing
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.core.settings import Settings
from realtime.tasks import end
from schema.core import ids
from tests import build, facts, servers
from tests.api import asking
from tests.journeys.subscribing import Subscriber
from tests.journeys.test_spine import until
from tests.journeys.watching import HOME, Workers
from tests.proxy import Proxy, Weather

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

SEED = 20_260_302
COMPANIES = 10
SUBSCRIBERS = 200
UPDATES = 10  # mutations of each company over HTTP, one after the other
NOTES = 20  # facts of each company through an action, in bursts
FLUSHES = 5
STORM_S = 14.0
SILENT_S = 25.0  # without a single fact to anybody

UPDATE = """mutation ($input: UpdateIncidentInput!) {
  updateIncident(input: $input) { ... on Incident { id } ... on Refusal { code message retryable } } }"""


@dataclass
class ApiProcess:
    """One API process on a port that outlives it, as under `waarborg api`."""

    settings: Settings
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self._listener = listen("127.0.0.1", 0)
        self.port: int = self._listener.getsockname()[1]

    def start(self) -> None:
        """Start it; whoever connects meanwhile waits in the port's queue."""
        told = {
            f"WAARBORG_{name.upper()}": str(getattr(self.settings, name))
            for name in ("database_url", "system_database_url", "redis_url", "data")
        }
        descriptor = self._listener.fileno()
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "api.process.child", "api", str(descriptor)],
                stdin=subprocess.PIPE,  # it ends when this test does
                stdout=out,
                stderr=out,
                pass_fds=[descriptor],
                cwd=HOME,
                env=os.environ | told,
            )

    def kill(self) -> None:
        """End it without a word."""
        assert self.process is not None
        self.process.kill()
        self.process.communicate()

    def close(self) -> None:
        """End it, and the port with it."""
        self.kill()
        self._listener.close()


@dataclass
class Company:
    """A company with one client: who writes, what about, who watches."""

    world: build.World
    dispatcher: str
    client: str
    incident: str
    watchers: list[Subscriber] = field(default_factory=list)
    acknowledged: int = 0

    @property
    def account(self) -> str:
        """The client's global id."""
        return ids.write("Account", self.world.account.id)

    async def write(self, api: httpx2.AsyncClient, ports: list[int], dice: random.Random) -> None:
        """Updates, each repeated with its key until one of the API processes has acknowledged it."""
        for n in range(UPDATES):
            given = {"id": self.incident, "body": f"Round {n}", "idempotencyKey": str(uuid4())}

            async def acknowledged(given: dict[str, str] = given) -> bool:
                return await self._ask(api, dice.choice(ports), given)

            await until(acknowledged, "an acknowledgement", within_s=200)
            self.acknowledged += 1
            await asyncio.sleep(dice.uniform(0.5, 1.5))

    async def _ask(self, api: httpx2.AsyncClient, port: int, given: dict[str, str]) -> bool:
        try:
            response = await api.post(
                f"http://127.0.0.1:{port}/graphql",
                json={"query": UPDATE, "variables": {"input": given}},
                headers={"authorization": f"Bearer {self.dispatcher}"},
            )
        except httpx2.HTTPError:
            return False  # killed with the answer on its lips, or before
        answer = response.json()
        assert "errors" not in answer, answer
        return "id" in answer["data"]["updateIncident"]

    async def act(self, make: Sessions, dice: random.Random) -> None:
        """Facts through an action, a few in each transaction."""
        whom = facts.Client(Actor.system(self.world.tenant.id, "test"), self.world.account.id)
        for start in range(0, NOTES, 5):
            await facts.note(make, whom, *range(start, start + 5))
            self.acknowledged += 5
            await asyncio.sleep(dice.uniform(1, 4))

    async def visible(self, make: Sessions, secret: bytes) -> list[str]:
        """The cursors of all facts that the client may see, in order."""
        async with make() as session:
            rows = await session.execute(
                select(LedgerRow.seq, LedgerRow.hash, LedgerRow.body)
                .where(LedgerRow.account_id == self.world.account.id, LedgerRow.seq.is_not(None))
                .order_by(LedgerRow.seq)
            )
            seen = [
                (row.seq, sequencing.link_of(row.hash))
                for row in rows
                if not row.body.get("internal")
            ]
        return [cursor.of_seq(secret, self.world.tenant.id, seq, link) for seq, link in seen]


async def company(make: Sessions, signing: tokens.Keys) -> Company:
    """A company whose client has an open ticket."""
    world = await build.client(make)
    now = datetime.now(UTC)
    async with transaction(make) as session:
        dispatcher = await accounts.add_user(
            Tx(session, Actor.system(world.tenant.id, "test"), build.T0),
            email=f"{world.tenant.id}@example.org",
            name="Dispatcher",
            role=Role.DISPATCHER,
        )
    incident = await build.incident(make, world, at=now)
    return Company(
        world,
        signing.issue(dispatcher.id, at=now),
        signing.issue(world.client_user.id, at=now),
        ids.write("Incident", incident.id),
    )


@asynccontextmanager
async def answering(api: ApiProcess) -> AsyncIterator[None]:
    """A running API process that has answered once."""
    api.start()
    try:
        await until_ready(api)
        yield
    finally:
        api.close()


async def until_ready(api: ApiProcess) -> None:
    """Wait for a first answer."""
    async with httpx2.AsyncClient() as http:

        async def ready() -> bool:
            try:
                return (await http.get(f"http://127.0.0.1:{api.port}/readyz")).status_code == 200
            except httpx2.HTTPError:
                return False

        await until(ready, "an API process answers", within_s=120)


async def everything_is_numbered(make: Sessions) -> bool:
    """Whether the relay has nothing left to do."""
    async with make() as session:
        waiting = select(func.count()).select_from(LedgerRow).where(LedgerRow.seq.is_(None))
        return await session.scalar(waiting) == 0


async def caught_up(watchers: list[Subscriber], told: dict[str, list[str]]) -> None:
    """Wait until everybody has heard as much as there is; or nobody hears anything any more: what lacks shows later."""
    heard, since = -1, time.monotonic()
    while any(len(watcher.heard) < len(told[watcher.account]) for watcher in watchers):
        if (now := sum(len(watcher.heard) for watcher in watchers)) > heard:
            heard, since = now, time.monotonic()
        if time.monotonic() - since > SILENT_S:
            return
        await asyncio.sleep(0.1)


async def test_every_acknowledged_fact_reaches_every_subscriber_in_order(
    database_url: str, make: Sessions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dice = random.Random(SEED)
    with servers.redis_server() as redis_server:
        settings = asking.settings(database_url, redis_server.url, tmp_path)
        signing = tokens.load(settings)
        secret = signing.secret("cursor")
        companies = [await company(make, signing) for _ in range(COMPANIES)]
        apis = [ApiProcess(settings, tmp_path / f"api{n}.log") for n in range(2)]
        ports = [api.port for api in apis]
        workers = Workers(settings)
        workers.start()
        async with AsyncExitStack() as stack:
            stack.callback(workers.kill)
            for api in apis:
                await stack.enter_async_context(answering(api))
            redis = Redis.from_url(redis_server.url)
            stack.push_async_callback(redis.aclose)
            proxy = await stack.enter_async_context(Proxy(ports, seed=SEED, weather=Weather()))
            http = await stack.enter_async_context(httpx2.AsyncClient(timeout=30))
            for n in range(SUBSCRIBERS):
                whose = companies[n % COMPANIES]
                beginning = cursor.of_seq(secret, whose.world.tenant.id, 0)
                whose.watchers.append(
                    Subscriber(
                        proxy.port, whose.client, whose.account, beginning, random.Random(SEED + n)
                    )
                )
            watchers = [watcher for each in companies for watcher in each.watchers]
            listening = [asyncio.create_task(watcher.run()) for watcher in watchers]
            stack.push_async_callback(end, *listening)

            writing = [
                asyncio.create_task(task)
                for each in companies
                for task in (each.write(http, ports, dice), each.act(make, dice))
            ]
            began = time.monotonic()
            for n in range(FLUSHES):
                await asyncio.sleep(STORM_S / (FLUSHES + 1))
                await redis.flushall()
                if n == 1:
                    apis[0].kill()
                    apis[0].start()
                if n == 3:
                    workers.kill()
                    workers.start()
            await asyncio.sleep(max(0.0, began + STORM_S - time.monotonic()))
            proxy.clear_up()
            in_storm = sum(each.acknowledged for each in companies)
            await asyncio.gather(*writing)
            await until(
                lambda: everything_is_numbered(make),
                "the relay has numbered everything",
                within_s=120,
            )
            workers.kill()  # from here on nothing new is numbered
            told = {each.account: await each.visible(make, secret) for each in companies}
            calm = time.monotonic()
            await caught_up(watchers, told)
            caught_up_s = time.monotonic() - calm
            await asyncio.sleep(1.2)  # one comparison of the hubs more: nothing comes twice

    counts = {
        "acknowledged": sum(each.acknowledged for each in companies),
        "in the storm": in_storm,
        "facts to be heard": sum(len(each) for each in told.values()),
        "deliveries": sum(len(watcher.heard) for watcher in watchers),
        "repeats": sum(watcher.repeats for watcher in watchers),
        "gap notices": sum(watcher.gaps for watcher in watchers),
        "subscriptions": sum(watcher.connections for watcher in watchers),
        "flushes of Redis": FLUSHES,
        "kills": "1 API process, 1 worker",
        **proxy.done,
        "seconds to catch up": f"{caught_up_s:.1f}",
    }
    with capsys.disabled():
        print(  # noqa: T201 - the figures are what this test is asked for
            "\n" + "; ".join(f"{name} {count}" for name, count in counts.items())
        )

    bugs = [line for api in apis for line in api.log.read_text().splitlines() if '"error"' in line]
    wrong = [each for watcher in watchers for each in watcher.wrong]
    assert not wrong, (wrong[0], [line for line in bugs if "exception" in line][:3])
    lacking = Counter[str]()
    for watcher in watchers:
        if watcher.heard != told[watcher.account]:
            lacks = len(set(told[watcher.account]) - set(watcher.heard))
            lacking["missing" if lacks else "out of order"] += lacks or 1
    assert not lacking
    assert sum(watcher.repeats for watcher in watchers) == 0
    assert sum(each.acknowledged for each in companies) == COMPANIES * (UPDATES + NOTES)
    assert all(proxy.done[what] >= 20 for what in ("refused", "cut", "cut in a frame", "stalled"))
