"""Pauses of a log last 72 hours together, as live ones do, in whatever pieces and however often it is imported."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import select

from domain import archive, incidents
from domain.access import Actor, Tx
from domain.agreements import Priority
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.evaluator.kernels.batch import columns_of
from domain.incidents import Pause, PauseCause, Source, Status
from domain.promises import State
from domain.promises.translation import to_us
from tests.imports.importing import NOW, Importer

pytestmark = pytest.mark.anyio
HOUR = 3_600_000_000
STEPS = (
    (0, "New"),
    (1, "Active"),
    (2, "Waiting"),
    (30, "Active"),
    (40, "Waiting"),
    (50, "Waiting"),
    (280, "Active"),
    (290, "Waiting"),
    (300, "Solved"),
)
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def rows(*, key: str = "1") -> list[tuple[str, ...]]:
    """Held for 28, 240 and 10 hours; 72 hours of that count."""
    return [
        (key, f"{START + timedelta(hours=at):%Y-%m-%d %H:%M}", str(step), state, "3", "")
        for step, (at, state) in enumerate(STEPS)
    ]


class Stand(NamedTuple):
    """How an incident stands after an import."""

    status: Status
    held: list[tuple[datetime, datetime | None, datetime, str]]
    judged: list[tuple[tuple[str, int], State, bool, int, int, datetime | None, datetime | None]]


async def stand(importer: Importer) -> Stand:
    promises = await importer.promises("1")
    ticket = await importer.ticket("1")
    async with importer.make() as session:
        pauses = await session.scalars(
            select(Pause).where(Pause.incident_id == ticket.id).order_by(Pause.from_at)
        )
        held = [(pause.from_at, pause.until_at, pause.cap_at, str(pause.cause)) for pause in pauses]
    judged = [
        (key, row.state, row.held, row.elapsed_us, row.paused_us, row.due_at, row.decided_at)
        for key, row in sorted(promises.items())
    ]
    return Stand(ticket.status, held, judged)


async def test_a_long_pause_of_a_log_counts_for_the_allowance_only(importer: Importer) -> None:
    await importer.log(*rows())
    resolution = (await importer.promises("1"))["resolution", 0]
    assert (resolution.state, resolution.elapsed_us, resolution.paused_us) == (
        State.LATE,
        (300 - 72) * HOUR,
        72 * HOUR,
    )
    hour = timedelta(hours=1)
    held = (await stand(importer)).held
    assert [((a - START) // hour, b and (b - START) // hour) for a, b, *_ in held] == [
        (2, 30),
        (40, 84),
        (290, 290),
    ]


@pytest.mark.parametrize("cut", range(1, len(STEPS)))
@pytest.mark.parametrize("sweeps", [False, True])
async def test_a_log_in_two_pieces_says_what_it_says_in_one(
    importer: Importer, tmp_path: Path, cut: int, sweeps: bool
) -> None:
    whole, pieces = importer, Importer(importer.make, tmp_path)
    await whole.log(*rows())
    between = START + timedelta(hours=STEPS[cut][0]) if sweeps else NOW
    await pieces.log(*rows()[:cut], at=between)
    if sweeps:
        async with transaction(importer.make) as session:
            await incidents.end_capped_pauses(session, at=between)
    await pieces.log(*rows()[cut:])
    assert await stand(pieces) == await stand(whole)
    for again in (rows()[:cut], rows()[cut:], rows()):
        assert (await pieces.log(*again)).facts_new == 0
    assert await stand(pieces) == await stand(whole)


@pytest.mark.parametrize("cut", [3, 5, 7, 8])
async def test_the_later_piece_may_come_first(importer: Importer, tmp_path: Path, cut: int) -> None:
    whole, pieces = importer, Importer(importer.make, tmp_path)
    opening = rows()[:1]
    await whole.log(*rows())
    await pieces.log(*opening, *rows()[cut:])
    await pieces.log(*opening, *rows()[1:cut])
    mine, theirs = await stand(pieces), await stand(whole)
    assert (mine.status, mine.held) == (theirs.status, theirs.held)
    assert mine.judged[-1] == theirs.judged[-1]


async def test_a_pause_that_nothing_ended_ends_with_its_allowance(importer: Importer) -> None:
    await importer.log(*rows()[:3])
    ticket = await importer.ticket("1")
    assert ticket.status is Status.IN_PROGRESS
    assert (await stand(importer)).held == [
        (START + timedelta(hours=2), *[START + timedelta(hours=74)] * 2, "waiting_on_client")
    ]
    assert (await importer.log(*rows()[:3])).facts_new == 0
    soon = Importer(importer.make, importer.folder)
    await soon.log(*rows()[:3], at=START + timedelta(hours=10))
    assert (await soon.ticket("1")).status is Status.PAUSED


async def test_live_and_imported_pauses_and_the_archive_count_the_same(importer: Importer) -> None:
    await importer.log(*rows())
    world = await importer.ticket("1")
    actor = Actor.system(world.tenant_id, "test")
    at = [START + timedelta(hours=hours) for hours, _ in STEPS]
    cause = PauseCause.WAITING_ON_CLIENT
    async with transaction(importer.make) as session:
        live = await incidents.open_incident(
            Tx(session, actor, at[0]),
            site_id=world.site_id,
            priority=Priority.MEDIUM,
            summary="s",
            source=Source.CLIENT,
            reporter="r",
        )
        await incidents.start_work(Tx(session, actor, at[1]), live.id)
        await incidents.pause(Tx(session, actor, at[2]), live.id, cause=cause)
        await incidents.resume(Tx(session, actor, at[3]), live.id)
        await incidents.pause(Tx(session, actor, at[4]), live.id, cause=cause)
        await incidents.resume(Tx(session, actor, at[6]), live.id)
        await incidents.resolve(Tx(session, actor, at[8]), live.id, resolution="done")
        capped = await session.scalars(
            select(LedgerRow.body).where(
                LedgerRow.subject_id == live.id, LedgerRow.kind == "incident.resumed"
            )
        )
        assert [body.get("capped", False) for body in capped] == [False, True]
    imported = (await importer.promises("1"))["resolution", 0]
    async with importer.make() as session:
        log = await archive.load(session, world.account_id, at=NOW)
    found = columns_of(archive.judged(log, to_us(NOW)))
    stretches = {
        (int(elapsed), int(paused))
        for row, elapsed, paused in zip(
            found.promise, found.elapsed_us, found.paused_us, strict=True
        )
        if log.terms[row].name == "resolution"
    }
    assert stretches == {(imported.elapsed_us, imported.paused_us)}


async def test_a_resolution_ends_a_pause_also_when_the_incident_is_reopened(
    make: Sessions, tmp_path: Path
) -> None:
    importer = Importer(make, tmp_path)
    hours = ((0, "New"), (1, "Waiting"), (2, "Solved"), (3, "Active"), (5, "Solved"))
    await importer.log(
        *[
            ("1", f"{START + timedelta(hours=at):%Y-%m-%d %H:%M}", str(n), state, "3", "")
            for n, (at, state) in enumerate(hours)
        ]
    )
    resolution = (await importer.promises("1"))["resolution", 0]
    assert (resolution.elapsed_us, resolution.paused_us) == (3 * HOUR, HOUR)
