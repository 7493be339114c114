"""Loading: the same columns from rows, from sealed segments with a tail, and from the one translation of facts."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import agreements, archive, calendars, incidents, promises
from domain.access import Tx
from domain.agreements import Priority, TicketKind
from domain.archive import parquet, segments
from domain.archive.reads import terms_and_calendars
from domain.archive.rules import assembled, uuid_of
from domain.core import sequencing
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.evaluator.kernels.batch import columns_of, verdicts
from domain.incidents import PauseCause
from domain.promises.translation import to_us
from tests import build
from tests.build import T0, World, minutes

NOW = T0 + timedelta(days=80)


async def tickets(make: Sessions, world: World, count: int = 12) -> list[UUID]:
    """Tickets over two months with everything that can happen to them."""
    found = []
    for i in range(count):
        at = T0 + timedelta(days=4 * i, minutes=7 * i)
        agreed = at + timedelta(hours=30) if i % 5 == 0 else None
        ticket = await build.incident(
            make,
            world,
            priority=list(Priority)[i % 4],
            at=at,
            kind=list(TicketKind)[i % 5],
            agreed_at=agreed,
        )
        found.append(ticket.id)
        async with transaction(make) as session:
            tx, it = Tx(session, world.staff, at), incidents
            await it.acknowledge(tx.as_of(at + minutes(10 * i)), ticket.id)
            await it.update(
                tx.as_of(at + minutes(10 * i + 1)), ticket.id, body="Seen", client_visible=True
            )
            if i % 3 == 0:
                await it.pause(
                    tx.as_of(at + minutes(10 * i + 2)),
                    ticket.id,
                    cause=PauseCause.WAITING_ON_CLIENT,
                )
                await it.resume(tx.as_of(at + minutes(10 * i + 45)), ticket.id)
            if i % 4 == 1:
                await it.change_priority(
                    tx.as_of(at + minutes(10 * i + 50)),
                    ticket.id,
                    priority=Priority.LOW,
                    reason="less",
                )
            if i % 6 != 5:
                await it.resolve(tx.as_of(at + minutes(60 * i + 60)), ticket.id, resolution="Done")
            if i % 4 == 2:
                await it.reopen(tx.as_of(at + minutes(60 * i + 90)), ticket.id, reason="Not done")
    return found


async def number(make: Sessions) -> None:
    """Let every fact have its number, as the relay gives it."""
    async with transaction(make) as session:
        while (await sequencing.assign_sequence(session, routes={}, due_at=NOW)).facts:
            pass


def said(log: archive.EventLog, at: datetime) -> list[tuple[object, ...]]:
    """Verdicts in words that do not depend on how units are numbered."""
    rows = columns_of(archive.judged(log, to_us(at)))
    return sorted(
        (log.terms[p].id, uuid_of(log.incidents[u]), *rest)
        for p, u, *rest in zip(*(column.tolist() for column in rows[:13]), strict=True)
    )


def columns(log: archive.EventLog) -> list[Any]:
    return [
        *log.sealed,
        log.incidents,
        log.sites,
        log.site_of,
        log.first_event,
        log.term_of,
    ]


async def by_the_one_translation(
    session: AsyncSession, account_id: UUID, at: datetime
) -> list[tuple[object, ...]]:
    watches = (
        await session.scalars(
            select(promises.PromiseWatch).where(promises.PromiseWatch.account_id == account_id)
        )
    ).all()
    terms = await agreements.terms_by_id(session, {t for w in watches for t in w.term_ids})
    specs = await calendars.specs(session, {t.calendar_version_id for t in terms.values()})
    facts = await session.execute(
        select(LedgerRow.subject_id, LedgerRow.kind, LedgerRow.at, LedgerRow.body)
        .where(LedgerRow.account_id == account_id, LedgerRow.kind.in_(promises.clock_event_kinds()))
        .order_by(LedgerRow.id)
    )
    attached = {watch.unit_id: [terms[t] for t in watch.term_ids] for watch in watches}
    batch = promises.build(attached, (promises.ClockFact(*row) for row in facts), specs, at=at)
    rows = verdicts(batch.events, batch.promises, batch.calendars, to_us(at))
    return sorted(
        (batch.terms[p].id, batch.units[u], *rest)
        for p, u, *rest in zip(*(column.tolist() for column in rows[:13]), strict=True)
    )


async def test_columns_by_copy_say_what_the_translation_of_facts_says(make: Sessions) -> None:
    world = await build.client(make)
    await tickets(make, world)

    async with make() as session:
        log = await archive.load(session, world.account.id, at=NOW)
        expected = await by_the_one_translation(session, world.account.id, NOW)

    assert len(expected) > 30
    assert said(log, NOW) == expected


async def test_sealed_months_and_the_tail_are_the_same_log_bit_for_bit(make: Sessions) -> None:
    world = await build.client(make)
    await tickets(make, world)
    await number(make)

    async with transaction(make) as session:
        months = await archive.seal(session, world.account.id, at=T0 + timedelta(days=40))
    async with make() as session:
        rows = await archive.load(session, world.account.id, at=NOW, sealed=False)
        mixed = await archive.load(session, world.account.id, at=NOW)

    assert months == 1  # March; April is younger than a week
    assert all(map(np.array_equal, columns(rows), columns(mixed)))


async def test_a_late_fact_about_a_sealed_ticket_is_seen_at_once_and_sealed_later(
    make: Sessions,
) -> None:
    world = await build.client(make)
    [first, *_] = await tickets(make, world)
    await number(make)
    async with transaction(make) as session:
        await archive.seal(session, world.account.id, at=NOW)

    async with transaction(make) as session:  # not numbered yet
        await incidents.reopen(
            Tx(session, world.staff, T0 + timedelta(hours=3)), first, reason="Again"
        )
    async with make() as session:
        mixed = await archive.load(session, world.account.id, at=NOW)
        rows = await archive.load(session, world.account.id, at=NOW, sealed=False)
    await number(make)
    async with transaction(make) as session:
        again = await archive.seal(session, world.account.id, at=NOW)
        nothing = await archive.seal(session, world.account.id, at=NOW)
    async with make() as session:
        head = await session.get_one(archive.Sealing, world.account.id)
        resealed = await archive.load(session, world.account.id, at=NOW)

    assert said(mixed, NOW) == said(rows, NOW) == said(resealed, NOW)
    assert (again, nothing) == (1, 0)
    assert head.until_at == datetime(2026, 5, 1, tzinfo=UTC)


async def test_a_reader_beside_a_sealer_sees_every_ticket_once(make: Sessions) -> None:
    world = await build.client(make)
    found = await tickets(make, world)
    await number(make)
    done = asyncio.Event()

    async def seals() -> None:
        mine = world.account.id
        for _ in range(30):
            async with transaction(make) as session:
                await session.execute(delete(archive.EventSegment).filter_by(account_id=mine))
                await session.execute(delete(archive.Sealing).filter_by(account_id=mine))
                await archive.seal(session, mine, at=T0 + timedelta(days=40))
            async with transaction(make) as session:
                await archive.seal(session, mine, at=NOW)
        done.set()

    async def reads() -> list[archive.EventLog]:
        logs = []
        while not done.is_set():
            async with make() as session:
                logs.append(await archive.load(session, world.account.id, at=NOW))
        return logs

    logs, _ = await asyncio.gather(reads(), seals())

    assert len(logs) > 20
    for log in logs:
        units = [(int(t), uuid_of(i)) for t, i in zip(log.term_of, log.incidents, strict=True)]
        assert len(units) == len(set(units))
        assert {ticket for _, ticket in units} == set(found)


async def test_a_segment_that_is_gone_is_no_half_read_log(make: Sessions) -> None:
    world = await build.client(make)
    await tickets(make, world)
    await number(make)
    async with transaction(make) as session:
        await archive.seal(session, world.account.id, at=NOW)

    async with transaction(make) as session:
        _, kept = await segments.directory(session, world.account.id)
        whole = await segments.pieces(session, world.account.id, kept)
        gone = kept[len(kept) // 2].id
        await session.execute(delete(archive.EventSegment).where(archive.EventSegment.id == gone))
        rest = await segments.pieces(session, world.account.id, kept)

    assert whole is not None
    assert rest is None


async def test_what_was_recorded_later_is_not_known_then(make: Sessions) -> None:
    world = await build.client(make)
    found = await tickets(make, world, 4)
    async with make() as session:
        before = datetime.now(UTC)
        known = await archive.load(session, world.account.id, at=NOW)
    async with transaction(make) as session:
        await incidents.resolve(
            Tx(session, world.staff, T0 + minutes(5)),
            (await build.incident(make, world, at=T0)).id,
            resolution="x",
        )

    async with make() as session:
        then = await archive.load(session, world.account.id, at=NOW, known_at=before)
        now = await archive.load(session, world.account.id, at=NOW)

    assert said(then, NOW) == said(known, NOW)
    assert len(said(now, NOW)) > len(said(then, NOW))
    assert len(found) == 4


async def test_parquet_gives_back_the_sealed_log_and_is_made_again_when_it_changes(
    make: Sessions, tmp_path: Path
) -> None:
    world = await build.client(make)
    [first, *_] = await tickets(make, world)
    await number(make)
    mine = world.tenant.id
    async with transaction(make) as session:
        await archive.seal(session, world.account.id, at=NOW)
        stale = [each for each in await parquet.stale(session, tmp_path) if each[0] == mine]
        events = sum([await parquet.write_month(session, tmp_path, *each) for each in stale])
        rest = [each for each in await parquet.stale(session, tmp_path) if each[0] == mine]
        log = await archive.load(session, world.account.id, at=NOW)
        base = await terms_and_calendars(session, world.account.id)
    pieces = parquet.read(tmp_path, mine, world.account.id)
    again = assembled(base.terms, pieces, base.specs, at_us=to_us(NOW))
    async with transaction(make) as session:
        await incidents.reopen(Tx(session, world.staff, T0 + minutes(70)), first, reason="?")
    await number(make)
    async with transaction(make) as session:
        await archive.seal(session, world.account.id, at=NOW)
        changed = [each for each in await parquet.stale(session, tmp_path) if each[0] == mine]

    assert [str(month) for _, month in stale] == ["2026-03-01", "2026-04-01"]
    assert (events, rest) == (log.events, [])
    assert all(map(np.array_equal, columns(log), columns(again)))
    assert [str(month) for _, month in changed] == ["2026-03-01"]
