"""Addresses of Redis: which there are, what they carry, which are refused."""

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import ValidationError
from redis.asyncio.connection import SSLConnection
from redis.exceptions import AuthenticationError

from domain.core.settings import Settings
from realtime.cluster import Cluster
from realtime.redis import connect
from tests import servers
from workers.queue import Queue

pytestmark = pytest.mark.anyio


def test_a_cluster_is_named_by_some_of_its_nodes_with_one_login_for_all() -> None:
    client = connect("rediss+cluster://me:s%40fe@a:7001,b,[::1]:7003?ssl_ca_certs=ca.pem")
    pool = client.connection_pool
    assert isinstance(client, Cluster)
    assert client.seeds == [("a", 7001), ("b", 6379), ("::1", 7003)]
    assert pool.connection_class is SSLConnection
    assert {name: pool.connection_kwargs[name] for name in ("username", "password")} == {
        "username": "me",
        "password": "s@fe",
    }
    assert pool.connection_kwargs["ssl_ca_certs"] == "ca.pem"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://a", "starts with redis://"),
        ("redis+cluster://a:1/3", "one database"),
        ("redis+sentinel://a:1", "ends with the name"),
    ],
)
def test_an_address_that_cannot_be_is_refused_before_anything_starts(url: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Settings(redis_url=url, jobs_redis_url="redis://jobs")


@pytest.mark.parametrize("jobs", ["", "redis+cluster://a:1"])
def test_the_job_queue_is_refused_a_cluster(jobs: str) -> None:
    with pytest.raises(ValidationError, match="separate Redis server"):
        Settings(redis_url="redis+cluster://a:1", jobs_redis_url=jobs)
    found = Settings(redis_url="redis+cluster://a:1", jobs_redis_url="redis://jobs")
    assert found.jobs_redis_url == "redis://jobs"


async def test_tls_and_a_password_in_an_address_are_used(tmp_path: Path) -> None:
    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(4096):
                writer.write(data)
        writer.close()

    with servers.redis_server() as redis:
        path = redis.url.removeprefix("unix://").partition("?")[0]
        alone = connect(redis.url)
        await alone.config_set("requirepass", "s@fe")
        passing: list[asyncio.Task[None]] = []

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            far = await asyncio.open_unix_connection(path)
            passing.append(asyncio.create_task(pass_on(far[0], writer)))
            await pass_on(reader, far[1])

        end: ssl.SSLContext = servers.tls(tmp_path)
        async with await asyncio.start_server(accept, "127.0.0.1", 0, ssl=end) as server:
            port = server.sockets[0].getsockname()[1]
            rest = f"127.0.0.1:{port}/0?ssl_ca_certs={tmp_path}/certificate.pem"
            for url, known in ((f"rediss://:s%40fe@{rest}", True), (f"rediss://:x@{rest}", False)):
                client = connect(url)
                if known:
                    assert await client.ping()
                else:
                    with pytest.raises(AuthenticationError):
                        await client.ping()
                await client.aclose()
        await asyncio.gather(*passing)
        await alone.aclose()


async def test_a_node_of_a_cluster_under_a_plain_address_is_no_queue() -> None:
    with servers.redis_cluster(masters=1) as cluster:
        queue = Queue(f"redis://127.0.0.1:{cluster.nodes[0].port}", "ledger")
        try:
            with pytest.raises(ConnectionError, match="JOBS_REDIS_URL"):
                await queue.work(None)  # type: ignore[arg-type]
        finally:
            await queue.close()
