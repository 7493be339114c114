"""Units of every class in the archive: shifts, measured values and imported ends read the same in all three ways."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import ClassVar
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import select

from domain import accounts, agreements, archive, posts, promises, shifts
from domain.access import Actor, Role, Tx
from domain.agreements import IncidentAttributes, Priority, PromiseDraft, PromiseKind, Target
from domain.archive import parquet
from domain.archive.reads import terms_and_calendars
from domain.archive.rules import assembled
from domain.core.db import Sessions, transaction
from domain.core.ledger import Fact, LedgerRow, record, shard_of
from domain.evaluator.kernels.codes import EventKind, PromiseClass
from domain.promises import ClockRule, FactRole, State, registry
from domain.promises.translation import to_us
from tests import build
from tests.build import T0, World
from tests.domain.archive.test_load import by_the_one_translation, columns, number, said

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
NOW = T0 + timedelta(days=80)
RATED = PromiseKind.REPORT_DELIVERED
VALUES = (7.0, 6.9, 10.0, 0.1, 3.3333333333, 12.0, -1.0)


class Rated(Fact):
    """Somebody rated a report."""

    kind: ClassVar[str] = "test.rated"
    value: float
    counts: bool


@contextmanager
def rated_reports() -> Iterator[None]:
    """Let reports be rated instead of delivered, by values that no survey has."""
    derived = (registry._rules, registry.clock_event_kinds, registry.dated_roles)
    known = registry.units()["report"]
    role = FactRole(EventKind.MEASURE, flags=("counts",), value_field="value")
    rule = ClockRule(PromiseClass.POINT, {"test.rated": role}, prioritised=False)
    registry.units()["report"] = replace(known, rules={RATED: rule})
    try:
        for each in derived:
            each.cache_clear()
        yield
    finally:
        registry.units()["report"] = known
        for each in derived:
            each.cache_clear()


@pytest.fixture(autouse=True)
def _rated() -> Iterator[None]:
    with rated_reports():
        yield


async def client(make: Sessions) -> World:
    """A client to whom shifts, agreed dates and ratings are promised beside the usual."""
    world = await build.client(make)
    one = {Priority.LOW: Target(elapsed_s=0)}
    drafts = (
        PromiseDraft("start", PromiseKind.SHIFT_STARTED, world.calendar.id, one),
        PromiseDraft("cover", PromiseKind.SHIFT_COVERED, world.calendar.id, one, objective_ppm=800_000),
        PromiseDraft("rating", RATED, world.calendar.id, one),
        PromiseDraft(
            "agreed", PromiseKind.AGREED_DATE, world.calendar.id, dict.fromkeys(Priority, one[Priority.LOW])
        ),
    )  # fmt: skip
    terms = build.terms_draft(world.calendar)
    async with transaction(make) as session:
        tx = Tx(session, Actor.system(world.tenant.id, "test"), T0)
        await agreements.amend(
            tx, world.agreement.id, in_force_from=T0 - timedelta(days=9),
            terms=replace(terms, promises=(*terms.promises, *drafts)),
        )  # fmt: skip
    return world


async def roster(make: Sessions, world: World) -> None:
    """Shifts over two months: staffed, left, corrected, missed and cancelled."""
    system = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        tx = Tx(session, system, T0)
        user = await accounts.add_user(tx, email="g@example.org", name="Guard", role=Role.GUARD)
        post = await posts.add_post(
            tx, world.site.id, name="Gate", service="reception", valid_from_on=date(2026, 1, 1)
        )
    for n in range(10):
        begins = T0 + timedelta(days=6 * n + 1)
        async with transaction(make) as session:
            tx = Tx(session, system, T0 + HOUR)
            change = await shifts.plan_one(
                tx, post.id, from_at=begins, until_at=begins + 8 * HOUR, user_id=user.id
            )
            [shift_id] = change.shift_ids
            await shifts.publish(tx, [shift_id])
            if n % 5 == 0:
                await shifts.cancel_shift(tx.as_of(begins - HOUR), shift_id, reason="Closed")
            elif n % 5 != 4:
                late = timedelta(minutes=20 * n)
                await shifts.clock_in(tx.as_of(begins + late), shift_id)
                await shifts.clock_out(tx.as_of(begins + 7 * HOUR), shift_id)
            if n % 5 == 3:
                await shifts.correct_attendance(
                    tx.as_of(begins + 9 * HOUR), shift_id, shifts.AttendanceKind.CLOCK_IN,
                    at=begins, reason="Log",
                )  # fmt: skip


async def ratings(make: Sessions, world: World) -> list[UUID]:
    """Rated units over two months; a rating that does not count among them."""
    system, found = Actor.system(world.tenant.id, "test"), []
    for n in range(8):
        at, unit = T0 + timedelta(days=7 * n, hours=3), uuid4()
        attributes = IncidentAttributes("report", None, None, at)
        subject = promises.PromiseSubject("report", unit, world.account.id, attributes)
        async with transaction(make) as session:
            await promises.start(session, system, subject, at=at)
            for i, value in enumerate(VALUES[: n + 1]):
                fact = Rated(
                    account_id=world.account.id, subject_id=unit, at=at + i * HOUR,
                    value=value, counts=i != 2,
                )  # fmt: skip
                record(session, system, fact)
            await promises.evaluate(session, system, unit, at=at + 9 * HOUR)
        found.append(unit)
    return found


async def imported(make: Sessions, world: World) -> None:
    """An agreed date that was met just before the opening, which is where an import moved the end to."""
    agreed = T0 + timedelta(days=2)
    incident = await build.incident(make, world, at=T0, agreed_at=agreed)
    async with transaction(make) as session:
        session.add(
            LedgerRow(
                tenant_id=world.tenant.id, account_id=world.account.id,
                shard=shard_of(world.tenant.id, world.account.id),
                kind="incident.resolved", subject_id=incident.id, at=agreed + HOUR,
                actor="system:test", origin="history", body={"said_at": (agreed - HOUR).isoformat()},
            )
        )  # fmt: skip


async def test_every_class_is_the_same_in_rows_segments_parquet_and_the_one_translation(
    make: Sessions, tmp_path: Path
) -> None:
    world = await client(make)
    mine = world.account.id
    await roster(make, world)
    units = await ratings(make, world)
    await imported(make, world)
    await number(make)

    async with transaction(make) as session:
        expected = await by_the_one_translation(session, mine, NOW)
        rows = await archive.load(session, mine, at=NOW, sealed=False)
        assert await archive.seal(session, mine, at=T0 + timedelta(days=40)) == 1
        mixed = await archive.load(session, mine, at=NOW)
        assert await archive.seal(session, mine, at=NOW) > 0
        sealed = await archive.load(session, mine, at=NOW)
        for each in await parquet.stale(session, tmp_path):
            if each[0] == world.tenant.id:
                await parquet.write_month(session, tmp_path, *each)
        base = await terms_and_calendars(session, mine)
    read = assembled(
        base.terms, parquet.read(tmp_path, world.tenant.id, mine), base.specs, at_us=to_us(NOW)
    )

    assert said(rows, NOW) == said(mixed, NOW) == said(sealed, NOW) == said(read, NOW) == expected
    for log in (mixed, read):
        assert all(map(np.array_equal, columns(rows), columns(log)))
    kinds: dict[object, PromiseKind] = {term.id: term.kind for term in rows.terms}
    by_kind = {kind: [row for row in expected if kinds[row[0]] is kind] for kind in kinds.values()}
    cover = by_kind[PromiseKind.SHIFT_COVERED]
    assert {row[3] for row in cover} == {4, 5, 6}  # late, kept, cancelled
    assert len(by_kind[RATED]) == sum(min(n + 1, 7) - (n > 1) for n in range(8))
    async with make() as session:
        stored = await session.execute(
            select(promises.Promise.unit_id, promises.Promise.state).where(
                promises.Promise.unit_id.in_(units)
            )
        )
        online = sorted((unit, state is State.KEPT) for unit, state in stored)
    assert sorted((row[1], row[3] == 5) for row in by_kind[RATED]) == online
    [agreed] = by_kind[PromiseKind.AGREED_DATE]
    assert agreed[3] == 5  # kept: the original time of the end counts
