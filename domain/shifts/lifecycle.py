"""Publish, assign, confirm and cancel shifts."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from domain import promises
from domain.access import Right, Tx, visible_to
from domain.accounts.model import Account
from domain.agreements import IncidentAttributes
from domain.core.base import among
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line
from domain.posts.model import Post
from domain.shifts import events
from domain.shifts.clocks import SHIFT
from domain.shifts.followers import tell_followers
from domain.shifts.guarding import GuardOfAccount, guard_for, must_fit
from domain.shifts.model import RosterChange, RosterStep, Shift, ShiftState
from domain.shifts.recurrence import Occurrence
from domain.shifts.roster import note_change
from domain.shifts.rules import next_look
from domain.shifts.working_hours import must_keep_working_time

MOST_PUBLISHED = 200
"""Shifts that one call may publish."""
AHEAD = frozenset({ShiftState.PLANNED, ShiftState.PUBLISHED, ShiftState.CONFIRMED})
"""States before anybody clocked in."""


async def publish(tx: Tx, shift_ids: Sequence[UUID]) -> RosterChange:
    """Publish shifts of one post to their guards and the client; those that were published stay as they are."""
    tx.actor.must(Right.ROSTER)
    wanted = set(shift_ids)
    if not 1 <= len(wanted) <= MOST_PUBLISHED:
        raise Refused(
            Code.INVALID, f"Publish 1 to {MOST_PUBLISHED} shifts at once.", argument="shiftIds"
        )
    rows = await tx.session.scalars(
        select(Shift)
        .where(among(Shift.id, wanted), tx.actor.scope(Shift))
        .order_by(Shift.id)
        .with_for_update(key_share=True)
    )
    shifts = rows.all()
    if len(shifts) < len(wanted):
        raise Refused(Code.NOT_FOUND, "No such shift.", argument="shiftIds")
    if len({shift.post_id for shift in shifts}) > 1:
        raise Refused(Code.INVALID, "Publish the shifts of one post.", argument="shiftIds")
    if any(shift.state is ShiftState.CANCELLED for shift in shifts):
        raise Refused(Code.INVALID, "One of the shifts is cancelled.", argument="shiftIds")
    fresh = [shift for shift in shifts if shift.state is ShiftState.PLANNED]
    if any(shift.until_at <= tx.at for shift in fresh):
        raise Refused(Code.TIME_REVERSED, "One of the shifts is over.", argument="shiftIds")
    warnings = await _working_time(tx, fresh)
    for shift in fresh:
        shift.state, shift.published_at = ShiftState.PUBLISHED, tx.at
        shift.look_at = next_look(shift, at=tx.at)
        tx.record(
            events.ShiftPublished(
                account_id=shift.account_id,
                subject_id=shift.id,
                at=tx.at,
                post_id=shift.post_id,
                site_id=shift.site_id,
                guard=shift.number,
                from_at=shift.from_at,
                until_at=shift.until_at,
            )
        )
    post = await tx.session.get_one(Post, shifts[0].post_id)
    change = await note_change(
        tx,
        post,
        RosterStep.PUBLISHED,
        fresh,
        unchanged=len(shifts) - len(fresh),
        warnings=warnings,
    )
    for shift in fresh:
        # The terms in force when the shift begins apply. Terms from before services name them as a category.
        attributes = IncidentAttributes(
            SHIFT, post.service, shift.site_id, shift.from_at, post.service
        )
        subject = promises.PromiseSubject(SHIFT, shift.id, shift.account_id, attributes)
        await promises.start(tx.session, tx.actor, subject, at=tx.at)
    return change


async def _working_time(tx: Tx, shifts: Sequence[Shift]) -> list[str]:
    """Check the working time of each guard of shifts that are published; return what only warns."""
    found: list[str] = []
    by_guard: dict[UUID, list[Shift]] = {}
    for shift in shifts:
        if shift.user_id is not None:
            by_guard.setdefault(shift.user_id, []).append(shift)
    for user_id, own in sorted(by_guard.items()):
        account = await tx.session.get_one(Account, own[0].account_id)
        found += await must_keep_working_time(
            tx.session,
            user_id,
            [Occurrence(each.on_day, each.from_at, each.until_at) for each in own],
            account.time_zone,
            argument="shiftIds",
            apart_from=[each.id for each in own],
        )
    return found


async def assign_shift(tx: Tx, shift_id: UUID, user_id: UUID | None) -> Shift:
    """Give a shift to a guard, or to nobody, before anybody clocked in; the guard has to confirm it again."""
    tx.actor.must(Right.ROSTER)
    shift = await tx.get(Shift, shift_id, "shift", lock=True)
    _must_be_ahead(shift)
    if user_id is not None and shift.user_id != user_id:
        guard = await guard_for(tx, shift.account_id, user_id, argument="userId")
        return await hand_to(tx, shift, guard)
    return await take_from(tx, shift) if user_id is None else shift


async def hand_to(tx: Tx, shift: Shift, guard: GuardOfAccount) -> Shift:
    """Give a shift to a guard who fits, before anybody clocked in; both are locked, and rights are the caller's."""
    _must_be_ahead(shift)
    post = await tx.session.get_one(Post, shift.post_id)
    plan = Occurrence(shift.on_day, shift.from_at, shift.until_at)
    await must_fit(tx.session, guard, post, [plan], argument="userId", apart_from=[shift.id])
    account = await tx.session.get_one(Account, shift.account_id)
    await must_keep_working_time(
        tx.session,
        guard.user_id,
        [plan],
        account.time_zone,
        argument="userId",
        apart_from=[shift.id],
    )
    return await _give(tx, shift, guard.user_id, guard.number)


