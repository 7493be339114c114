"""Imported tickets are judged by the set: as one by one, verified, and again later."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from domain import incidents
from domain.access import Actor, Origin, Tx
from domain.agreements import Priority
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.incidents import PauseCause, Source
from domain.promises import Promise, PromiseWatch, State, batch
from domain.promises.rows import COMPARED
from tests.imports.importing import NOW, A, B, C, Importer


async def test_tickets_judged_by_the_set_stand_as_tickets_judged_one_by_one(
    importer: Importer, tmp_path: Path
) -> None:
    """The same story told through the actions and through a file: the same rows, the same facts."""
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)
    minutes = (0, 5, 20, 50, 200, 260)
    wall = [f"{start + timedelta(minutes=m):%Y-%m-%d %H:%M}" for m in minutes]
    priorities = ("critical", "high", "medium")
    rows = [
        (str(1 + n), at, str(step), state, str(1 + n), "")
        for n in range(3)
        for step, (at, state) in enumerate(
            zip(wall, ("New", "Active", "Waiting", "Active", "Solved", "Done"), strict=True)
        )
    ]
    end = start + timedelta(days=1)
    await importer.log(("9", wall[0], "0", "New", "1", ""), at=end)  # the same ground for both
    world = await importer.ticket("9")
    await importer.log(*rows, at=end)
    actor = Actor.system(world.tenant_id, "test", origin=Origin.HISTORY)
    for n, priority in enumerate(priorities):
        at = [start + timedelta(minutes=m) for m in minutes]
        async with transaction(importer.make) as session:
            one = await incidents.open_incident(
                Tx(session, actor, at[0]),
                site_id=world.site_id,
                priority=Priority(priority),
                summary="something",
                source=Source.CLIENT,
                reporter="import",
            )
            await incidents.start_work(Tx(session, actor, at[1]), one.id)
            await incidents.pause(
                Tx(session, actor, at[2]), one.id, cause=PauseCause.WAITING_ON_CLIENT
            )
            await incidents.resume(Tx(session, actor, at[3]), one.id)
            await incidents.resolve(Tx(session, actor, at[4]), one.id, resolution="done")
            await incidents.close(Tx(session, actor, at[5]), one.id)
        set_rows = await importer.promises(str(1 + n))
        async with importer.make() as session:
            found = await session.scalars(select(Promise).where(Promise.incident_id == one.id))
            one_rows = {(row.name, row.part): row for row in found}
            facts = await session.execute(
                select(LedgerRow.kind, LedgerRow.at)
                .where(LedgerRow.subject_id == one.id)
                .order_by(LedgerRow.id)
            )
            theirs = [(k.removeprefix("incident."), f"{a:%d %H:%M}") for k, a in facts]
        assert one_rows.keys() == set_rows.keys()
        assert len(one_rows) == 3
        for key, row in one_rows.items():
            for name in (*COMPARED, "kind", "name", "terms_id", "term_id", "agreement_id"):
                assert getattr(row, name) == getattr(set_rows[key], name), (priority, key, name)
        assert theirs == await importer.facts(str(1 + n))


async def test_verifying_finds_a_row_that_was_tampered_with(importer: Importer) -> None:
    await importer.cases(A, B, C)
    ticket = await importer.ticket("B")
    which = select(PromiseWatch.unit_id).where(PromiseWatch.tenant_id == ticket.tenant_id)
    async with importer.make() as session:
        clean = await batch.verify(session, which, at=NOW)
    async with transaction(importer.make) as session:
        row = (
            await session.scalars(
                select(Promise).where(Promise.incident_id == ticket.id, Promise.name == "agreed")
            )
        ).one()
        row.elapsed_us -= 1
    async with importer.make() as session:
        found = await batch.verify(session, which, at=NOW)
    assert clean is not None
    assert (clean[0].units, clean[1]) == (3, [])
    assert found is not None
    [difference] = found[1]
    assert (difference.unit_id, difference.field) == (ticket.id, "elapsed_us")


async def test_evaluating_later_moves_what_is_open_and_tells_what_has_become_late(
    importer: Importer,
) -> None:
    opened = ("C", "2026-03-02 10:00", "", "", "3", "A gate", "lock")
    early = datetime(2026, 3, 2, 10, tzinfo=UTC)
    await importer.cases(opened, at=early)
    assert (await importer.promises("C"))["closed", 0].state is State.RUNNING
    ticket = await importer.ticket("C")
    which = select(PromiseWatch.unit_id).where(PromiseWatch.tenant_id == ticket.tenant_id)
    for at, state in ((early + timedelta(hours=3), State.RUNNING), (NOW, State.LATE)):
        async with transaction(importer.make) as session:
            done = await batch.evaluate(
                session, lambda tenant: Actor.system(tenant, "test"), which, at=at
            )
        assert done is not None
        assert done.written == 1
        assert (await importer.promises("C"))["closed", 0].state is state
    async with importer.make() as session:
        late = await session.scalar(
            select(func.count()).where(
                LedgerRow.tenant_id == ticket.tenant_id,
                LedgerRow.kind == "promise.breached",
                LedgerRow.origin == Origin.LIVE,
            )
        )
    assert late == 1
