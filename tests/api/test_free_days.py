"""`waarborg import calendar`: free days of an iCalendar file become a new version of a calendar, once."""

import asyncio
import json
from pathlib import Path

import pytest

from api.commands.free_days import run
from api.support.failures import CommandFailure
from domain import calendars
from domain.access import Actor, Tx
from domain.calendars import CalendarSpec
from domain.core.db import Sessions, transaction
from domain.core.errors import Refused
from domain.core.settings import Settings
from tests import build

pytestmark = pytest.mark.anyio
HOLIDAYS = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
SUMMARY:Company party
DTSTART;VALUE=DATE:20261218
END:VEVENT
BEGIN:VEVENT
UID:2
SUMMARY:Lunch
DTSTART:20261217T110000Z
DTEND:20261217T120000Z
END:VEVENT
END:VCALENDAR
"""


async def test_an_icalendar_file_makes_one_new_version_of_a_calendar(
    make: Sessions, system_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = await build.client(make)
    spec = CalendarSpec.from_dict({"zone": "UTC", "hours": {"mon": [["09:00", "17:00"]]}})
    async with transaction(make) as session:
        actor = Actor.system(world.tenant.id, "test")
        await calendars.define(Tx(session, actor, build.T0), name="office", spec=spec)
    file = tmp_path / "holidays.ics"
    file.write_text("\ufeff" + HOLIDAYS, "utf-8")
    settings = Settings(system_database_url=system_url)
    for new in (1, 0):
        code = await asyncio.to_thread(run, settings, file, "office", world.tenant.name, True)
        told = json.loads(capsys.readouterr().out)
        assert (code, told) == (
            0,
            {"calendar": "office", "version": 2, "days": 1, "new": new, "left_out": ["Lunch"]},
        )
    for name, says in (("nowhere", "no calendar nowhere"), ("24x7", "always open")):
        with pytest.raises(Refused, match=says):
            await asyncio.to_thread(run, settings, file, name, world.tenant.name, False)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CommandFailure, match="not an iCalendar file"):
        await asyncio.to_thread(run, settings, file, "office", world.tenant.name, False)
