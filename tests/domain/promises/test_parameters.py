"""Parameters that verdicts depend on are pinned when a unit begins: what is set later leaves older verdicts alone."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select

from domain import accounts, archive, incidents, promises
from domain.access import Actor, Tx
from domain.agreements import Priority
from domain.core.db import Sessions, transaction
from domain.evaluator.kernels.codes import ClockState
from domain.incidents import Incident, Pause, PauseCause
from domain.parameters import (
    ParameterPlace,
    ParameterScope,
    ParameterTier,
    ParameterUnit,
    load_values,
    set_value,
)
from domain.promises import Promise, PromiseWatch, State, batch, to_us
from domain.promises.parameters import PAUSES, WARNINGS
from tests import build
from tests.build import T0, World, minutes

LATER = T0 + timedelta(days=1)


async def put(
    make: Sessions,
    world: World,
    name: str,
    numbers: Sequence[int],
    unit: ParameterUnit,
    *,
    at: datetime = LATER,
    place: ParameterPlace | None = None,
) -> None:
    system = Actor.system(world.tenant.id, "test")
    place = place or ParameterPlace(account_id=world.account.id)
    async with transaction(make) as session:
        await set_value(Tx(session, system, at), name, numbers=numbers, unit=unit, place=place)


async def waited(make: Sessions, world: World, at: datetime) -> Incident:
    """A critical incident that waits for the client for almost three hours and is solved after three and a half."""
    incident = await build.incident(make, world, at=at)
    async with transaction(make) as session:
        tx = Tx(session, world.staff, at)
        await incidents.pause(
            tx.as_of(at + minutes(1)), incident.id, cause=PauseCause.WAITING_ON_CLIENT
        )
    async with transaction(make) as session:
        while await incidents.end_capped_pauses(session, at=at + minutes(170), only=incident.id):
            pass
    async with transaction(make) as session:
        row = await session.get_one(Incident, incident.id)
        tx = Tx(session, world.staff, at + minutes(180))
        if row.status is incidents.Status.PAUSED:
            await incidents.resume(tx, incident.id)
        await incidents.resolve(tx.as_of(at + minutes(210)), incident.id, resolution="Done")
    return incident


async def verdicts(make: Sessions, incident: Incident) -> dict[str, tuple[State, int]]:
    async with make() as session:
        rows = await session.scalars(select(Promise).where(Promise.unit_id == incident.id))
        return {f"{row.name} {row.part}": (row.state, row.paused_us) for row in rows}


async def test_a_verdict_of_before_the_change_is_computed_the_same_after_it(make: Sessions) -> None:
    world = await build.client(make)
    old = await waited(make, world, T0)
    before = await verdicts(make, old)
    await put(make, world, "promises.pause_allowance", [1], ParameterUnit.HOURS)
    new = await waited(make, world, LATER + minutes(5))
    after = await verdicts(make, new)
    assert (before["resolution 0"][0], after["resolution 0"][0]) == (State.KEPT, State.LATE)
    assert before["resolution 0"][1] == minutes(179) // timedelta(microseconds=1)
    assert after["resolution 0"][1] == minutes(60) // timedelta(microseconds=1)

    now = LATER + timedelta(days=3)
    system = Actor.system(world.tenant.id, "test")
    which = select(PromiseWatch.unit_id).where(PromiseWatch.account_id == world.account.id)
    async with transaction(make) as session:
        compared = await batch.verify(session, which, at=now)
        again = await batch.evaluate(session, lambda _tenant: system, which, at=now)
        for each in (old, new):
            await promises.evaluate(session, system, each.id, at=now)
        log = await archive.load(session, world.account.id, at=now)
    assert compared is not None
    assert compared[1] == []
    assert again is not None
    assert again.written == 0
    assert (await verdicts(make, old), await verdicts(make, new)) == (before, after)
    columns = archive.judged(log, to_us(now))
    late = [
        log.terms[p].name
        for p, state in zip(columns.promise, columns.state, strict=True)
        if state == ClockState.LATE_CLOSED and log.terms[p].name == "resolution"
    ]
    assert late == ["resolution"]


async def test_a_pause_ends_by_itself_after_what_was_allowed_when_the_incident_was_opened(
    make: Sessions,
) -> None:
    world = await build.client(make)
    old = await build.incident(make, world)
    site = ParameterPlace(site_id=world.site.id)
    await put(make, world, "promises.pause_allowance", [5], ParameterUnit.HOURS)
    await put(make, world, "promises.pause_allowance", [2], ParameterUnit.HOURS, place=site)
    new = await build.incident(make, world, at=LATER)
    caps = []
    for each in (old, new):
        async with transaction(make) as session:
            tx = Tx(session, world.staff, LATER + minutes(1))
            await incidents.pause(tx, each.id, cause=PauseCause.WAITING_ON_CLIENT)
            [pause] = await session.scalars(select(Pause).where(Pause.incident_id == each.id))
            caps.append((pause.cap_at - pause.from_at) / timedelta(hours=1))
    assert caps == [72, 2]


@pytest.mark.parametrize(("percents", "warned"), [((10, 20, 30), 1), ((20, 50, 60), 0)])
async def test_a_promise_warns_at_the_shares_that_were_set(
    make: Sessions, percents: tuple[int, ...], warned: int
) -> None:
    world = await build.client(make)
    await put(make, world, "promises.warnings", percents, ParameterUnit.PERCENT, at=T0)
    incident = await build.incident(make, world, priority=Priority.CRITICAL)
    at = T0 + minutes(2)  # 13 % of a critical first response
    async with transaction(make) as session:
        await promises.evaluate(session, world.staff, incident.id, at=at)
        row = await session.scalar(
            select(Promise).where(Promise.unit_id == incident.id, Promise.name == "first_response")
        )
        assert list(await promises.warnings_of(session, incident.id)) == list(percents)
    assert row is not None
    assert row.warned == warned
    coming = percents[warned] * 15 / 100
    assert row.next_check_at == T0 + minutes(coming)


async def test_two_hundred_accounts_cost_two_queries(make: Sessions) -> None:
    world = await build.client(make)
    system = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        made = [
            await accounts.create_account(Tx(session, system, T0), name=f"Client {n}")
            for n in range(200)
        ]
    tier = ParameterPlace(tier=ParameterTier.BASIC)
    await put(make, world, "promises.pause_allowance", [5], ParameterUnit.HOURS, place=tier)
    await put(make, world, "promises.pause_allowance", [2], ParameterUnit.HOURS)
    scopes = {ParameterScope(world.tenant.id, each.id) for each in (world.account, *made)}
    statements: list[str] = []
    async with make() as session:
        connection = await session.connection()
        event.listen(
            connection.sync_connection,
            "before_cursor_execute",
            lambda _conn, _cursor, statement, *_rest: statements.append(statement),
        )
        values = await load_values(session, scopes, (PAUSES, WARNINGS), until=LATER)
    assert len(statements) == 2
    found = [values.required(PAUSES, scope, at=LATER).number for scope in scopes]
    assert (found.count(5), found.count(2)) == (200, 1)
