"""The API on a Redis Cluster: everything that keeps something in Redis, and what the doctor says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.execution.persisted import hash_of
from domain.core.ledger import SHARDS
from realtime.cluster import Cluster
from tests import facts, servers
from tests.api import asking
from tests.api.test_cli import waarborg

pytestmark = pytest.mark.slow

QUERY = "{ viewer { role } }"


@pytest.fixture(scope="module")
def cluster() -> Iterator[servers.RedisCluster]:
    """Three masters."""
    with servers.redis_cluster() as running:
        yield running


async def test_requests_are_charged_remembered_and_counted(
    database_url: str, redis_url: str, tmp_path: Path, cluster: servers.RedisCluster
) -> None:
    settings = asking.settings(database_url, cluster.url, tmp_path, jobs_redis_url=redis_url)
    async with asking.running(settings) as api:
        assert isinstance(api.state.redis, Cluster)
        parts = (await api.http.get("/readyz")).json()["parts"]
        assert parts["redis"]["ready"] is True
        office = await asking.office(api)
        await facts.number_all(api.make)
        persisted = {"persistedQuery": {"version": 1, "sha256Hash": hash_of(QUERY)}}
        for query in ({"query": QUERY}, {}):  # sent once with its hash, then by its hash alone
            body: dict[str, Any] = {"extensions": persisted, **query}
            headers = {"authorization": f"Bearer {office.client}"}
            answer = (await api.http.post("/graphql", json=body, headers=headers)).json()
            assert answer["data"] == {"viewer": {"role": "CLIENT_ADMIN"}}
        kept = sum(int(node.ask("DBSIZE")) for node in cluster.nodes)
        assert kept >= 2  # a budget, a document
        told = (await api.http.get("/metrics")).text
    behind = [line for line in told.splitlines() if line.startswith("waarborg_stream_behind{")]
    assert len(behind) == SHARDS
    assert sum(float(line.split()[1]) for line in behind) > 0  # no relay is at work here
    assert "waarborg_hub_facts_from_database_total" in told


def test_the_doctor_looks_at_every_node_and_at_addresses_that_mean_another_thing(
    database_url: str,
    system_url: str,
    owner_url: str,
    redis_url: str,
    cluster: servers.RedisCluster,
) -> None:
    logins = {
        "WAARBORG_DATABASE_URL": database_url,
        "WAARBORG_SYSTEM_DATABASE_URL": system_url,
        "WAARBORG_OWNER_DATABASE_URL": owner_url,
    }
    node = f"redis://127.0.0.1:{cluster.nodes[0].port}"

    def found(**urls: str) -> dict[str, dict[str, str]]:
        seen = waarborg("doctor", "--json", **logins, **urls)
        return {each["part"]: each for each in json.loads(seen.stdout)["findings"]}

    fine = found(WAARBORG_REDIS_URL=cluster.url, WAARBORG_JOBS_REDIS_URL=redis_url)
    assert fine["Redis Cluster"] == {
        "part": "Redis Cluster",
        "state": "fine",
        "seen": "3 nodes, state ok",
        "remedy": "",
    }
    names = {f"Redis node 127.0.0.1:{each.port}" for each in cluster.nodes}
    assert names <= fine.keys()
    assert "Redis of the jobs" in fine
    sick = found(WAARBORG_REDIS_URL=redis_url, WAARBORG_JOBS_REDIS_URL=node)
    assert sick["Redis of the jobs"]["state"] == "broken"
    assert "of its own" in sick["Redis of the jobs"]["remedy"]
