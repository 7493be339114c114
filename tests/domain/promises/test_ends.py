"""The end of an incident ends its clocks: what is late stays late, what is not needed any more has no verdict."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from domain import agreements, archive, incidents
from domain.access import Actor, Tx
from domain.agreements import (
    CreditDraft,
    Priority,
    PromiseDraft,
    PromiseKind,
    Target,
    TermsDraft,
)
from domain.archive.rules import judged
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.evaluator.kernels.codes import ClockState
from domain.incidents import Incident, IncidentOutcome
from domain.promises import Promise, PromiseWatch, batch, is_about
from domain.promises.translation import to_us
from tests import build
from tests.build import T0, World, minutes
from tests.domain.promises.test_actions import sweep

pytestmark = pytest.mark.anyio

SOLVED, FALSE_ALARM, CALLED_OFF, DUPLICATE = IncidentOutcome
AGREED = T0 + minutes(40)
KEPT, LATE, CANCELLED, RUNNING, PENDING = "kept", "late", "cancelled", "running", "pending"


async def world_of(make: Sessions, *, limit: float = 20) -> World:
    """A client with one promise of every kind, each within `limit` minutes and worth a credit."""
    world = await build.client(make, promises=())
    drafts = tuple(
        PromiseDraft(
            kind.value,
            kind,
            world.calendar.id,
            {priority: Target(elapsed_s=int(limit * 60)) for priority in Priority},
            credits={None: CreditDraft(fixed_cents=5_000)},
        )
        for kind in PromiseKind
        if is_about(kind, "incident")
    )
    async with transaction(make) as session:
        await agreements.sign(
            Tx(session, Actor.system(world.tenant.id, "test"), T0),
            world.account.id,
            reference=f"{world.agreement.reference}-all",
            title="Alles",
            signed_on=date(2025, 12, 1),
            in_force_from=datetime(2026, 1, 1, tzinfo=UTC),
            terms=TermsDraft(drafts),
        )
    return world


async def states(make: Sessions, ticket: Incident) -> dict[str, str]:
    async with make() as session:
        rows = await session.scalars(
            select(Promise).where(Promise.incident_id == ticket.id).order_by(Promise.part)
        )
        return {row.name: str(row.state) for row in rows}


async def resolve(make: Sessions, world: World, ticket: Incident, after: float, **how: Any) -> None:
    async with transaction(make) as session:
        await incidents.resolve(
            Tx(session, world.staff, T0 + minutes(after)), ticket.id, resolution="Klaar", **how
        )


async def verified(make: Sessions, world: World, ticket: Incident, at: datetime) -> None:
    """The rows are what the batch path says of the ledger, and the archive's columns say it too."""
    which = select(PromiseWatch.unit_id).where(PromiseWatch.unit_id == ticket.id)
    async with make() as session:
        found = await batch.verify(session, which, at=at)
        log = await archive.load(session, world.account.id, at=at)
        rows = await session.scalars(select(Promise).where(Promise.incident_id == ticket.id))
        stored = sorted((row.name, row.part, str(row.state) == CANCELLED) for row in rows)
    assert found is not None
    assert found[1] == []
    columns = judged(log, to_us(at))
    assert stored == sorted(
        (log.terms[p].name, int(part), bool(state == ClockState.CANCELLED))
        for p, part, state in zip(columns.promise, columns.part, columns.state, strict=True)
    )


