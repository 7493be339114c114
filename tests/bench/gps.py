"""What an ingest of fixes carries: ours, the same as it is usually written, and bare COPY into the same table.

`python -m tests.bench.gps`: HTTP batches of 100 fixes from 64 connections to a server on a core of its own (PostgreSQL,
Redis and the load on the others), turns of each side one after the other in one run. Every side's fixes are counted in
the table afterwards. What ours stores also goes to the live map; who sees it there is another matter's test.
"""

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec
import psutil
from sqlalchemy import func, make_url, select

from api.embedded import servers
from api.support import migrate
from domain import positions
from domain.core.db import Sessions, connect, sessions, transaction
from domain.positions import binary_copy
from domain.positions.rules import at_of
from tests import build, guards
from tests.guards import Guard

BATCH, BARE = 100, 1_000
CONNECTIONS, AHEAD = 64, 8  # batches prepared per connection and turn
TURN_S = 4.0
encode = msgspec.json.encode
QUIET = (
    "import structlog, uvicorn;"
    "structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50));"
    "uvicorn.main()"
)


@dataclass
class Side:
    """One server and what came of it."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    per_s: list[float]
    cpu_us: list[float]
    p99_ms: list[float]


@contextmanager
def serving(name: str, target: str, port: int, env: dict[str, str]) -> Iterator[Side]:
    """Uvicorn on core 0, as in production but for the log."""
    command = [
        *(sys.executable, "-c", QUIET, target, "--port", str(port), "--no-access-log"),
        *("--log-level", "error", "--loop", "uvloop", "--http", "httptools"),
    ]
    process = subprocess.Popen(command, env=os.environ | env)
    try:
        if (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(process.pid, {0})
        yield Side(name, port, process, [], [], [])
    finally:
        process.kill()
        process.wait(20)


class Clock:
    """Instants that no device has reported yet."""

    def __init__(self, start_ms: int) -> None:
        self.next_ms = start_ms

    def batch(self, guard: Guard) -> bytes:
        """A request of 100 fixes, a second apart in a walk, as a phone sends what it kept."""
        fixes = []
        for _ in range(BATCH):
            self.next_ms += 20
            place = guards.near(random.uniform(-400, 400), random.uniform(-400, 400))
            fixes.append(
                {
                    "at": self.next_ms, **place, "accuracyM": 4.5, "speedMps": 1.25,
                    "headingDeg": 90.0, "batteryPct": 80.0,
                }
            )  # fmt: skip
        body = encode({"fixes": fixes})
        head = (
            f"POST /ingest/positions HTTP/1.1\r\nhost: b\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {guard.token}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


async def turn(side: Side, company: list[Guard], clocks: dict[UUID, Clock], seconds: float) -> int:
    """Send for so long; how many fixes were answered for."""
    # In the order in which they happened, as a phone sends what it kept: older ones later would be possible repeats.
    prepared = [
        deque(clocks[guard.device.id].batch(guard) for _ in range(AHEAD)) for guard in company
    ]
    server = psutil.Process(side.process.pid)
    took: list[float] = []
    sent = 0
    began, cpu = time.perf_counter(), sum(server.cpu_times()[:2])

    async def one(guard: Guard, ready: deque[bytes]) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", side.port)
        answered = 0
        while time.perf_counter() - began < seconds:
            request = ready.popleft() if ready else clocks[guard.device.id].batch(guard)
            at = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            lines = head.lower().split(b"\r\n")
            length = next(
                int(line.split(b":")[1]) for line in lines if line[:15] == b"content-length:"
            )
            body = await reader.readexactly(length)
            took.append(time.perf_counter() - at)
            assert b'"accepted":100' in body.replace(b" ", b""), body[:200]
            answered += BATCH
        writer.close()
        return answered

    sent = sum(await asyncio.gather(*(one(*pair) for pair in zip(company, prepared, strict=True))))
    elapsed = time.perf_counter() - began
    side.per_s.append(sent / elapsed)
    side.cpu_us.append((sum(server.cpu_times()[:2]) - cpu) / sent * 1e6)
    side.p99_ms.append(sorted(took)[int(len(took) * 0.99)] * 1000)
    return sent


async def bare(url: str, guard: Guard, clock: Clock, seconds: float) -> float:
    """Fixes a second by COPY of records, 1,000 in a transaction, from one connection: what the table takes."""
    connection = await asyncpg.connect(url)
    now = datetime.now(UTC)
    device, tenant, account = guard.device.id, guard.duty.tenant_id, guard.duty.account_id
    spent, done = 0.0, 0
    while spent < seconds:
        rows = []
        for _ in range(BARE):
            clock.next_ms += 20
            at = at_of(clock.next_ms)
            rows.append(
                (device, at, tenant, account, 52.09, 5.12, 4.5, 1.25, 90.0, None, 80.0, None, None, None, 1, now)
            )  # fmt: skip
        began = time.perf_counter()
        await connection.copy_records_to_table("fix", columns=binary_copy.COLUMNS, records=rows)
        spent += time.perf_counter() - began
        done += BARE
    await connection.close()
    return done / spent


async def prepare(make: Sessions) -> list[Guard]:
    """A company with a guard for each connection, all on duty."""
    now = datetime.now(UTC)
    async with transaction(make) as session:
        await positions.ensure_partitions(session, at=now, keep=timedelta(days=28))
    world = await build.client(make)
    site = (await guards.on_duty(make, world)).site
    return [
        await guards.on_duty(
            make,
            world,
            site=site,
            from_at=now - timedelta(days=27),
            until_at=now + timedelta(days=1),
        )
        for _ in range(2 * CONNECTIONS + 1)
    ]


async def answering(port: int) -> None:
    """Wait until a server listens."""
    for _ in range(600):
        try:
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise TimeoutError(port)


async def stored(make: Sessions, company: list[Guard]) -> int:
    """How many fixes of these devices are in the table."""
    ids = [guard.device.id for guard in company]
    async with make() as session:
        query = select(func.count()).select_from(positions.Fix)
        return await session.scalar(query.where(positions.Fix.device_id.in_(ids))) or 0


async def main(system_url: str, ours: Side, usual: Side, rounds: int) -> None:
    """Print the table and the ratios."""
    engine = connect(system_url)
    make = sessions(engine)
    company = await prepare(make)
    start_ms = int((time.time() - 26 * 86_400) * 1000)
    clocks = {guard.device.id: Clock(start_ms) for guard in company}
    halves = {ours.name: company[:CONNECTIONS], usual.name: company[CONNECTIONS:-1]}
    plain = make_url(system_url).set(drivername="postgresql").render_as_string(hide_password=False)
    for side in (ours, usual):
        await answering(side.port)
        await turn(side, halves[side.name], clocks, 1.0)
        del side.per_s[:], side.cpu_us[:], side.p99_ms[:]
    acknowledged = {name: await stored(make, half) for name, half in halves.items()}
    copied: list[float] = []
    last = company[-1]
    for _ in range(rounds):
        for side in (ours, usual):
            acknowledged[side.name] += await turn(side, halves[side.name], clocks, TURN_S)
        copied.append(await bare(plain, last, clocks[last.device.id], TURN_S / 2))
    for side in (ours, usual):
        there = await stored(make, halves[side.name])
        assert there == acknowledged[side.name], (side.name, there, acknowledged)
    await engine.dispose()
    report(ours, usual, copied, acknowledged)


def report(ours: Side, usual: Side, copied: list[float], acknowledged: dict[str, int]) -> None:
    """Medians of the turns, and what they are to each other."""
    median = statistics.median
    lines = [f"{'':28}{'fixes/s':>12}{'µs of server each':>20}{'p99 of a batch, ms':>21}"]
    for side in (ours, usual):
        figures = (median(side.per_s), median(side.cpu_us), median(side.p99_ms))
        lines.append("{:28}{:12,.0f}{:20.1f}{:21.0f}".format(side.name, *figures))
    lines.append(f"{'bare COPY, 1,000 at a time':28}{median(copied):12,.0f}")
    turns = zip(ours.per_s, usual.per_s, copied, strict=True)
    ratios = [(a / c, a / b) for a, b, c in turns]
    cpu = median(usual.cpu_us) / median(ours.cpu_us)
    lines += [
        f"ours / bare COPY   {median(r[0] for r in ratios):6.2f}   (target 0.3)",
        f"ours / usual       {median(r[1] for r in ratios):6.1f}   (target 8); CPU {cpu:.1f} times less",
        f"every acknowledged fix is in the table: {sum(acknowledged.values()):,}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    cores = os.cpu_count() or 1
    if cores > 1:
        os.sched_setaffinity(
            0, set(range(1, cores))
        )  # PostgreSQL and Redis are started from here, and inherit it
    with (
        tempfile.TemporaryDirectory(prefix="wb-") as place,
        servers(Path(place), durable=True) as pair,
    ):
        migrate.upgrade(pair.owner_url)
        port = 20_000 + os.getpid() % 10_000
        ours_env = {
            "WAARBORG_DATABASE_URL": pair.database_url, "WAARBORG_SYSTEM_DATABASE_URL": pair.system_url,
            "WAARBORG_REDIS_URL": pair.redis_url, "WAARBORG_DATA": place, "WAARBORG_LOG_LEVEL": "ERROR",
        }  # fmt: skip
        usual_env = {"BENCH_DATABASE_URL": pair.system_url, "BENCH_REDIS_URL": pair.redis_url}
        with (
            serving("ours", "api.app:app", port, ours_env) as ours,
            serving(
                "as usually written", "tests.bench.gps_usual:app", port + 1, usual_env
            ) as usual,
        ):
            asyncio.run(main(pair.system_url, ours, usual, given.rounds))
