"""The live map on a real Redis Cluster: what one process takes is seen at another, wherever its slot is."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from redis.crc import key_slot

from domain.core import sequencing
from domain.core.settings import Settings
from realtime import positions
from tests import guards, servers
from tests.api import asking
from tests.api.asking import Api, Socket
from tests.guards import Guard, near

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

MAP = "subscription ($a: ID) { positions(accountId: $a) { position { lat } } }"


@dataclass
class Scene:
    """Somebody on duty whose phone reports to one process, and somebody who watches at another."""

    here: Api
    guard: Guard
    watcher: Socket
    cluster: servers.RedisCluster
    steps: Iterator[int] = field(default_factory=lambda: count(1))

    async def walk(self) -> float:
        """A step on: the latitude that the phone reports now."""
        place = near(next(self.steps))
        fix = place | {"at": int(datetime.now(UTC).timestamp() * 1000)}
        response = await self.here.http.post(
            "/ingest/positions",
            json={"fixes": [fix]},
            headers={"authorization": f"Bearer {self.guard.token}"},
        )
        assert response.json()["accepted"] == 1, response.text
        return place["lat"]

    async def seen(self, lat: float) -> None:
        """Wait until the watcher sees the guard there."""
        async with asyncio.timeout(60):
            while True:
                told: Any = await self.watcher.next()
                if told["positions"]["position"]["lat"] == pytest.approx(lat, abs=1e-7):
                    return

    async def key(self) -> str:
        """Under which Redis keeps what is new on the map."""
        async with self.here.make() as session:
            name = await sequencing.ledger_name(session)
        return f"waarborg:{name}:{{positions}}"


@asynccontextmanager
async def scene(
    cluster: servers.RedisCluster, database_url: str, redis_url: str, data: Path
) -> AsyncIterator[Scene]:
    """Two processes of the API on one Cluster."""

    def configured() -> Settings:
        return asking.settings(database_url, cluster.url, data, jobs_redis_url=redis_url)

    async with asking.running(configured()) as here, asking.serving(configured()) as there:
        office = await asking.office(here)
        guard = await guards.on_duty(here.make, office.world)
        async with there.socket(office.dispatcher) as watcher:
            told = Scene(here, guard, watcher, cluster)
            first = await told.walk()
            await watcher.subscribe("1", MAP, a=office.account)
            await told.seen(first)
            await asyncio.sleep(1.1 * positions.WAIT_S)  # reads that began before are over
            yield told


async def test_a_step_is_seen_at_another_process_also_while_its_slot_moves(
    database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions, "COMPARE_S", 300.0)  # what is seen came through Redis
    with servers.redis_cluster() as cluster:
        async with scene(cluster, database_url, redis_url, tmp_path) as story:
            for _ in range(3):
                await story.seen(await story.walk())

            key = await story.key()
            slot = key_slot(key.encode())
            n = slot * cluster.masters // 16_384
            giver, taker = cluster.nodes[n], cluster.nodes[n - 1]
            names = giver.ask("CLUSTER", "MYID"), taker.ask("CLUSTER", "MYID")
            taker.ask("CLUSTER", "SETSLOT", str(slot), "IMPORTING", names[0])
            giver.ask("CLUSTER", "SETSLOT", str(slot), "MIGRATING", names[1])
            assert giver.ask("MIGRATE", "127.0.0.1", str(taker.port), key, "0", "1000") == "OK"
            await asyncio.sleep(1.1 * positions.WAIT_S)  # reads that began before are over
            for _ in range(3):  # ASK: the slot is still the giver's, the stream is not
                await story.seen(await story.walk())
            for node in cluster.nodes:
                node.ask("CLUSTER", "SETSLOT", str(slot), "NODE", names[1])
            for _ in range(3):  # MOVED
                await story.seen(await story.walk())


async def test_a_step_is_seen_while_its_node_is_dead_and_through_the_replica_that_takes_over(
    database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with servers.redis_cluster(replicas=3) as cluster:
        async with scene(cluster, database_url, redis_url, tmp_path) as story:
            n = key_slot((await story.key()).encode()) * cluster.masters // 16_384
            cluster.nodes[n].kill()
            for _ in range(3):  # from PostgreSQL, a second later
                await story.seen(await story.walk())
            await asyncio.to_thread(
                servers.wait_until, cluster.nodes[n + 3].is_master, "a replica leads", within_s=30
            )
            monkeypatch.setattr(positions, "COMPARE_S", 300.0)
            await asyncio.sleep(positions.AWAY_S + 2 * positions.WAIT_S)
            for _ in range(3):
                await story.seen(await story.walk())
