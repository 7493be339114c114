"""Start, share and stop the embedded PostgreSQL and Redis of a data directory.

```
DATA/users.lock      shared lock of every process that uses the servers; the last one to release it stops them
DATA/change.lock     exclusive lock of the process that starts or stops a server
DATA/postgres.lock   held by the server processes themselves (inherited at start), so it is free exactly when
DATA/redis.lock      none of them runs; process ids are not trusted for that
DATA/postgres/       the cluster        DATA/redis/  the append-only file        DATA/logs/
```
Both listen on a Unix socket only. Two data directories cannot collide, and no other login of the machine can
connect. `revival` restarts a server that ends while it is in use. After `kill -9` of every process that uses them the
servers keep running, and the next process uses them; when they were killed too, the next process starts them and
PostgreSQL recovers from its log.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from api.embedded import postgres, redis
from api.embedded.data_directory import prepare
from api.embedded.locks import joined
from api.embedded.os_user import EmbeddedError
from domain.core.settings import Settings

__all__ = ["EmbeddedError", "Servers", "provided", "servers"]

Say = Callable[[str], None]


@dataclass(frozen=True)
class Servers:
    """Addresses of the running servers; empty for a server that was not requested."""

    database_url: str
    """Login for requests: reads and writes rows of one company, owns no table."""
    system_url: str
    """Login that sees the rows of every company, and owns no table."""
    owner_url: str
    """Login that owns the tables, for migrations."""
    redis_url: str


def _silent(_message: str) -> None:
    pass


@contextmanager
def servers(
    data: Path,
    *,
    want_database: bool = True,
    want_redis: bool = True,
    durable: bool = True,
    say: Say = _silent,
) -> Iterator[Servers]:
    """Use the servers of `data`: start those that do not run, and stop them when no other process uses them.

    `say` is called with the name of each slow step. `durable=False` lets PostgreSQL skip fsync, for temporary data.
    Raises `EmbeddedError`, with a remedy in its text, when the directory or the machine does not allow it.
    """
    place = prepare(data)

    def start() -> None:
        if want_database:
            postgres.ensure(place, durable=durable, say=say)
        if want_redis:
            redis.ensure(place, say=say)

    def stop() -> None:
        say("Stopping the embedded servers")
        redis.stop(place)
        postgres.stop(place)

    with joined(place.data, first=start, last=stop):
        yield Servers(
            database_url=postgres.url(place, "waarborg_app") if want_database else "",
            system_url=postgres.url(place, "waarborg_system") if want_database else "",
            owner_url=postgres.url(place, "waarborg_owner") if want_database else "",
            redis_url=redis.url(place) if want_redis else "",
        )


@contextmanager
def provided(settings: Settings, *, say: Say = _silent) -> Iterator[Settings]:
    """Return the settings with all addresses: those that are set stay, embedded servers supply the others."""
    want_database, want_redis = not settings.database_url, not settings.redis_url
    nothing = nullcontext(Servers("", "", "", ""))
    pair: AbstractContextManager[Servers] = (
        servers(settings.data, want_database=want_database, want_redis=want_redis, say=say)
        if want_database or want_redis
        else nothing
    )
    with pair as running:
        yield settings.model_copy(
            update={
                "database_url": settings.database_url or running.database_url,
                "system_database_url": settings.system_database_url or running.system_url,
                "owner_database_url": settings.owner_database_url or running.owner_url,
                "redis_url": settings.redis_url or running.redis_url,
                "jobs_redis_url": settings.jobs_redis_url or running.redis_url,
            }
        )
