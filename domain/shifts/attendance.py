"""Clock in and out, and correct what was recorded."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, select

from domain import promises
from domain.access import Right, Tx, visible_to
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line
from domain.shifts import events
from domain.shifts.grading import PhonePosition, assess, distance_m, graded_fields
from domain.shifts.lifecycle import shift_of
from domain.shifts.model import Attendance, AttendanceKind, AttendanceSource, Shift, ShiftState
from domain.shifts.rules import CLOCK_IN_BEFORE
from domain.shifts.watching import follow

_TICK = timedelta(microseconds=1)
_BEGUN = (ShiftState.RUNNING, ShiftState.ENDED)


async def clock_in(
    tx: Tx, shift_id: UUID, *, at: datetime | None = None, position: PhonePosition | None = None
) -> Shift:
    """Begin a shift: as its guard now, or as the office at a time that is over."""
    shift = await shift_of(tx, shift_id)
    if shift.state not in (ShiftState.PUBLISHED, ShiftState.CONFIRMED):
        raise Refused(
            Code.INVALID,
            f"A shift in state {shift.state} cannot be clocked in.",
            argument="id",
        )
    when = _time(tx, shift, at)
    if when < shift.from_at - CLOCK_IN_BEFORE:
        raise Refused(
            Code.TIME_REVERSED,
            "A shift can be clocked in from an hour before it begins.",
            argument="at",
        )
    if when >= shift.until_at:
        raise Refused(Code.TIME_REVERSED, "The shift is over at that time.", argument="at")
    row = await _record(tx, shift, AttendanceKind.CLOCK_IN, when, position)
    shift.state, shift.started_at = ShiftState.RUNNING, when
    _clocked_in(tx, shift, row)
    await follow(tx, shift)
    await promises.evaluate(tx.session, tx.actor, shift.id, at=tx.at)
    return shift


async def clock_out(
    tx: Tx, shift_id: UUID, *, at: datetime | None = None, position: PhonePosition | None = None
) -> Shift:
    """End a running shift: as its guard now, or as the office at a time that is over."""
    shift = await shift_of(tx, shift_id)
    if shift.state is not ShiftState.RUNNING or shift.started_at is None:
        raise Refused(Code.INVALID, "The shift is not running.", argument="id")
    when = _time(tx, shift, at)
    if when < shift.started_at:
        raise Refused(Code.TIME_REVERSED, "The shift began after that time.", argument="at")
    row = await _record(tx, shift, AttendanceKind.CLOCK_OUT, when, position)
    shift.state, shift.ended_at = ShiftState.ENDED, when
    _clocked_out(tx, shift, row)
    _ended(tx, shift)
    await follow(tx, shift)
    await promises.evaluate(tx.session, tx.actor, shift.id, at=tx.at)
    return shift


async def attend_by_phone(
    tx: Tx, shift_id: UUID, kind: AttendanceKind, *, at: datetime, position: PhonePosition | None
) -> bool:
    """Clock in or out at an earlier time, as a guard app kept it without network; False: its clock-in is not known yet.

    Also after the shift: what was found without it is taken back, and its promises are judged again.
    """
    tx.actor.must(Right.ATTEND)
    own = and_(visible_to(tx.actor, Shift), Shift.user_id == tx.actor.user_id)
    shift = await tx.get(Shift, shift_id, "shift", lock=True, among=own)
    is_start = kind is AttendanceKind.CLOCK_IN
    if shift.published_at is None or shift.cancelled_at is not None:
        raise Refused(Code.INVALID, "The shift is not at hand: it was cancelled.", argument="id")
    if (shift.started_at if is_start else shift.ended_at) is not None:
        raise Refused(Code.ALREADY_DONE, f"The {kind.replace('_', '-')} is known.", argument="id")
    if not is_start and shift.started_at is None:
        return False
    start, end = (at, shift.ended_at) if is_start else (shift.started_at, at)
    _must_be_possible(tx, shift, start, end)
    row = await _record(tx, shift, kind, at, position, received_at=at)
    was_over = shift.state is ShiftState.ENDED
    shift.started_at, shift.ended_at = start, end
    shift.state = ShiftState.RUNNING if is_start and not was_over else ShiftState.ENDED
    (_clocked_in if is_start else _clocked_out)(tx, shift, row)
    if shift.state is ShiftState.ENDED and not was_over:
        _ended(tx, shift)
    await follow(tx, shift)
    await promises.evaluate(tx.session, tx.actor, shift.id, at=tx.at)
    return True


async def correct_attendance(
    tx: Tx, shift_id: UUID, kind: AttendanceKind, *, at: datetime, reason: str
) -> Shift:
    """Replace a clock-in or clock-out, or add one that is missing, with a reason; what was recorded stays visible."""
    tx.actor.must(Right.ROSTER)
    must_be_line(reason, "reason")
    shift = await shift_of(tx, shift_id)
    is_start = kind is AttendanceKind.CLOCK_IN
    if shift.user_id is None or shift.published_at is None or shift.cancelled_at is not None:
        raise Refused(Code.INVALID, "The shift has no guard at work.", argument="id")
    start, end = (at, shift.ended_at) if is_start else (shift.started_at, at)
    _must_be_possible(tx, shift, start, end)
    before = shift.started_at if is_start else shift.ended_at
    if before == at:
        raise Refused(Code.ALREADY_DONE, "This is the time that stands.", argument="at")
    known = await tx.session.scalar(
        select(Attendance).where(
            Attendance.shift_id == shift.id,
            Attendance.kind == kind,
            Attendance.replaced_at.is_(None),
        )
    )
    if known is not None:
        known.replaced_at = tx.at
        _withdrawn(tx, shift, known)
        await tx.session.flush()
    row = await _record(tx, shift, kind, at, None, reason=reason, replaces=known)
    tx.record(
        events.AttendanceCorrected(
            account_id=shift.account_id,
            subject_id=shift.id,
            at=tx.at,
            attendance_id=row.id,
            attendance_kind=kind,
            before=before,
            after=at,
            reason=reason,
            of_start=is_start and known is not None,
        )
    )
    shift.started_at, shift.ended_at = start, end
    is_over = shift.state is ShiftState.ENDED
    shift.state = ShiftState.ENDED if end is not None or is_over else ShiftState.RUNNING
    (_clocked_in if is_start else _clocked_out)(tx, shift, row)
    if shift.state is ShiftState.ENDED and not is_over:
        _ended(tx, shift)
    await follow(tx, shift)
    await promises.evaluate(tx.session, tx.actor, shift.id, at=tx.at)
    return shift


def _time(tx: Tx, shift: Shift, at: datetime | None) -> datetime:
    """Return the time of an attendance: only the office states another one than now."""
    if shift.user_id is None:
        raise Refused(Code.INVALID, "The shift has no guard yet: assign one.", argument="id")
    if at is None or at == tx.at:
        return tx.at
    if not tx.actor.may(Right.ROSTER):
        raise Refused(
            Code.NOT_ALLOWED,
            "Only the office records an earlier time: ask a dispatcher.",
            argument="at",
        )
    if at > tx.at:
        raise Refused(Code.TIME_REVERSED, "The time is in the future.", argument="at")
    return at


def _must_be_possible(tx: Tx, shift: Shift, start: datetime | None, end: datetime | None) -> None:
    if start is None:
        raise Refused(Code.INVALID, "Correct the clock-in first: there is none.", argument="kind")
    if start > tx.at or (end is not None and end > tx.at):
        raise Refused(Code.TIME_REVERSED, "The time is in the future.", argument="at")
    if not shift.from_at - CLOCK_IN_BEFORE <= start < shift.until_at:
        raise Refused(
            Code.TIME_REVERSED,
            "The shift begins between an hour before its plan and its end.",
            argument="at",
        )
    if end is not None and end < start:
        raise Refused(
            Code.TIME_REVERSED, "The clock-out must not be before the clock-in.", argument="at"
        )


async def _record(
    tx: Tx,
    shift: Shift,
    kind: AttendanceKind,
    at: datetime,
    position: PhonePosition | None,
    *,
    reason: str | None = None,
    replaces: Attendance | None = None,
    received_at: datetime | None = None,
) -> Attendance:
    outside_m = None if position is None else await distance_m(tx, shift, position)
    distance = None if outside_m is None else round(outside_m)
    row = Attendance(
        id=uuid7(),
        tenant_id=shift.tenant_id,
        account_id=shift.account_id,
        shift_id=shift.id,
        user_id=shift.user_id,
        kind=kind,
        at=at,
        source=AttendanceSource.CORRECTION if reason else _source(tx, shift, distance),
        distance_m=distance,
        recorded_at=tx.at,
        recorded_by=tx.actor.subject,
        replaces_id=None if replaces is None else replaces.id,
        reason=reason,
    )
    is_own = row.source not in (AttendanceSource.DISPATCHER, AttendanceSource.CORRECTION)
    position = position if is_own else None
    row.keep(await assess(tx, shift, at, position, outside_m, received_at=received_at))
    tx.session.add(row)
    return row


def _source(tx: Tx, shift: Shift, distance: int | None) -> AttendanceSource:
    if tx.actor.user_id is None or tx.actor.user_id != shift.user_id:
        return AttendanceSource.DISPATCHER
    if distance is None:
        return AttendanceSource.PHONE
    return AttendanceSource.PHONE_INSIDE if distance <= 0 else AttendanceSource.PHONE_OUTSIDE


def _clocked_in(tx: Tx, shift: Shift, row: Attendance) -> None:
    tx.record(
        events.ClockedIn(
            account_id=shift.account_id,
            subject_id=shift.id,
            at=row.at,
            attendance_id=row.id,
            guard=shift.number,
            source=row.source,
            **graded_fields(row),
        )
    )


def _clocked_out(tx: Tx, shift: Shift, row: Attendance) -> None:
    tx.record(
        events.ClockedOut(
            account_id=shift.account_id,
            subject_id=shift.id,
            at=row.at,
            attendance_id=row.id,
            guard=shift.number,
            source=row.source,
            **graded_fields(row),
        )
    )


def _withdrawn(tx: Tx, shift: Shift, row: Attendance) -> None:
    """Record that an attendance no longer stands, before the fact of its correction."""
    if row.kind is AttendanceKind.CLOCK_IN:
        tx.record(
            events.StartWithdrawn(
                account_id=shift.account_id,
                subject_id=shift.id,
                at=tx.at,
                attendance_id=row.id,
                was_at=row.at,
                just_before=row.at - _TICK,
            )
        )
    else:
        tx.record(
            events.EndWithdrawn(
                account_id=shift.account_id,
                subject_id=shift.id,
                at=tx.at,
                attendance_id=row.id,
                was_at=row.at,
            )
        )


def _ended(tx: Tx, shift: Shift) -> None:
    tx.record(
        events.ShiftEnded(
            account_id=shift.account_id,
            subject_id=shift.id,
            at=tx.at,
            guard=shift.number,
            started_at=shift.started_at,
            ended_at=shift.ended_at,
        )
    )
