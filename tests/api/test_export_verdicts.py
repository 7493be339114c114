"""`waarborg export verdicts`: kept, late and open promises, one row each, in every format."""

import asyncio
import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from api.commands.verdicts import run
from api.support.failures import Exit
from domain import agreements, calendars, incidents
from domain.access import Actor, Tx
from domain.agreements import Priority, PromiseDraft, PromiseKind, Target, TermsDraft
from domain.calendars import CalendarSpec
from domain.core.db import Sessions, transaction
from domain.core.settings import Settings
from tests import build
from tests.build import T0, minutes

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("format", ["csv", "json", "parquet"])
async def test_a_row_says_kept_late_or_open(
    make: Sessions, system_url: str, tmp_path: Path, format: str
) -> None:
    world = await build.client(make)
    ticket = await build.incident(
        make, world, priority=Priority.HIGH, external_source="calls", external_id="C-1"
    )
    async with transaction(make) as session:
        await incidents.acknowledge(Tx(session, world.staff, T0 + minutes(10)), ticket.id)
        await incidents.update(
            Tx(session, world.staff, T0 + minutes(130)), ticket.id, body="Still there"
        )
    settings, out = Settings(system_database_url=system_url), tmp_path / f"verdicts.{format}"
    code = await asyncio.to_thread(run, settings, format, out, world.tenant.name, None, None)
    assert code is Exit.DONE
    assert {(row["promise"], str(row["part"]), row["verdict"]) for row in rows(out)} == {
        ("first_response", "0", "kept"),
        ("next_update", "0", "late"),
        ("next_update", "1", "open"),
        ("resolution", "0", "open"),
    }
    assert {row["external_id"] for row in rows(out)} == {"C-1"}
    assert {row["incident_number"] for row in rows(out)} == {"INC-000001"}


async def test_nothing_that_somebody_typed_is_calculated_by_a_spreadsheet(
    make: Sessions, system_url: str, tmp_path: Path
) -> None:
    world = await build.client(make)
    typed: dict[str, Any] = {
        "external_source": "@SUM(1)",
        "external_id": '=HYPERLINK("https://example.org")',
        "category": "x;+1+cmd|' /C calc'!A0",
    }
    await build.incident(make, world, priority=Priority.HIGH, **typed)
    settings, out = Settings(system_database_url=system_url), tmp_path / "verdicts.csv"
    await asyncio.to_thread(run, settings, "csv", out, world.tenant.name, None, None)
    for row in rows(out):
        assert row["source"] == "'@SUM(1)"
        assert row["external_id"] == '\'=HYPERLINK("https://example.org")'
        assert row["category"] == "x;'+1+cmd|' /C calc'!A0"
    assert oct(out.stat().st_mode & 0o777) == "0o600"


async def test_a_deadline_at_closing_time_is_exported_as_closing_time(
    make: Sessions, system_url: str, tmp_path: Path
) -> None:
    world = await build.client(make, promises=())
    system = Actor.system(world.tenant.id, "test")
    hours = CalendarSpec("Europe/Amsterdam", hours=(((540, 1020),),) * 5 + ((), ()))
    async with transaction(make) as session:
        office = await calendars.define(Tx(session, system, T0), name="office", spec=hours)
        target = {Priority.HIGH: Target(elapsed_s=8 * 3_600)}
        draft = PromiseDraft("office", PromiseKind.RESOLUTION, office.id, target)
        await agreements.sign(
            Tx(session, system, T0),
            world.account.id,
            reference=f"{world.agreement.reference}-o",
            title="Office",
            signed_on=date(2025, 12, 1),
            terms=TermsDraft((draft,)),
            in_force_from=datetime(2026, 1, 1, tzinfo=UTC),
        )
    friday = datetime(2026, 3, 6, 8, tzinfo=UTC)  # 09:00 in Amsterdam
    await build.incident(make, world, priority=Priority.HIGH, at=friday)
    settings, out = Settings(system_database_url=system_url), tmp_path / "verdicts.csv"
    await asyncio.to_thread(run, settings, "csv", out, world.tenant.name, None, None)
    [due] = [str(row["due_at"]) for row in rows(out) if row["promise"] == "office"]
    assert datetime.fromisoformat(due) == datetime(2026, 3, 6, 16, tzinfo=UTC)


def rows(file: Path) -> list[dict[str, object]]:
    match file.suffix:
        case ".csv":
            return [dict(row) for row in csv.DictReader(file.read_text().splitlines())]
        case ".json":
            return [dict(row) for row in json.loads(file.read_text())]
    return [dict(row) for row in pq.read_table(file).to_pylist()]
