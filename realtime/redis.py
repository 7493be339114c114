"""Redis clients by URL: a server, a Sentinel's master, or a Cluster behind the same interface."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool

from realtime.cluster import Address, Cluster

CLUSTER = "+cluster"
SENTINEL = "+sentinel"
_PORTS = {CLUSTER: 6379, SENTINEL: 26379}


class _Watched(SentinelConnectionPool):
    """Connections to a Sentinel's master; closing them also closes those to the Sentinels."""

    async def disconnect(self, inuse_connections: bool = True) -> None:
        await super().disconnect(inuse_connections)
        if inuse_connections:
            for sentinel in self.sentinel_manager.sentinels:
                await sentinel.aclose()


def connect(url: str, **options: Any) -> Redis:
    """Return a client for a Redis URL; it connects with its first command.

    `redis://` (`rediss://` with TLS) and `unix://` name one server; `redis+cluster://HOST:PORT,HOST:PORT`
    some nodes of a Cluster; `redis+sentinel://HOST:PORT,HOST:PORT/MASTER` some Sentinels and the master they
    watch. A login and a password in front of the hosts are those of the servers; `?db=1` and other options of
    redis-py may follow.
    """
    scheme = urlsplit(url).scheme
    if scheme.endswith(CLUSTER):
        seeds, _, options = _read(url, CLUSTER, options)
        return Cluster(seeds, **options)
    if scheme.endswith(SENTINEL):
        watched: Redis = Redis.from_pool(_watched(url, options))
        return watched
    alone: Redis = Redis.from_url(url, **options)
    return alone


def pool(url: str, **options: Any) -> ConnectionPool:
    """Return the connection pool of one server or of a Sentinel's master, for a client of another class."""
    if urlsplit(url).scheme.endswith(SENTINEL):
        return _watched(url, options)
    return ConnectionPool.from_url(url, **options)


def _watched(url: str, options: dict[str, Any]) -> ConnectionPool:
    sentinels, master, options = _read(url, SENTINEL, options)
    if options.pop("connection_class", None) is not None:
        options["ssl"] = True
    asked = Sentinel(sentinels, **options)  # type: ignore[no-untyped-call]
    watched: Redis = asked.master_for(master, connection_pool_class=_Watched)
    return watched.connection_pool


def _read(
    url: str, kind: str, options: dict[str, Any]
) -> tuple[list[Address], str, dict[str, Any]]:
    """Parse the hosts, the path, and the connection options of a URL."""
    parts = urlsplit(url)
    login, at, hosts = parts.netloc.rpartition("@")
    plain = urlunsplit(
        (parts.scheme.removesuffix(kind), f"{login}{at}host", "", parts.query, parts.fragment)
    )
    read: dict[str, Any] = dict(parse_url(plain)) | options
    del read["host"]
    addresses = [_address(host, _PORTS[kind]) for host in hosts.split(",")]
    return addresses, parts.path.strip("/"), read


def _address(host: str, port: int) -> Address:
    parts = urlsplit(f"//{host}")
    return parts.hostname or "127.0.0.1", parts.port or port
