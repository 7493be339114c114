"""Report an absence, say that one is on the way, and seek or assign a replacement by hand."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from domain import shifts
from domain.access import Right, Tx, visible_to
from domain.core.errors import Code, Refused, naming_only
from domain.replacements import events
from domain.replacements.following import close_offers, need, standing, starting_look
from domain.replacements.model import SEEKING, AbsenceCause, Replacement, ReplacementState
from domain.shifts import ShiftState
from domain.shifts.model import Shift


async def report_absence(tx: Tx, shift_id: UUID) -> Replacement:
    """Report that the guard of a published shift does not come: as the guard, or as the office for the guard."""
    with naming_only("shiftId"):
        shift = await shifts.shift_of(tx, shift_id)
    if shift.state not in (ShiftState.PUBLISHED, ShiftState.CONFIRMED):
        raise Refused(
            Code.INVALID,
            f"The shift is {shift.state}: only the guard of a published shift can be absent.",
            argument="shiftId",
        )
    if shift.until_at <= tx.at:
        raise Refused(Code.TIME_REVERSED, "The shift is over.", argument="shiftId")
    row = await standing(tx, shift)
    if shift.user_id is None:
        raise Refused(
            Code.ALREADY_DONE, "The shift has no guard: one is sought.", argument="shiftId"
        )
    if row is None:
        row = await need(tx, shift, AbsenceCause.REPORTED, tx.at)
        with naming_only():
            await shifts.take_from(tx, shift)
        return row
    if row.state is ReplacementState.SOUGHT:
        raise Refused(
            Code.ALREADY_DONE, "This absence is known, and a guard is sought.", argument="shiftId"
        )
    with naming_only():
        await shifts.take_from(tx, shift)
    return row


async def report_on_the_way(
    tx: Tx, replacement_id: UUID, *, arrives_at: datetime | None = None
) -> Replacement:
    """Say that the replacing guard is on the way, and when the guard will be there: as the guard, or as the office."""
    tx.actor.must(Right.ATTEND)
    row, shift = await _locked(tx, replacement_id)
    is_own = tx.actor.user_id is not None and tx.actor.user_id == row.replacing_user_id
    if not is_own and not tx.actor.may(Right.ROSTER):
        raise Refused(Code.NOT_ALLOWED, "Only the replacing guard says so.", argument="id")
    if row.state not in (ReplacementState.FOUND, ReplacementState.ON_THE_WAY):
        raise Refused(Code.INVALID, f"The replacement is {row.state}.", argument="id")
    if arrives_at is not None and not tx.at <= arrives_at <= shift.until_at:
        raise Refused(
            Code.TIME_REVERSED,
            "arrivesAt must not be over, nor after the end of the shift.",
            argument="arrivesAt",
        )
    before = row.arrives_at
    if row.state is ReplacementState.ON_THE_WAY and arrives_at in (None, before):
        return row
    row.state = ReplacementState.ON_THE_WAY
    row.on_the_way_at = row.on_the_way_at or tx.at
    row.arrives_at = arrives_at or before
    tx.record(
        events.ReplacementOnTheWay(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            guard=row.replacing_number,
            arrives_at_before=before,
            arrives_at=row.arrives_at,
        )
    )
    await tx.session.flush()
    return row


async def take_over(tx: Tx, replacement_id: UUID) -> Replacement:
    """Seek by hand from now on: open offers are closed, and no more are made. A second time has no effect."""
    tx.actor.must(Right.ROSTER)
    row, _ = await _locked(tx, replacement_id)
    if row.by_hand_since is not None:
        return row
    _must_be_sought(row)
    closed = await close_offers(tx, row)
    row.by_hand_since, row.look_at = tx.at, starting_look(row, tx.at)
    tx.record(
        events.ReplacementTakenOver(
            account_id=row.account_id, subject_id=row.id, at=tx.at, closed=closed
        )
    )
    await tx.session.flush()
    return row


async def resume_offers(tx: Tx, replacement_id: UUID) -> Replacement:
    """Let the system make offers again after a dispatcher took over."""
    tx.actor.must(Right.ROSTER)
    row, _ = await _locked(tx, replacement_id)
    if row.by_hand_since is None:
        return row
    _must_be_sought(row)
    tx.record(
        events.ReplacementResumed(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            by_hand_since_before=row.by_hand_since,
        )
    )
    row.by_hand_since, row.look_at = None, tx.at
    await tx.session.flush()
    return row


async def assign_replacement(tx: Tx, replacement_id: UUID, user_id: UUID) -> Replacement:
    """Give the shift to a guard by hand, also instead of one who was found; open offers are closed."""
    tx.actor.must(Right.ROSTER)
    row, shift = await _locked(tx, replacement_id)
    if row.state not in SEEKING:
        raise Refused(Code.ALREADY_DONE, f"The replacement is {row.state}.", argument="id")
    if shift.user_id == user_id:
        raise Refused(Code.ALREADY_DONE, "This guard has the shift.", argument="userId")
    if shift.until_at <= tx.at:
        raise Refused(Code.TIME_REVERSED, "The shift is over.", argument="id")
    guard = await shifts.guard_for(tx, shift.account_id, user_id, argument="userId")
    with naming_only("userId"):
        await shifts.hand_to(tx, shift, guard)
    return row


async def _locked(tx: Tx, replacement_id: UUID) -> tuple[Replacement, Shift]:
    """Lock a replacement after its shift, as everything does that changes either."""
    seen = visible_to(tx.actor, Replacement)
    shift_id = await tx.session.scalar(
        select(Replacement.shift_id).where(Replacement.id == replacement_id, seen)
    )
    if shift_id is None:
        raise Refused(Code.NOT_FOUND, "No such replacement.", argument="id")
    shift = (
        await tx.session.scalars(
            select(Shift).where(Shift.id == shift_id).with_for_update(key_share=True)
        )
    ).one()
    row = await tx.get(Replacement, replacement_id, "replacement", lock=True, among=seen)
    return row, shift


def _must_be_sought(row: Replacement) -> None:
    if row.state is not ReplacementState.SOUGHT:
        raise Refused(Code.ALREADY_DONE, f"The replacement is {row.state}.", argument="id")
