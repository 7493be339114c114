"""Define working calendars; a changed calendar is a new version beside the old."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from domain.access import Right, Tx
from domain.calendars.events import CalendarDefined
from domain.calendars.model import Calendar, CalendarVersion
from domain.calendars.spec import CalendarSpec
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line


async def define(tx: Tx, *, name: str, spec: CalendarSpec) -> CalendarVersion:
    """Return the calendar's newest version if it has the same specification, else add a new version."""
    tx.actor.must(Right.MANAGE_AGREEMENTS)
    must_be_line(name, "name")
    await tx.session.execute(
        insert(Calendar)
        .values(id=uuid7(), tenant_id=tx.actor.tenant_id, name=name)
        .on_conflict_do_nothing()
    )
    calendar = (
        await tx.session.scalars(
            select(Calendar)
            .where(Calendar.tenant_id == tx.actor.tenant_id, Calendar.name == name)
            .with_for_update(key_share=True)
        )
    ).one()
    newest = await tx.session.scalar(
        select(CalendarVersion)
        .where(CalendarVersion.calendar_id == calendar.id)
        .order_by(CalendarVersion.number.desc())
        .limit(1)
    )
    if newest is not None and newest.spec == spec.to_dict():
        return newest
    version = CalendarVersion(
        tenant_id=tx.actor.tenant_id,
        calendar_id=calendar.id,
        number=1 if newest is None else newest.number + 1,
        spec=spec.to_dict(),
    )
    tx.session.add(version)
    await tx.session.flush()
    tx.record(
        CalendarDefined(
            account_id=None,
            subject_id=calendar.id,
            at=tx.at,
            version_id=version.id,
            number=version.number,
            before=None if newest is None else newest.spec,
            after=version.spec,
        )
    )
    return version


async def close_on(tx: Tx, *, name: str, days: Iterable[date]) -> CalendarVersion:
    """Add days without work to a calendar: a new version of it, or the newest when it has them already.

    Agreements keep the version that they were signed with.
    """
    tx.actor.must(Right.MANAGE_AGREEMENTS)
    newest = await tx.session.scalar(
        select(CalendarVersion)
        .join(Calendar, Calendar.id == CalendarVersion.calendar_id)
        .where(Calendar.tenant_id == tx.actor.tenant_id, Calendar.name == name)
        .order_by(CalendarVersion.number.desc())
        .limit(1)
    )
    if newest is None:
        known = await tx.session.scalars(
            select(Calendar.name)
            .where(Calendar.tenant_id == tx.actor.tenant_id)
            .order_by(Calendar.name)
            .limit(20)
        )
        listed = ", ".join(known) or "none"
        raise Refused(
            Code.NOT_FOUND, f"There is no calendar {name}. Use one of: {listed}.", argument="name"
        )
    spec = CalendarSpec.from_dict(newest.spec)
    if spec.always_open:
        raise Refused(
            Code.INVALID,
            f"The calendar {name} is always open: it cannot have closures.",
            argument="name",
        )
    closures = tuple(sorted({*spec.closures, *days}))
    return await define(tx, name=name, spec=replace(spec, closures=closures))
