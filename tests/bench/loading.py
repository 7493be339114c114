"""From PostgreSQL to results: plain ledger rows, sealed segments, Parquet, and the same log in memory.

`python -m tests.bench.loading --events 1e7 --rows 1e6`: compare the ratios, machines are noisy.
"""

import argparse
import asyncio
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from api.embedded import servers
from api.support import migrate
from domain import accounts, agreements, archive, calendars
from domain.access import Actor, Tx
from domain.accounts import Account, Site
from domain.agreements import Priority, PromiseDraft, PromiseKind, Target, TermsDraft
from domain.archive import Sealing, parquet
from domain.archive.actions import packed
from domain.archive.reads import terms_and_calendars
from domain.archive.rules import (
    NO_VALUES,
    Chunk,
    EventLog,
    assembled,
    ids_of,
    months_of,
    select_units,
)
from domain.core.base import uuid7
from domain.core.db import Sessions, connect, copy_rows, sessions, transaction
from domain.core.ledger import shard_of
from domain.evaluator.kernels.codes import PromiseClass
from domain.evaluator.kernels.columns import Events
from domain.evaluator.kernels.layout import seal as laid_out
from domain.evaluator.kernels.scores import WEIGHTS
from domain.promises.translation import from_us, to_us
from domain.quality.rules import Measuring
from tests.bench.log import AT_US, LOCAL, SPECS, synthetic
from tests.bench.log import Log as Synthetic

KINDS = {1: "opened", 2: "resolved", 3: "paused", 4: "resumed", 5: "reopened"}
HOUR_S = 3_600


class World(NamedTuple):
    """A client whose terms are the flow promises of a synthetic log."""

    account: Account
    site: Site
    terms: Sequence[UUID]  # place among the flow promises → promise term


def flows(log: Synthetic) -> tuple[Events, list[int]]:
    """The events of promises that a ticket can have, and those promises."""
    rows = np.flatnonzero(log.promises.cls == PromiseClass.FLOW)
    place = np.full(log.promises.cls.size, -1, np.int32)
    place[rows] = np.arange(rows.size, dtype=np.int32)
    mine = place[log.events.promise] >= 0
    events = Events._make(column[mine] for column in log.events)
    return events._replace(promise=place[events.promise]), rows.tolist()


