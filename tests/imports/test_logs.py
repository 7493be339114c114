"""A log tells by its changes what happened to a ticket, in whatever order and pieces it comes."""

import random
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from domain.agreements import Priority
from domain.core.db import Sessions
from domain.incidents import IncidentUpdate, Pause, PauseCause, Status
from domain.promises import State
from tests.imports.importing import STEP, Importer
from tests.profiles import LOG, profile


async def test_a_log_tells_what_changed_between_its_rows(importer: Importer) -> None:
    await importer.log(
        ("1", "2026-03-02 09:00", "0", "New", "3", ""),
        ("1", "2026-03-02 09:10", "1", "Active", "3", "we look"),
        ("1", "2026-03-02 09:20", "2", "Waiting", "3", ""),
        ("1", "2026-03-02 09:30", "3", "-100", "2", ""),
        ("1", "2026-03-02 10:00", "4", "Active", "2", "we go on"),
        ("1", "2026-03-02 11:00", "5", "Solved", "2", ""),
        ("1", "2026-03-02 12:00", "6", "Active", "2", ""),
        ("1", "2026-03-02 12:30", "7", "Done", "2", ""),
    )
    assert await importer.facts("1") == [
        ("opened", "02 09:00"),
        ("acknowledged", "02 09:10"),
        ("work_started", "02 09:10"),
        ("updated", "02 09:10"),
        ("paused", "02 09:20"),
        ("prioritised", "02 09:30"),
        ("resumed", "02 10:00"),
        ("updated", "02 10:00"),
        ("resolved", "02 11:00"),
        ("reopened", "02 12:00"),
        ("closed", "02 12:30"),
    ]
    ticket = await importer.ticket("1")
    assert (ticket.status, ticket.priority, ticket.reopened_count) == (
        Status.CLOSED,
        Priority.HIGH,
        1,
    )
    async with importer.make() as session:
        [pause] = await session.scalars(select(Pause).where(Pause.incident_id == ticket.id))
        said = await session.scalars(
            select(IncidentUpdate.body)
            .where(IncidentUpdate.incident_id == ticket.id)
            .order_by(IncidentUpdate.at)
        )
        assert said.all() == ["we look", "we go on"]
    assert (pause.cause, pause.until_at) == (
        PauseCause.WAITING_ON_CLIENT,
        datetime(2026, 3, 2, 10, tzinfo=UTC),
    )
    resolution = (await importer.promises("1"))["resolution", 0]
    minute = 60_000_000
    assert (resolution.elapsed_us, resolution.paused_us) == (110 * minute, 40 * minute)


async def test_the_order_of_the_rows_in_the_file_does_not_matter(
    importer: Importer, tmp_path: Path
) -> None:
    states = ("New", "Active", "Waiting", "Active", "Solved", "Active", "Done")
    rows = [
        (
            f"{n}",
            f"2026-03-02 09:{step // 2:02}",
            str(step),
            state,
            str(1 + (n + step) % 4),
            f"{step}",
        )
        for n in range(40)
        for step, state in enumerate(states)
    ]
    other = Importer(importer.make, tmp_path)
    shuffled = random.Random(7).sample(rows, len(rows))
    await importer.log(*rows)
    done = await other.log(*shuffled, *shuffled[:50])
    assert done.rows == len(rows) + 50
    for key in ("0", "17", "39"):
        assert await importer.facts(key) == await other.facts(key)
    again = await other.log(*rows)
    assert again.facts_new == 0


async def test_a_log_that_goes_on_in_a_second_file_goes_on_where_the_first_ended(
    importer: Importer, tmp_path: Path
) -> None:
    rows = [
        ("1", "2026-03-02 09:00", "0", "New", "3", ""),
        ("1", "2026-03-02 09:10", "1", "Active", "3", ""),
        ("1", "2026-03-02 09:20", "2", "Waiting", "3", ""),
        ("1", "2026-03-02 09:40", "3", "Active", "2", ""),
        ("1", "2026-03-02 09:50", "4", "Solved", "2", ""),
    ]
    other = Importer(importer.make, tmp_path)
    await importer.log(*rows)
    await other.log(*rows[:3])
    await other.log(*rows[3:])
    assert await other.facts("1") == await importer.facts("1")
    assert (await other.ticket("1")).status is Status.RESOLVED


async def test_a_priority_that_holds_from_the_opening_on_judges_as_if_it_always_had(
    make: Sessions, tmp_path: Path
) -> None:
    rows = [
        ("1", "2026-03-02 09:00", "0", "New", "1", ""),
        ("1", "2026-03-02 12:00", "1", "New", "3", ""),
        ("1", "2026-03-02 12:30", "2", "Solved", "3", ""),
    ]
    verdicts = {}
    for how in ("from_then_on", "retroactive"):
        importer = Importer(make, tmp_path)
        mapping = profile(LOG, ('order = "step"', f'order = "step"\npriority_change = "{how}"'))
        await importer.run(mapping, STEP, rows)
        verdicts[how] = (await importer.promises("1"))["resolution", 0].state
        assert (await importer.run(mapping, STEP, rows)).facts_new == 0
    assert verdicts == {"from_then_on": State.LATE, "retroactive": State.KEPT}
