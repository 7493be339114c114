"""How fast an import's facts are numbered, against the bare UPDATE of the same rows.

`python -m tests.bench.numbering`: one client's history is committed at once, as an import does, in a database of its
own, into a ledger that has as many numbered facts already. Ours: rounds of the size that the relay would take. Bare:
the one statement that writes numbers and hashes, undone again. CPU is that of both processes, so the figure of a core
that does nothing else is facts divided by it.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from sqlalchemy import text

from api.embedded import servers
from api.support import migrate
from domain.core import sequencing
from domain.core.db import Sessions, connect, sessions, transaction
from tests import facts
from workers.routes import ROUTES, names

BARE = """
UPDATE ledger SET seq = placed.seq, hash = sha256('')
FROM (SELECT id, 1000000000 + row_number() OVER (ORDER BY id) AS seq FROM ledger WHERE seq IS NULL) placed
WHERE ledger.id = placed.id
"""


@dataclass
class Cost:
    """What a turn took."""

    facts: int
    wall_s: float
    cpu_s: float

    def __str__(self) -> str:
        return (
            f"{self.facts / self.wall_s:9,.0f} facts/s   {self.facts / self.cpu_s:9,.0f} a CPU second"
            f"   ({self.wall_s:.1f} s, CPU {self.cpu_s:.1f} s)"
        )


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def spent(make: Sessions) -> float:
    """CPU seconds of this process and of the server's process that works for it."""
    async with make() as session:
        pid = await session.scalar(text("SELECT pg_backend_pid()"))
    server, own = psutil.Process(pid).cpu_times(), psutil.Process(os.getpid()).cpu_times()
    total: float = server.user + server.system + own.user + own.system
    return total


async def bare(make: Sessions, count: int) -> Cost:
    """The one statement, undone."""
    cpu, began = await spent(make), time.perf_counter()
    async with make() as session:
        await session.execute(text(BARE))
        wall_s = time.perf_counter() - began
        await session.rollback()
    return Cost(count, wall_s, await spent(make) - cpu)


async def ours(make: Sessions, count: int, limit: int) -> Cost:
    """Rounds of numbering, until nothing waits."""
    cpu, began = await spent(make), time.perf_counter()
    while True:
        async with transaction(make) as session:
            batch = await sequencing.assign_sequence(
                session, routes=names(ROUTES), due_at=datetime.now(UTC), limit=limit
            )
        if batch.facts < limit:
            return Cost(count, time.perf_counter() - began, await spent(make) - cpu)


async def measure(system_url: str, count: int, limit: int) -> None:
    """Numbered facts first, then turns over the same rows: bare and ours."""
    engine = connect(system_url, pool_size=1)
    make = sessions(engine)
    imported = await facts.client(make)
    await facts.import_past(make, imported, count)
    say(f"{count:,} facts into an empty ledger")
    say(f"  ours  {await ours(make, count, limit)}")
    await facts.import_past(make, imported, count)
    say(f"{count:,} facts into a ledger of {count:,}")
    say(f"  bare  {await bare(make, count)}")
    say(f"  ours  {await ours(make, count, limit)}")
    await engine.dispose()


def main() -> None:
    """Start servers in a directory that goes afterwards, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=lambda text: int(float(text)), default=430_000)
    parser.add_argument("--round", type=int, default=4_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder), want_redis=False) as pair:
        migrate.upgrade(pair.owner_url)
        asyncio.run(measure(pair.system_url, asked.facts, asked.round))


if __name__ == "__main__":
    main()