@pytest.mark.parametrize(
    ("outcome", "resolution", "closure", "agreed"),
    [
        (SOLVED, KEPT, KEPT, KEPT),
        (FALSE_ALARM, KEPT, KEPT, KEPT),
        (CALLED_OFF, CANCELLED, CANCELLED, CANCELLED),
        (DUPLICATE, CANCELLED, CANCELLED, CANCELLED),
    ],
)
async def test_an_end_before_anything_is_late_breaks_nothing_however_long_one_waits(
    make: Sessions, outcome: IncidentOutcome, resolution: str, closure: str, agreed: str
) -> None:
    world = await world_of(make)
    ticket = await build.incident(make, world, agreed_at=AGREED)
    await resolve(make, world, ticket, 2, outcome=outcome)
    early = await states(make, ticket)
    assert early["agreed_date"] == (PENDING if agreed == KEPT else CANCELLED)
    assert early["closure"] == (RUNNING if closure == KEPT else CANCELLED)
    async with transaction(make) as session:
        await incidents.close(Tx(session, world.staff, T0 + minutes(3)), ticket.id)
    await sweep(make, T0 + minutes(600))
    assert await states(make, ticket) == {
        "first_response": KEPT,
        "next_update": KEPT,
        "arrival": CANCELLED,
        "resolution": resolution,
        "closure": closure,
        "agreed_date": agreed,
    }
    await verified(make, world, ticket, T0 + minutes(600))
    async with make() as session:
        row = await session.get_one(Incident, ticket.id)
        watch = await session.scalar(select(PromiseWatch).where(PromiseWatch.unit_id == ticket.id))
        told = set(
            await session.scalars(
                select(LedgerRow.kind).where(
                    LedgerRow.account_id == world.account.id, LedgerRow.kind.startswith("promise.")
                )
            )
        )
    assert row.outcome is outcome
    assert watch is not None
    assert watch.next_check_at is None
    assert "promise.breached" not in told


async def test_what_was_late_before_the_end_stays_late(make: Sessions) -> None:
    world = await world_of(make)
    ticket = await build.incident(make, world, agreed_at=T0 + minutes(10))
    await resolve(make, world, ticket, 21, outcome=CALLED_OFF)
    async with transaction(make) as session:
        await incidents.close(Tx(session, world.staff, T0 + minutes(22)), ticket.id)
    assert set((await states(make, ticket)).values()) == {LATE}
    await verified(make, world, ticket, T0 + minutes(22))


async def test_an_arrival_that_is_cancelled_on_its_limit_was_not_late(make: Sessions) -> None:
    world = await world_of(make)
    ticket = await build.incident(make, world)
    await resolve(make, world, ticket, 20)
    assert (await states(make, ticket))["arrival"] == CANCELLED


async def test_reopening_continues_what_was_cancelled_with_the_time_it_had_used(
    make: Sessions,
) -> None:
    world = await world_of(make)
    ticket = await build.incident(make, world, agreed_at=AGREED)
    await resolve(make, world, ticket, 5, outcome=CALLED_OFF)
    async with transaction(make) as session:
        await incidents.reopen(
            Tx(session, world.client, T0 + minutes(105)), ticket.id, reason="Toch niet"
        )
    found = await states(make, ticket)
    assert (found["arrival"], found["resolution"], found["first_response"]) == (
        RUNNING, RUNNING, KEPT,
    )  # fmt: skip
    async with make() as session:
        row = await session.scalar(
            select(Promise).where(Promise.incident_id == ticket.id, Promise.name == "arrival")
        )
        reopened = await session.get_one(Incident, ticket.id)
    assert row is not None
    assert row.due_at == T0 + minutes(120)
    assert reopened.outcome is None
    async with transaction(make) as session:
        await incidents.arrive(Tx(session, world.staff, T0 + minutes(121)), ticket.id)
    assert (await states(make, ticket))["arrival"] == LATE
    await verified(make, world, ticket, T0 + minutes(121))


async def test_somebody_who_had_arrived_stays_arrived_when_the_incident_is_reopened(
    make: Sessions,
) -> None:
    world = await world_of(make)
    ticket = await build.incident(make, world)
    async with transaction(make) as session:
        await incidents.arrive(Tx(session, world.staff, T0 + minutes(3)), ticket.id)
    await resolve(make, world, ticket, 5)
    async with transaction(make) as session:
        await incidents.reopen(
            Tx(session, world.client, T0 + minutes(50)), ticket.id, reason="Nog niet"
        )
    assert (await states(make, ticket))["arrival"] == KEPT
    await verified(make, world, ticket, T0 + minutes(50))
