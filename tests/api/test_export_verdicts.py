"""`waarborg export verdicts`: kept, late and open promises, one row each, in every format."""

import asyncio
import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from api.commands.verdicts import run
from api.support.failures import Exit
from domain import incidents
from domain.agreements import Priority
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
        await incidents.acknowledge(session, world.staff, ticket.id, at=T0 + minutes(10))
        await incidents.update(
            session, world.staff, ticket.id, body="Still there", at=T0 + minutes(130)
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


def rows(file: Path) -> list[dict[str, object]]:
    match file.suffix:
        case ".csv":
            return [dict(row) for row in csv.DictReader(file.read_text().splitlines())]
        case ".json":
            return [dict(row) for row in json.loads(file.read_text())]
    return [dict(row) for row in pq.read_table(file).to_pylist()]
