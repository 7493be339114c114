"""What a query costs: the product, and stock Strawberry with SQLAlchemy and DataLoader on the same tables.

`python -m tests.bench.queries` (`make bench-queries`): both servers on core 0, in turns, asked over keep-alive
connections from the other cores; PostgreSQL and Redis run there too. Printed: CPU microseconds of the server process a
request, requests per second, and requests per second of a core (a million divided by the CPU). The product is asked
with a signed-in dispatcher, with its gate, costs and row-level security on.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import psutil
from sqlalchemy import make_url, text

from api.embedded import servers
from api.support import migrate
from domain import incidents, quality
from domain.access import Tx
from domain.agreements import Priority
from domain.core.db import Sessions, transaction
from domain.core.settings import Settings
from domain.quality.actions import SOON
from tests import build
from tests.api import asking
from tests.api.asking import Office
from tests.bench.gps import Side, answering, serving
from tests.build import World

PRODUCT = (
    "import sys;"
    "from api.process.serve import listen, serve;"
    "from api.support.logs import configure_logs;"
    "from domain.core.settings import Settings;"
    "settings = Settings();"
    "configure_logs(settings.log_level);"
    "serve(settings, listen('127.0.0.1', int(sys.argv[1])))"
)
"""What `waarborg api` runs in each of its processes (`api.process.serve.serve`)."""

VERBS, COPIES = 60, 100
"""Incidents opened by the product's own verbs, and how often they are copied in the tables."""
COPIED = ("incident", "promise_watch", "promise", "incident_update")
CONNECTIONS = (4, 32, 128)
TURN_S = 3.0

NODE = "id summary status priority openedAt account { id name } site { id name }"
DETAILS = (
    f"{NODE} promises(first: 10) {{ id name state dueAt }} updates(last: 3) {{ at author body }}"
)


@dataclass
class Measured:
    """What the turns of one query at one number of connections took."""

    cpu_us: list[float] = field(default_factory=list)
    per_s: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Question:
    """A query as each side is asked it."""

    name: str
    ours: str
    stock: str


def _dashboard(compliance: str) -> str:
    return f"""query q4($id: ID!) {{
      open: incidents(first: 25, statuses: [NEW, ACKNOWLEDGED]) {{ nodes {{ {NODE} }} }}
      working: incidents(first: 25, statuses: [IN_PROGRESS]) {{ nodes {{ {NODE} }} }}
      critical: incidents(first: 25, priorities: [CRITICAL]) {{ nodes {{ {NODE} }} }}
      due: duePromises(first: 25) {{ nodes {{ id name state dueAt incident {{ id summary }} }} }}
      recent: incidents(first: 10) {{ nodes {{ {DETAILS} }} }}
      accounts(first: 25) {{ nodes {{ id name }} }}
      {compliance}
    }}"""


QUESTIONS = (
    Question(
        "q1 account by id",
        "query q1($id: ID!) { account(id: $id) { id name segment serviceTier contractType } }",
        "query q1($id: ID!) { account(id: $id) { id name segment serviceTier contractType } }",
    ),
    Question(
        "q2 50 incidents, 4 relations",
        f"query q2 {{ incidents(first: 50) {{ nodes {{ {DETAILS} }} }} }}",
        f"query q2 {{ incidents(first: 50) {{ nodes {{ {DETAILS} }} }} }}",
    ),
    Question(
        "q3 compliance of a month",
        "query q3($id: ID!) { slaCompliance(accountId: $id, window: MONTH) { n kept ratio } }",
        "query q3($id: ID!) { slaCompliance(accountId: $id) { n kept ratio } }",
    ),
    Question(
        "q4 control room, 6 lists",
        _dashboard("slaCompliance(accountId: $id, window: MONTH) { n kept ratio }"),
        _dashboard("slaCompliance(accountId: $id) { n kept ratio }").replace(
            "statuses: [NEW, ACKNOWLEDGED]", 'statuses: ["NEW", "ACKNOWLEDGED"]'
        )
        .replace("statuses: [IN_PROGRESS]", 'statuses: ["IN_PROGRESS"]')
        .replace("priorities: [CRITICAL]", 'priorities: ["CRITICAL"]'),
    ),
)  # fmt: skip


