"""Define working calendars; a changed calendar is a new version beside the old."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right
from domain.calendars.events import CalendarDefined
from domain.calendars.model import Calendar, CalendarVersion
from domain.calendars.rules import CalendarSpec
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.core.ledger import record
from domain.core.text_rules import must_be_line


async def define(
    session: AsyncSession, actor: Actor, *, name: str, spec: CalendarSpec, at: datetime
) -> CalendarVersion:
    """Return the calendar's newest version if it has the same specification, else add a new version."""
    actor.must(Right.MANAGE_AGREEMENTS)
    must_be_line(name, "name")
    await session.execute(
        insert(Calendar)
        .values(id=uuid7(), tenant_id=actor.tenant_id, name=name)
        .on_conflict_do_nothing()
    )
    calendar = (
        await session.scalars(
            select(Calendar)
            .where(Calendar.tenant_id == actor.tenant_id, Calendar.name == name)
            .with_for_update(key_share=True)
        )
    ).one()
    newest = await session.scalar(
        select(CalendarVersion)
        .where(CalendarVersion.calendar_id == calendar.id)
        .order_by(CalendarVersion.number.desc())
        .limit(1)
    )
    if newest is not None and newest.spec == spec.to_dict():
        return newest
    version = CalendarVersion(
        tenant_id=actor.tenant_id,
        calendar_id=calendar.id,
        number=1 if newest is None else newest.number + 1,
        spec=spec.to_dict(),
    )
    session.add(version)
    await session.flush()
    record(
        session,
        actor,
        CalendarDefined(
            account_id=None,
            subject_id=calendar.id,
            at=at,
            version_id=version.id,
            number=version.number,
            before=None if newest is None else newest.spec,
            after=version.spec,
        ),
    )
    return version


async def close_on(
    session: AsyncSession, actor: Actor, *, name: str, days: Iterable[date], at: datetime
) -> CalendarVersion:
    """Add days without work to a calendar: a new version of it, or the newest when it has them already.

    Agreements keep the version that they were signed with.
    """
    actor.must(Right.MANAGE_AGREEMENTS)
    newest = await session.scalar(
        select(CalendarVersion)
        .join(Calendar, Calendar.id == CalendarVersion.calendar_id)
        .where(Calendar.tenant_id == actor.tenant_id, Calendar.name == name)
        .order_by(CalendarVersion.number.desc())
        .limit(1)
    )
    if newest is None:
        known = await session.scalars(
            select(Calendar.name)
            .where(Calendar.tenant_id == actor.tenant_id)
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
    return await define(session, actor, name=name, spec=replace(spec, closures=closures), at=at)
