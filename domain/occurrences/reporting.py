"""Reports of shifts: expected when a shift begins, generated and signed at its end."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import promises, shifts
from domain.access import Right, Tx
from domain.agreements import IncidentAttributes
from domain.core.base import uuid7
from domain.core.errors import Code, Refused, naming_only
from domain.core.text_rules import must_be_text
from domain.incidents.model import Incident
from domain.occurrences import events
from domain.occurrences.clocks import SHIFT_REPORT
from domain.occurrences.model import OccurrenceCorrection, OccurrenceEntry, ShiftReport
from domain.occurrences.rules import digest_of
from domain.patrols.model import PatrolRound, RoundState
from domain.posts.model import Post
from domain.shifts.model import Attendance, Shift, ShiftState

MOST_LINES = 2_000
"""Rows of each kind that a report holds."""


async def expect_report(tx: Tx, shift: Shift) -> None:
    """Expect the report of a shift that somebody began, once; the row of the shift is locked."""
    if shift.started_at is None:
        return
    known = select(ShiftReport.id).where(ShiftReport.shift_id == shift.id)
    if await tx.session.scalar(known) is not None:
        return
    report = ShiftReport(
        id=uuid7(),
        tenant_id=shift.tenant_id,
        account_id=shift.account_id,
        shift_id=shift.id,
        site_id=shift.site_id,
        user_id=shift.user_id,
        due_at=shift.until_at,
    )
    tx.session.add(report)
    tx.record(
        events.ShiftReportExpected(
            account_id=report.account_id,
            subject_id=report.id,
            at=tx.at,
            shift_id=shift.id,
            site_id=shift.site_id,
            due_at=report.due_at,
        )
    )
    await tx.session.flush()
    post = await tx.session.get_one(Post, shift.post_id)
    attributes = IncidentAttributes(
        SHIFT_REPORT, post.service, shift.site_id, shift.from_at, post.service
    )
    unit = promises.PromiseSubject(SHIFT_REPORT, report.id, report.account_id, attributes)
    await promises.start(tx.session, tx.actor, unit, at=tx.at)


async def sign_report(tx: Tx, shift_id: UUID, *, handover: str | None = None) -> ShiftReport:
    """Generate and sign the report of a shift that is over, as its guard or as the office for the guard, once."""
    must_be_text(handover, "handover")
    tx.actor.must(Right.ATTEND)
    with naming_only("shiftId"):
        shift = await shifts.shift_of(tx, shift_id)
    report = await tx.session.scalar(
        select(ShiftReport).where(ShiftReport.shift_id == shift.id).with_for_update(key_share=True)
    )
    if report is None:
        raise Refused(Code.INVALID, "Nobody began this shift.", argument="shiftId")
    if report.signed_at is not None:
        raise Refused(
            Code.ALREADY_DONE, "The report is signed and does not change.", argument="shiftId"
        )
    if shift.state is not ShiftState.ENDED:
        raise Refused(Code.INVALID, "Clock out before you sign the report.", argument="shiftId")
    content = await content_of(tx.session, shift, at=tx.at)
    report.content, report.content_sha256 = content, digest_of(content)
    report.handover = handover
    report.signed_at, report.signed_by = tx.at, tx.actor.subject
    report.by_guard = tx.actor.user_id is not None and tx.actor.user_id == shift.user_id
    tx.record(
        events.ShiftReportSigned(
            account_id=report.account_id,
            subject_id=report.id,
            at=tx.at,
            shift_id=shift.id,
            by_guard=report.by_guard,
            handover=handover,
            content_sha256=report.content_sha256,
        )
    )
    await promises.evaluate(tx.session, tx.actor, report.id, at=tx.at)
    await tx.session.flush()
    return report


async def content_of(session: AsyncSession, shift: Shift, *, at: datetime) -> dict[str, Any]:
    """Return what happened on a shift up to `at`: ids and figures, without the texts that people wrote.

    An entry is named with the number of its corrections, which tells what it said.
    """
    from_at, until_at = _period(shift)
    corrections = (
        select(OccurrenceCorrection.entry_id, func.count().label("number"))
        .where(OccurrenceCorrection.account_id == shift.account_id)
        .group_by(OccurrenceCorrection.entry_id)
        .subquery()
    )
    entries = await session.execute(
        select(
            *(OccurrenceEntry.id, OccurrenceEntry.happened_at, OccurrenceEntry.internal),
            corrections.c.number,
        )
        .outerjoin(corrections, corrections.c.entry_id == OccurrenceEntry.id)
        .where(OccurrenceEntry.shift_id == shift.id)
        .order_by(OccurrenceEntry.happened_at, OccurrenceEntry.id)
        .limit(MOST_LINES)
    )
    attended = await session.scalars(
        select(Attendance)
        .where(Attendance.shift_id == shift.id, Attendance.replaced_at.is_(None))
        .order_by(Attendance.at, Attendance.id)
    )
    rounds = await session.scalars(
        select(PatrolRound)
        .where(
            PatrolRound.site_id == shift.site_id,
            PatrolRound.from_at < until_at,
            PatrolRound.until_at > from_at,
            PatrolRound.state.in_((RoundState.OPEN, RoundState.ENDED)),
        )
        .order_by(PatrolRound.from_at, PatrolRound.id)
        .limit(MOST_LINES)
    )
    opened = await session.scalars(
        select(Incident)
        .where(
            Incident.site_id == shift.site_id,
            Incident.opened_at >= from_at,
            Incident.opened_at <= until_at,
        )
        .order_by(Incident.opened_at, Incident.id)
        .limit(MOST_LINES)
    )
    return {
        "from_at": from_at.isoformat(),
        "until_at": until_at.isoformat(),
        "generated_at": at.isoformat(),
        "entries": [
            {
                "id": str(entry_id),
                "happened_at": happened_at.isoformat(),
                "internal": internal,
                "corrections": number or 0,
            }
            for entry_id, happened_at, internal, number in entries
        ],
        "attendance": [
            {
                "id": str(each.id),
                "kind": str(each.kind),
                "at": each.at.isoformat(),
                "source": str(each.source),
                "grade": None if each.grade is None else str(each.grade),
            }
            for each in attended
        ],
        "rounds": [
            {
                "id": str(each.id),
                "points": each.points,
                "visited": each.visited,
                "missed": each.missed,
                "completed_at": each.completed_at and each.completed_at.isoformat(),
            }
            for each in rounds
        ],
        "incidents": [
            {"id": str(each.id), "priority": str(each.priority), "status": str(each.status)}
            for each in opened
        ],
    }


def _period(shift: Shift) -> tuple[datetime, datetime]:
    """Return the time that a report is about: the planned one, and what was worked before and after it."""
    started = shift.from_at if shift.started_at is None else shift.started_at
    ended = shift.until_at if shift.ended_at is None else shift.ended_at
    return min(started, shift.from_at), max(ended, shift.until_at)