async def take_from(tx: Tx, shift: Shift) -> Shift:
    """Leave a shift without a guard, before anybody clocked in; it is locked, and rights are the caller's."""
    _must_be_ahead(shift)
    return shift if shift.user_id is None else await _give(tx, shift, None, None)


async def _give(tx: Tx, shift: Shift, user_id: UUID | None, number: int | None) -> Shift:
    tx.record(
        events.ShiftAssigned(
            account_id=shift.account_id,
            subject_id=shift.id,
            at=tx.at,
            before=shift.number,
            after=number,
            internal=shift.published_at is None,
        )
    )
    shift.user_id, shift.number = user_id, number
    if shift.state is ShiftState.CONFIRMED:
        shift.state, shift.confirmed_at = ShiftState.PUBLISHED, None
    await tell_followers(tx, shift)
    return shift


async def confirm_shift(tx: Tx, shift_id: UUID) -> Shift:
    """Confirm a published shift as its guard, or as the office in the guard's name; a second time has no effect."""
    shift = await shift_of(tx, shift_id)
    if shift.state in (ShiftState.CONFIRMED, ShiftState.RUNNING):
        return shift
    if shift.state is not ShiftState.PUBLISHED:
        raise Refused(
            Code.INVALID, f"A shift in state {shift.state} cannot be confirmed.", argument="id"
        )
    if shift.user_id is None:
        raise Refused(Code.INVALID, "The shift has no guard yet: assign one.", argument="id")
    shift.state, shift.confirmed_at = ShiftState.CONFIRMED, tx.at
    tx.record(
        events.ShiftConfirmed(
            account_id=shift.account_id, subject_id=shift.id, at=tx.at, guard=shift.number
        )
    )
    await tx.session.flush()
    return shift


async def cancel_shift(tx: Tx, shift_id: UUID, *, reason: str) -> Shift:
    """Cancel a shift before it begins; one that began counts, whoever was there."""
    tx.actor.must(Right.ROSTER)
    must_be_line(reason, "reason")
    shift = await tx.get(Shift, shift_id, "shift", lock=True)
    _must_be_ahead(shift)
    if shift.published_at is not None and shift.from_at <= tx.at:
        raise Refused(
            Code.INVALID,
            "The shift has begun and can no longer be cancelled; its promises are judged.",
            argument="id",
        )
    tx.record(
        events.ShiftCancelled(
            account_id=shift.account_id,
            subject_id=shift.id,
            at=tx.at,
            reason=reason,
            internal=shift.published_at is None,
        )
    )
    shift.state, shift.cancelled_at, shift.cancel_reason = ShiftState.CANCELLED, tx.at, reason
    shift.look_at = None
    await tell_followers(tx, shift)
    await promises.evaluate(tx.session, tx.actor, shift.id, at=tx.at)
    return shift


async def shift_of(tx: Tx, shift_id: UUID) -> Shift:
    """Lock the own shift of a guard, or any accessible one for the office."""
    if tx.actor.may(Right.ROSTER):
        return await tx.get(Shift, shift_id, "shift", lock=True)
    tx.actor.must(Right.ATTEND)
    own = visible_to(tx.actor, Shift)
    return await tx.get(Shift, shift_id, "shift", lock=True, among=own)


def _must_be_ahead(shift: Shift) -> None:
    if shift.state not in AHEAD:
        raise Refused(Code.ALREADY_DONE, f"The shift is {shift.state} already.", argument="id")
