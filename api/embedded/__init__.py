"""Embedded servers: the PostgreSQL and the Redis of a data directory, found running or started, shared, stopped.

```
DATA/users.lock      every process that uses the pair holds it shared; the last to leave stops the servers
DATA/change.lock     held while somebody starts or stops, so that nobody else does
DATA/postgres.lock   held by the server processes themselves (inherited at start), and so free exactly when
DATA/redis.lock      none of them lives: no process id is trusted to say who is alive
DATA/postgres/       the cluster        DATA/redis/  the append-only file        DATA/logs/
```
Both listen on a Unix socket only. Two data directories cannot collide, and no other login of the machine can
connect. A server that ends while it is in use is started again by `revival`. After `kill -9` of every user the
servers live on, and the next user finds them; when they were killed too, the next user starts them and PostgreSQL
recovers from its log.
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
    """Addresses of a running pair; a server that was not asked for has an empty address."""

    database_url: str
    """The login of requests: reads and writes rows of the company it names, owns nothing."""
    system_url: str
    """The login that sees every company's rows, and owns nothing either."""
    owner_url: str
    """The login that owns the tables, for migrations."""
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
    """Use the servers of `data`, starting what does not run; stop them when nobody else uses them.

    `say` hears what takes longer than a moment. `durable=False` lets PostgreSQL skip fsync, for throw-away data.
    Raises `EmbeddedError`, whose text says what to do, when the directory or the machine does not allow it.
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
    """The same settings with an address for everything: those given are used as they are, the rest is embedded."""
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