async def world(make: Sessions, log: Synthetic, rows: Sequence[int]) -> World:
    """Sign what the log promises."""
    at = datetime(2025, 1, 2, tzinfo=UTC)
    async with transaction(make) as session:
        tenant = await accounts.create_tenant(session, name=f"Bench {uuid7()}")
        actor = Actor.system(tenant.id, "bench")
        account = await accounts.create_account(Tx(session, actor, at), name="Client")
        site = await accounts.add_site(Tx(session, actor, at), account.id, name="Site")
        versions = [
            await calendars.define(Tx(session, actor, at), name=f"{n}", spec=spec)
            for n, spec in enumerate(SPECS)
        ]
        drafts = tuple(
            PromiseDraft(
                f"{place:05}",
                PromiseKind.RESOLUTION,
                versions[int(log.promises.calendar[row])].id,
                {
                    priority: Target(elapsed_s=int(log.promises.target_us[row, rank]) // 1_000_000)
                    for rank, priority in enumerate(Priority)
                },
                objective_ppm=int(log.promises.objective_ppm[row]),
            )
            for place, row in enumerate(rows)
        )
        await agreements.sign(
            Tx(session, actor, at),
            account.id,
            reference=str(uuid7()),
            title="Bench",
            signed_on=date(2025, 1, 1),
            in_force_from=at,
            terms=TermsDraft(drafts),
        )
    async with make() as session:
        known = (await terms_and_calendars(session, account.id)).terms
    by_name = {term.name: term.id for term in known}
    return World(account, site, [by_name[f"{place:05}"] for place in range(len(rows))])


async def fill(make: Sessions, base: World, events: Events) -> None:
    """Write every event as a ledger row about a ticket of its own promise."""
    key = events.promise.astype(np.int64) << 32 | events.unit
    units, first, unit = np.unique(key, return_index=True, return_inverse=True)
    opened = np.full(units.size, np.iinfo(np.int64).max)
    np.minimum.at(opened, unit, events.ts)
    ids = [uuid7() for _ in range(units.size)]
    own = (base.account.tenant_id, base.account.id)
    names = {int(p): base.terms[p] for p in np.unique(events.promise)}
    async with transaction(make) as session:
        await copy_rows(session, "incident",
            ("id", "tenant_id", "account_id", "site_id", "kind", "priority", "source", "reporter",
             "summary", "status", "opened_at", "reopened_count", "reassigned_count",
             "client_contact_count", "version"),
            [(ids[i], *own, base.site.id, "incident", "low", "guard", "x", "x", "closed",
              from_us(int(opened[i])), 0, 0, 0, 1) for i in range(units.size)])  # fmt: skip
        await copy_rows(session, "promise_watch",
            ("id", "tenant_id", "account_id", "unit_kind", "unit_id", "site_id", "began_at", "term_ids"),
            [(uuid7(), *own, "incident", ids[i], base.site.id, from_us(int(opened[i])),
              [names[int(events.promise[first[i]])]]) for i in range(units.size)])  # fmt: skip
    shard, ranks = shard_of(*own), [str(priority) for priority in Priority]
    columns = (
        "tenant_id",
        "account_id",
        "shard",
        "kind",
        "subject_id",
        "at",
        "origin",
        "actor",
        "body",
    )
    for begin in range(0, events.ts.size, 100_000):
        part = range(begin, min(begin + 100_000, events.ts.size))
        async with transaction(make) as session:
            await copy_rows(session, "ledger", columns, [
                (*own, shard, f"incident.{KINDS[int(events.kind[i])]}", ids[unit[i]],
                 from_us(int(events.ts[i])), "history", "system:bench",
                 msgspec.json.encode({"priority": ranks[events.priority[i]]}
                                     if events.kind[i] == 1 else {}).decode())
                for i in part])  # fmt: skip
    async with make() as session:
        connection = await session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        await connection.exec_driver_sql("VACUUM ANALYZE ledger, incident, promise_watch")


async def seal(session: AsyncSession, base: World, events: Events, log: Synthetic) -> None:
    """Lay the log down as segments, by term and month of opening, without the rows they come from."""
    sealed = laid_out(events, log.promises)
    for place, term_id in enumerate(base.terms):
        a, b = int(sealed.first[place]), int(sealed.first[place + 1])
        unit, ts, code = sealed.unit[a:b], sealed.ts[a:b], sealed.code[a:b]
        new = np.flatnonzero(np.append(True, unit[1:] != unit[:-1]))
        counts = np.diff(np.append(new, unit.size)).astype(np.int32)
        months = months_of(np.minimum.reduceat(ts, new))
        tickets = np.stack([np.full(new.size, place, ">u8"), unit[new].astype(">u8")], 1)
        site_of = np.zeros(new.size, np.int32)
        value = sealed.value[a:b] if log.promises.cls[place] == PromiseClass.POINT else NO_VALUES
        whole = Chunk(ts, code, value, counts, months, tickets, site_of, ids_of(base.site.id.bytes))
        for month in np.unique(months).tolist():
            mine = np.flatnonzero(months == month)
            await session.execute(insert(archive.EventSegment).values(
                id=uuid7(), tenant_id=base.account.tenant_id, account_id=base.account.id,
                term_id=term_id, month_on=date(1970 + month // 12, month % 12 + 1, 1),
                **packed(select_units(whole, mine))))  # fmt: skip
    session.add(Sealing(
        account_id=base.account.id, tenant_id=base.account.tenant_id,
        until_at=from_us(AT_US) or datetime.now(UTC), upto_seq=1 << 40,
        sealed_at=datetime.now(UTC)))  # fmt: skip


class Took(NamedTuple):
    """Fastest of the rounds, seconds."""

    loading: float
    all: float
    events: int
    kept: int


async def timed(
    load: Callable[[], Any], log: Synthetic, rounds: int, *, seconds: float = 1e9
) -> Took:
    """Load and evaluate a few times; the answers are counted so that ways can be compared."""
    best = Took(seconds, seconds, 0, 0)
    for _ in range(rounds):
        began = time.perf_counter()
        found: EventLog = await load()
        loaded = time.perf_counter()
        measured = await asyncio.to_thread(
            lambda loaded: Measuring(loaded, AT_US, LOCAL, WEIGHTS).of_terms(log.spans), found
        )
        ended = time.perf_counter()
        best = Took(
            min(best.loading, loaded - began),
            min(best.all, ended - began),
            found.events,
            int(measured.kept.sum()),
        )
        del found, measured  # or the next round would touch fresh memory, and measure that
    return best


def row(table: Table, name: str, took: Took, resident_ns: float) -> None:
    """One line: what it took per event, and how that compares with the same log in memory."""
    ns = took.all * 1e9 / took.events
    table.add_row(
        name,
        f"{took.events:,}",
        f"{took.all:.2f}",
        f"{took.events / took.all:,.0f}",
        f"{ns:,.0f}",
        f"{took.loading / took.all:.0%}",
        f"{ns / resident_ns:.2f}",
    )


async def measure(make: Sessions, directory: Path, events: int, rows: int, rounds: int) -> Table:
    """All ways, on logs of their own."""
    table = Table(title=f"PostgreSQL to results, fastest of {rounds}, one thread")
    for header in ("from", "events", "s", "events/s", "ns/event", "loading", "÷ resident"):
        table.add_column(header, justify="left" if header == "from" else "right")
    for size, ways in ((rows, ("rows",)), (events, ("sealed", "parquet"))):
        log = synthetic(size)
        mine, promised = flows(log)
        base = await world(make, log, promised)
        at = from_us(AT_US) or datetime.now(UTC)
        if "rows" in ways:
            await fill(make, base, mine)
        else:
            async with transaction(make) as session:
                laid = log._replace(
                    promises=log.promises._replace(
                        terms=log.promises.terms[promised], marks=log.promises.marks[promised]
                    )
                )
                await seal(session, base, mine, laid)

        async def load(base: World = base, at: datetime = at) -> EventLog:
            async with make() as session:
                return await archive.load(session, base.account.id, at=at)

        async def read(base: World = base, at: datetime = at) -> EventLog:
            async with make() as session:
                known = await terms_and_calendars(session, base.account.id)
            pieces = parquet.read(directory, base.account.tenant_id, base.account.id)
            return assembled(known.terms, pieces, known.specs, at_us=to_us(at))

        resident = await load()

        async def keep(resident: EventLog = resident) -> EventLog:
            return resident

        here = await timed(keep, log, rounds)
        ns = here.all * 1e9 / here.events
        row(table, f"memory ({size:,.0f})", here, ns)
        if "parquet" in ways:
            async with make() as session:
                for tenant_id, month_on in await parquet.stale(session, directory):
                    await parquet.write_month(session, directory, tenant_id, month_on)
        for name in ways:
            took = await timed({"parquet": read}.get(name, load), log, rounds)
            if took[2:] != here[2:]:
                raise SystemExit(f"{name} gives another answer: {took} instead of {here}")
            row(
                table,
                {"rows": "ledger rows", "sealed": "sealed segments"}.get(name, name),
                took,
                ns,
            )
    return table


def main() -> None:
    """Start servers of its own, fill them, print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=float, default=1e6, help="in sealed segments")
    options.add_argument("--rows", type=float, default=1e5, help="as rows of the ledger")
    options.add_argument("--rounds", type=int, default=6)
    given = options.parse_args()

    async def run(url: str, directory: Path) -> Table:
        engine = connect(url)
        try:
            return await measure(
                sessions(engine), directory, int(given.events), int(given.rows), given.rounds
            )
        finally:
            await engine.dispose()

    with tempfile.TemporaryDirectory() as place, servers(Path(place) / "data") as running:
        migrate.upgrade(running.owner_url)
        url = make_url(running.owner_url).set(username="waarborg_system")
        address = url.render_as_string(hide_password=False)
        table = asyncio.run(run(address, Path(place) / "archive"))
    Console(width=130).print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    Console(width=130).print(f"peak memory of this process {peak:.2f} GB, filling included")


if __name__ == "__main__":
    main()
