"""Bring a replacement to what its shift says: needed, found, lost, arrived, corrected, unfilled or withdrawn."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from domain import agreements, promises, shifts
from domain.access import Tx
from domain.agreements import IncidentAttributes, PromiseKind
from domain.core.base import uuid7
from domain.posts.model import Post
from domain.replacements import events
from domain.replacements.candidates import travel_of
from domain.replacements.clocks import REPLACEMENT
from domain.replacements.model import (
    SEEKING,
    AbsenceCause,
    OfferState,
    Replacement,
    ReplacementState,
    ShiftOffer,
)
from domain.replacements.rules import starts_counting
from domain.shifts import AttendanceKind, ShiftState
from domain.shifts.model import Attendance, Shift

TARGET = timedelta(hours=2)
"""How long before a shift the clock of an absence that was known earlier starts, where no agreement says otherwise."""
_TICK = timedelta(microseconds=1)


async def follow_shift(tx: Tx, shift: Shift) -> None:
    """Bring the replacement of a shift to what the shift says; the shift is locked."""
    row = await standing(tx, shift)
    if row is None:
        if shift.no_show_at is None or shift.started_at is not None:
            return
        row = await need(tx, shift, AbsenceCause.NO_SHOW, shift.no_show_at)
    if shift.state is ShiftState.CANCELLED:
        await _withdraw(tx, row, tx.at)
    elif shift.started_at is not None and shift.no_show_at is None and _is_no_show(row):
        await _withdraw_no_show(tx, row)
    elif shift.started_at is not None:
        await _arrive(tx, row, shift, shift.started_at)
    elif shift.state is ShiftState.ENDED:
        await _end(tx, row, shift)
    else:
        await _follow_guard(tx, row, shift)
    await tx.session.flush()


def _is_no_show(row: Replacement) -> bool:
    return row.cause is AbsenceCause.NO_SHOW


async def standing(tx: Tx, shift: Shift) -> Replacement | None:
    """Lock the replacement of a shift that stands; None: there is none."""
    row: Replacement | None = await tx.session.scalar(
        select(Replacement)
        .where(Replacement.shift_id == shift.id, Replacement.state != ReplacementState.WITHDRAWN)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return row


async def need(tx: Tx, shift: Shift, cause: AbsenceCause, known_at: datetime) -> Replacement:
    """Record that a guard is absent from a shift; its promise starts, and the system seeks another guard."""
    post = await tx.session.get_one(Post, shift.post_id)
    attributes = IncidentAttributes(
        REPLACEMENT, post.service, shift.site_id, max(known_at, shift.from_at), post.service
    )
    terms = await agreements.in_force(tx.session, shift.account_id, attributes)
    targets = [
        timedelta(seconds=target.elapsed_s)
        for term in terms
        if term.kind is PromiseKind.REPLACEMENT_ON_POST
        for target in term.targets.values()
        if target.elapsed_s is not None
    ]
    counts_from_at = starts_counting(known_at, shift.from_at, min(targets, default=TARGET))
    row = Replacement(
        id=uuid7(),
        tenant_id=shift.tenant_id,
        account_id=shift.account_id,
        shift_id=shift.id,
        site_id=shift.site_id,
        cause=cause,
        state=ReplacementState.SOUGHT,
        user_id=shift.user_id,
        number=shift.number,
        known_at=known_at,
        counts_from_at=counts_from_at,
        wave=0,
        look_at=tx.at,
    )
    tx.session.add(row)
    tx.record(
        events.ReplacementNeeded(
            account_id=row.account_id,
            subject_id=row.id,
            at=known_at,
            shift_id=shift.id,
            post_id=shift.post_id,
            site_id=shift.site_id,
            guard=shift.number,
            cause=cause,
            from_at=shift.from_at,
            until_at=shift.until_at,
            counts_from_at=counts_from_at,
        )
    )
    await tx.session.flush()
    subject = promises.PromiseSubject(REPLACEMENT, row.id, row.account_id, attributes)
    await promises.start(tx.session, tx.actor, subject, at=tx.at)
    return row


async def _follow_guard(tx: Tx, row: Replacement, shift: Shift) -> None:
    """Take over which guard has the shift."""
    if row.state is ReplacementState.SOUGHT:
        is_new = row.cause is AbsenceCause.REPORTED or shift.user_id != row.user_id
        if shift.user_id is not None and is_new:
            await _find(tx, row, shift)
    elif shift.user_id != row.replacing_user_id:
        _lose(tx, row)
        if shift.user_id is not None:
            await _find(tx, row, shift)


async def _find(tx: Tx, row: Replacement, shift: Shift) -> None:
    takes = None if shift.user_id is None else await travel_of(tx.session, shift, shift.user_id)
    row.state, row.found_at, row.look_at = (
        ReplacementState.FOUND,
        tx.at,
        starting_look(row, tx.at),
    )
    row.replacing_user_id, row.replacing_number = shift.user_id, shift.number
    row.arrives_at = None if takes is None else max(tx.at + takes, shift.from_at)
    accepted = await tx.session.scalar(
        select(ShiftOffer.id).where(
            ShiftOffer.replacement_id == row.id,
            ShiftOffer.user_id == shift.user_id,
            ShiftOffer.state == OfferState.ACCEPTED,
        )
    )
    await close_offers(tx, row)
    tx.record(
        events.ReplacementFound(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            guard=row.replacing_number,
            arrives_at=row.arrives_at,
            by_offer=accepted is not None,
        )
    )


def _lose(tx: Tx, row: Replacement) -> None:
    tx.record(
        events.ReplacementLost(
            account_id=row.account_id, subject_id=row.id, at=tx.at, guard=row.replacing_number
        )
    )
    row.state, row.look_at = ReplacementState.SOUGHT, tx.at
    row.replacing_user_id = row.replacing_number = None
    row.found_at = row.on_the_way_at = row.arrives_at = None


async def _arrive(tx: Tx, row: Replacement, shift: Shift, started_at: datetime) -> None:
    """Take over the clock-in that stands, and its grade."""
    attendance = await tx.session.scalar(
        select(Attendance).where(
            Attendance.shift_id == shift.id,
            Attendance.kind == AttendanceKind.CLOCK_IN,
            Attendance.replaced_at.is_(None),
        )
    )
    if attendance is None:
        return
    owner: dict[str, Any] = {"account_id": row.account_id, "subject_id": row.id}
    graded = shifts.graded_fields(attendance)
    # A clock-in before the clock starts counts when it starts, and is proven no earlier.
    counts_at = max(started_at, row.counts_from_at)
    graded["proven_from"] = {
        grade: max(at, row.counts_from_at) for grade, at in graded["proven_from"].items()
    }
    moved = row.arrived_at != started_at
    if not moved and row.arrival_grade is attendance.grade:
        return
    if not moved:
        tx.record(
            events.ReplacementGraded(
                **owner, at=tx.at, attendance_id=attendance.id, instant=counts_at,
                grade_before=row.arrival_grade, **graded,
            )
        )  # fmt: skip
    else:
        if row.arrived_at is not None:
            was_at = max(row.arrived_at, row.counts_from_at)
            tx.record(
                events.ReplacementArrivalWithdrawn(
                    **owner, at=tx.at, was_at=was_at, just_before=was_at - _TICK
                )
            )
            tx.record(events.ReplacementReassessed(**owner, at=tx.at, was_at=was_at))
            row.reassessed_at = max(was_at, row.reassessed_at or was_at)
        tx.record(
            events.ReplacementArrived(
                **owner, at=counts_at, attendance_id=attendance.id, guard=shift.number,
                clocked_in_at=started_at, **graded,
            )
        )  # fmt: skip
    row.state, row.arrived_at, row.look_at = (
        ReplacementState.ARRIVED,
        started_at,
        starting_look(row, tx.at),
    )
    row.arrival_grade = attendance.grade
    row.replacing_user_id, row.replacing_number = shift.user_id, shift.number
    await close_offers(tx, row)
    await promises.evaluate(tx.session, tx.actor, row.id, at=tx.at)


async def _end(tx: Tx, row: Replacement, shift: Shift) -> None:
    """Record that nobody came; the clock of the promise goes on to its verdict."""
    if row.state not in SEEKING:
        return
    row.state, row.look_at = ReplacementState.UNFILLED, None
    await close_offers(tx, row)
    tx.record(
        events.ReplacementUnfilled(account_id=row.account_id, subject_id=row.id, at=shift.until_at)
    )


async def _withdraw_no_show(tx: Tx, row: Replacement) -> None:
    """Take back a no-show that a correction disproves: its clock is called off where it started.

    Where an earlier correction restored the clock later than that, it is called off there once more.
    """
    if row.arrived_at is not None:
        was_at = max(row.arrived_at, row.counts_from_at)
        tx.record(
            events.ReplacementArrivalWithdrawn(
                account_id=row.account_id,
                subject_id=row.id,
                at=tx.at,
                was_at=was_at,
                just_before=row.counts_from_at,
            )
        )
    await _withdraw(tx, row, max(row.counts_from_at, row.reassessed_at or row.counts_from_at))


async def _withdraw(tx: Tx, row: Replacement, as_of: datetime) -> None:
    row.state, row.withdrawn_at, row.look_at = ReplacementState.WITHDRAWN, tx.at, None
    row.arrived_at = row.arrival_grade = None
    await close_offers(tx, row)
    tx.record(
        events.ReplacementWithdrawn(
            account_id=row.account_id, subject_id=row.id, at=tx.at, as_of=as_of
        )
    )
    await promises.evaluate(tx.session, tx.actor, row.id, at=tx.at)


def starting_look(row: Replacement, at: datetime) -> datetime | None:
    """Return when the clock starts, if that is ahead: its promise is evaluated for the first time then."""
    return row.counts_from_at if row.counts_from_at > at else None


async def close_offers(tx: Tx, row: Replacement) -> int:
    """Close the offers that nobody answered; return how many."""
    closed = await tx.session.scalars(
        update(ShiftOffer)
        .where(ShiftOffer.replacement_id == row.id, ShiftOffer.state == OfferState.OPEN)
        .values(state=OfferState.CLOSED, closed_at=tx.at)
        .returning(ShiftOffer.id)
    )
    return len(closed.all())