def request(query: str, variables: dict[str, Any], token: str | None) -> bytes:
    """Bytes of a request."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    name = f"authorization: Bearer {token}\r\n" if token else ""
    head = (
        "POST /graphql HTTP/1.1\r\nhost: b\r\ncontent-type: application/json\r\n"
        f"accept: application/json\r\n{name}content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def turn(
    side: Side, sent: bytes, connections: int, seconds: float, into: Measured | None
) -> bytes:
    """Ask for so long over so many connections; return the last answer."""
    server = psutil.Process(side.process.pid)
    took: list[float] = []
    last = b""

    async def one() -> None:
        nonlocal last
        reader, writer = await asyncio.open_connection("127.0.0.1", side.port)
        while time.perf_counter() - began < seconds:
            at = time.perf_counter()
            writer.write(sent)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 200"), head
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            last = await reader.readexactly(length)
            took.append(time.perf_counter() - at)
        writer.close()

    began, cpu = time.perf_counter(), sum(server.cpu_times()[:2])
    await asyncio.gather(*(one() for _ in range(connections)))
    elapsed, spent = time.perf_counter() - began, sum(server.cpu_times()[:2]) - cpu
    assert b'"errors"' not in last, last[:500]
    if into is not None:
        into.cpu_us.append(spent / len(took) * 1e6)
        into.per_s.append(len(took) / elapsed)
        into.p99_ms.append(sorted(took)[int(len(took) * 0.99)] * 1000)
    return last


@contextmanager
def product(port: int, env: dict[str, str]) -> Iterator[Side]:
    """The product's own server on core 0."""
    process = subprocess.Popen(
        [sys.executable, "-c", PRODUCT, str(port)],
        env=os.environ | env,
        stdout=subprocess.DEVNULL,
    )
    try:
        if (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(process.pid, {0})
        yield Side("ours", port, process, [], [], [])
    finally:
        process.kill()
        process.wait(20)


async def seed(make: Sessions, office: Office) -> None:
    """Open incidents by the product's verbs, then copy their rows to have many."""
    world, now = office.world, datetime.now(UTC)
    for number in range(VERBS):
        at = now - timedelta(minutes=3 * number + 1)
        priority = list(Priority)[number % len(Priority)]
        opened = await build.incident(make, world, priority=priority, at=at, summary=f"N {number}")
        for part in range(4):
            async with transaction(make) as session:
                await incidents.update(
                    Tx(session, world.staff, at + timedelta(seconds=10 * part)),
                    opened.id,
                    body=f"Guard reports, part {part}: the door was found closed, nobody there.",
                    client_visible=True,
                )
        if number % 3:
            async with transaction(make) as session:
                await incidents.acknowledge(
                    Tx(session, world.staff, at + timedelta(seconds=40)), opened.id
                )
    async with transaction(make) as session:
        for table in COPIED:
            await session.execute(text(await copied(session, table)), {"copies": COPIES})


async def copied(session: Any, table: str) -> str:
    """Return the statement that copies the rows of a table, with ids of their own."""
    found = await session.scalars(
        text(
            "SELECT column_name FROM information_schema.columns WHERE table_name = :name"
            " AND is_generated = 'NEVER' ORDER BY ordinal_position"
        ),
        {"name": table},
    )
    names = list(found)
    own = {"id", "incident_id", "unit_id"}
    older = {"opened_at", "acknowledged_at", "arrived_at", "began_at"}
    values = [
        f"md5({name}::text || n)::uuid" if name in own
        else f"{name} + n * 1000" if name == "number"
        else f"{name} - n * interval '4 hours'" if table == "incident" and name in older
        else name
        for name in names
    ]  # fmt: skip
    return (
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} "
        f"FROM {table}, generate_series(1, :copies) AS n"
    )


