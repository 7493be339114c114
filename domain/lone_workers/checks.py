"""Check on guards who work alone: start, confirm, miss and end."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import shifts
from domain.access import Actor, Right, Tx, visible_to
from domain.core.base import uuid7
from domain.core.deferral import Subject, is_deferred, rank_of
from domain.core.errors import Code, Refused, naming_only
from domain.core.wakeups import DueColumn, WakeUp
from domain.lone_workers import events
from domain.lone_workers.distress import PART, note, raise_sign
from domain.lone_workers.model import DistressCause, DistressSign, WelfareWatch
from domain.lone_workers.parameters import CHECK_EVERY, CHECK_GRACE, PARAMETERS
from domain.parameters import ParameterScope, load_values
from domain.shifts import ShiftState
from domain.shifts.model import Shift

DUE: tuple[WakeUp, ...] = (
    DueColumn(WelfareWatch.look_at, ~is_deferred(PART, WelfareWatch.id), by_company=True),
)


async def start_checks(tx: Tx, shift_id: UUID) -> WelfareWatch:
    """Check on the guard of a running shift from now on: as this guard, or as the office."""
    with naming_only("shiftId"):
        shift = await shifts.shift_of(tx, shift_id)
    if shift.state is not ShiftState.RUNNING or shift.user_id is None or shift.number is None:
        raise Refused(Code.INVALID, "Only a running shift is checked on.", argument="shiftId")
    row = await _of_shift(tx, shift)
    if row is not None and row.ended_at is None:
        raise Refused(
            Code.ALREADY_EXISTS, "This shift is checked on.", argument="shiftId",
            existing=("WelfareWatch", row.id),
        )  # fmt: skip
    scope = ParameterScope(shift.tenant_id, shift.account_id, shift.site_id)
    values = await load_values(tx.session, (scope,), PARAMETERS, until=tx.at)
    every, grace = (
        values.required(each, scope, at=tx.at).duration for each in (CHECK_EVERY, CHECK_GRACE)
    )
    row = row or WelfareWatch(
        id=uuid7(), tenant_id=shift.tenant_id, account_id=shift.account_id, shift_id=shift.id
    )
    row.user_id, row.number, row.started_at, row.ended_at = shift.user_id, shift.number, tx.at, None
    row.every_s, row.grace_s = int(every.total_seconds()), int(grace.total_seconds())
    row.due_at = tx.at + every
    row.look_at = row.due_at + grace
    tx.session.add(row)
    tx.record(
        events.WelfareWatchStarted(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            shift_id=shift.id,
            guard=row.number,
            every_s=row.every_s,
            grace_s=row.grace_s,
            due_at=row.due_at,
        )
    )
    await tx.session.flush()
    return row


async def confirm_welfare(tx: Tx, watch_id: UUID) -> WelfareWatch:
    """Confirm that the guard is well: as this guard, or as the office that spoke to the guard. Distress stays open."""
    tx.actor.must(Right.ATTEND)
    row, _ = await _locked(tx, watch_id)
    if row.ended_at is not None:
        raise Refused(Code.ALREADY_DONE, "The checks have ended.", argument="id")
    before, was_missed = row.due_at, row.look_at is None
    row.due_at = tx.at + timedelta(seconds=row.every_s)
    row.look_at = row.due_at + timedelta(seconds=row.grace_s)
    tx.record(
        events.WelfareConfirmed(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            guard=row.number,
            due_at_before=before,
            due_at=row.due_at,
            was_missed=was_missed,
        )
    )
    await tx.session.flush()
    if was_missed:
        found = await tx.session.scalars(
            select(DistressSign.incident_id)
            .where(DistressSign.shift_id == row.shift_id, DistressSign.ended_at.is_(None))
            .distinct()
        )
        for incident_id in found.all():
            await note(tx, incident_id, f"Guard {row.number} confirmed to be well.")
    return row


async def end_checks(tx: Tx, watch_id: UUID) -> WelfareWatch:
    """End the checks of a shift by hand; distress that is open stays open."""
    tx.actor.must(Right.ROSTER)
    row, _ = await _locked(tx, watch_id)
    if row.ended_at is not None:
        raise Refused(Code.ALREADY_DONE, "The checks have ended.", argument="id")
    _end(tx, row)
    await tx.session.flush()
    return row


async def follow_shift(tx: Tx, shift: Shift) -> None:
    """End the checks of a shift that ended or was cancelled; the shift is locked."""
    if shift.state not in (ShiftState.ENDED, ShiftState.CANCELLED):
        return
    row = await _of_shift(tx, shift)
    if row is not None and row.ended_at is None:
        _end(tx, row)
        await tx.session.flush()


async def checks_due(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select the checks that were missed: the companies alternately, the longest overdue of each first."""
    turn = rank_of(WelfareWatch.tenant_id, WelfareWatch.look_at, WelfareWatch.id)
    found = await session.execute(
        select(WelfareWatch.tenant_id, WelfareWatch.id)
        .where(WelfareWatch.look_at <= at, ~is_deferred(PART, WelfareWatch.id, at=at))
        .order_by(turn, WelfareWatch.look_at)
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def look_at_check(session: AsyncSession, watch_id: UUID, *, at: datetime) -> None:
    """Raise distress for a check that was missed, once; without effect when the guard confirmed in the meantime."""
    shift = await session.scalar(
        select(Shift)
        .join(WelfareWatch, WelfareWatch.shift_id == Shift.id)
        .where(WelfareWatch.id == watch_id, WelfareWatch.look_at <= at)
        .with_for_update(of=Shift, key_share=True)
    )
    if shift is None or shift.user_id is None:
        return
    tx = Tx(session, Actor.system(shift.tenant_id, PART), at)
    row = await _of_shift(tx, shift)
    if row is None or row.look_at is None or row.look_at > at:
        return
    row.look_at = None
    tx.record(
        events.WelfareMissed(
            account_id=row.account_id,
            subject_id=row.id,
            at=at,
            guard=row.number,
            due_at=row.due_at,
        )
    )
    key = row.due_at.isoformat()
    await raise_sign(tx, shift, DistressCause.MISSED_CHECK, key=key, happened_at=row.due_at)


def _end(tx: Tx, row: WelfareWatch) -> None:
    row.ended_at, row.look_at = tx.at, None
    tx.record(
        events.WelfareWatchEnded(
            account_id=row.account_id, subject_id=row.id, at=tx.at, guard=row.number
        )
    )


async def _of_shift(tx: Tx, shift: Shift) -> WelfareWatch | None:
    found: WelfareWatch | None = await tx.session.scalar(
        select(WelfareWatch)
        .where(WelfareWatch.shift_id == shift.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found


async def _locked(tx: Tx, watch_id: UUID) -> tuple[WelfareWatch, Shift]:
    """Lock a watch after its shift, as everything does that changes either."""
    seen = visible_to(tx.actor, WelfareWatch)
    shift = await tx.session.scalar(
        select(Shift)
        .join(WelfareWatch, WelfareWatch.shift_id == Shift.id)
        .where(WelfareWatch.id == watch_id, seen)
        .with_for_update(of=Shift, key_share=True)
    )
    row = None if shift is None else await _of_shift(tx, shift)
    if shift is None or row is None:
        raise Refused(Code.NOT_FOUND, "No such welfare checks.", argument="id")
    return row, shift
