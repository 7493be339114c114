"""`import calendar`: public holidays and closures of an iCalendar file become free days of a calendar."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api.commands import lookup
from api.support.failures import CommandFailure, Exit
from domain import calendars
from domain.access import Actor, Tx
from domain.calendars import Calendar, CalendarSpec, CalendarVersion
from domain.core.db import connect, sessions, transaction
from domain.core.settings import Settings


def run(settings: Settings, file: Path, calendar: str, tenant: str | None, as_json: bool) -> Exit:
    """Add the whole days of the file's events; `Failure` when it cannot be read."""
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandFailure(f"{file}: not an iCalendar file in UTF-8 ({error}).") from error
    report = asyncio.run(_import(settings, file, text, calendar, tenant))
    if as_json:
        print(json.dumps(report))
        return Exit.DONE
    print(
        f"{calendar}, version {report['version']}: {report['days']:,} days in the file, {report['new']:,} new."
    )
    for name in report["left_out"]:
        print(f"Left out, for it covers no whole day: {name}")
    return Exit.DONE


async def _import(
    settings: Settings, file: Path, text: str, name: str, tenant: str | None
) -> dict[str, Any]:
    engine = connect(settings.system_database_url, pool_size=1)
    try:
        async with transaction(sessions(engine)) as session:
            companies = await lookup.tenants(session, tenant)
            if len(companies) != 1:
                raise CommandFailure("There are several companies: name one with --tenant.")
            newest = await session.scalar(
                select(CalendarVersion)
                .join(Calendar, Calendar.id == CalendarVersion.calendar_id)
                .where(Calendar.tenant_id == companies[0], Calendar.name == name)
                .order_by(CalendarVersion.number.desc())
                .limit(1)
            )
            had = CalendarSpec.from_dict(newest.spec) if newest else None
            try:
                found = calendars.closures_of(text, had.zone if had else "UTC")
            except ValueError as error:
                raise CommandFailure(f"{file}: {error}.") from error
            actor = Actor.system(companies[0], "import")
            version = await calendars.close_on(
                Tx(session, actor, datetime.now(UTC)), name=name, days=found.days
            )
            new = set(found.days) - set(had.closures if had else ())
            return {
                "calendar": name,
                "version": version.number,
                "days": len(found.days),
                "new": len(new),
                "left_out": list(found.left_out),
            }
    finally:
        await engine.dispose()