async def measure_quality(make: Sessions, world: World) -> None:
    """Measure what the worker would have measured."""
    at = datetime.now(UTC)
    async with transaction(make) as session:
        await quality.mark(
            session, world.tenant.id, world.account.id, dirty_from=build.T0, at=at - SOON
        )
        for taken in await quality.claim_due(session, at=at, limit=10):
            await quality.measure(session, taken, at=at)


async def prepare(configured: Settings, owner_url: str) -> tuple[Office, str]:
    """A company with many incidents, and a token of its dispatcher."""
    async with asking.running(configured) as api:
        office = await asking.office(api)
        system = configured.model_copy(update={"database_url": configured.system_database_url})
        async with asking.running(system) as owner:
            await seed(owner.make, office)
            await measure_quality(owner.make, office.world)
        plain = make_url(owner_url).set(drivername="postgresql")
        connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
        await connection.execute("VACUUM ANALYZE")
        await connection.close()
        return office, office.dispatcher


async def main(sides: Sequence[Side], office: Office, token: str, rounds: int, only: str) -> None:
    """Ask all questions in turns and print the tables."""
    for side in sides:
        await answering(side.port)
    account = str(office.world.account.id)
    lines = [
        f"{'':30}{'conn.':>6}{'CPU µs':>12}{'stock':>12}{'req/s':>10}{'stock':>9}{'p99 ms':>9}{'ratio':>8}"
    ]
    for question in QUESTIONS:
        if not question.name.startswith(only):
            continue
        asked = {
            sides[0].name: request(question.ours, {"id": office.account}, token),
            sides[1].name: request(question.stock, {"id": account}, None),
        }
        for side in sides:
            answer = await turn(side, asked[side.name], 1, 1.0, None)
            assert len(json.loads(answer)["data"]) >= 1
        for connections in CONNECTIONS:
            found = {side.name: Measured() for side in sides}
            for _ in range(rounds):
                for side in sides:
                    await turn(side, asked[side.name], connections, TURN_S, found[side.name])
            ours, stock = (found[side.name] for side in sides)
            ratio = statistics.median(b / a for a, b in zip(ours.cpu_us, stock.cpu_us, strict=True))
            median = statistics.median
            lines.append(
                f"{question.name:30}{connections:6}{median(ours.cpu_us):12,.0f}{median(stock.cpu_us):12,.0f}"
                f"{median(ours.per_s):10,.0f}{median(stock.per_s):9,.0f}{median(ours.p99_ms):9,.0f}{ratio:7.1f}×"
            )
            sys.stdout.write(lines[-1] + "\n")
            sys.stdout.flush()
    sys.stdout.write("\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="q", help="the question: q1, q2, q3 or q4")
    given = parser.parse_args()
    cores = os.cpu_count() or 1
    if cores > 1:
        os.sched_setaffinity(0, set(range(1, cores)))
    with (
        tempfile.TemporaryDirectory(prefix="wb-") as place,
        servers(Path(place), durable=True) as pair,
    ):
        migrate.upgrade(pair.owner_url)
        ours_env = {
            "WAARBORG_DATABASE_URL": pair.database_url, "WAARBORG_SYSTEM_DATABASE_URL": pair.system_url,
            "WAARBORG_REDIS_URL": pair.redis_url, "WAARBORG_DATA": place, "WAARBORG_LOG_LEVEL": "ERROR",
            "WAARBORG_BUDGET_PER_S": "1000000000", "WAARBORG_BUDGET_BURST": "1000000000",
        }  # fmt: skip
        configured = Settings(
            database_url=pair.database_url, system_database_url=pair.system_url,
            redis_url=pair.redis_url, data=Path(place),
        )  # fmt: skip
        office, token = asyncio.run(prepare(configured, pair.owner_url))
        port = 20_000 + os.getpid() % 10_000
        stock_url = make_url(pair.system_url).render_as_string(hide_password=False)
        with (
            product(port, ours_env) as ours,
            serving("stock", "tests.bench.queries_stock:app", port + 1, {"BENCH_DATABASE_URL": stock_url}) as stock,
        ):  # fmt: skip
            asyncio.run(main((ours, stock), office, token, given.rounds, given.only))
