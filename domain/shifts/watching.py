"""Watch shifts: find late starts, no-shows and early leaves, and end shifts that are over."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Origin, Tx
from domain.core.deferral import Subject, is_deferred, rank_of
from domain.core.wakeups import DueColumn, WakeUp
from domain.shifts import events
from domain.shifts.followers import tell_followers
from domain.shifts.grading import grade_start_again
from domain.shifts.model import Shift, ShiftState
from domain.shifts.rules import LIVE, UNENDED_AFTER, findings_of, next_look

PART = "shifts"
_FACTS = {
    "late_at": events.ShiftLate,
    "no_show_at": events.NoShow,
    "left_early_at": events.LeftEarly,
}


DUE: tuple[WakeUp, ...] = (DueColumn(Shift.look_at, ~is_deferred(PART, Shift.id), by_company=True),)


async def shifts_due(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select the shifts to look at: the companies alternately, the longest overdue of each first."""
    turn = rank_of(Shift.tenant_id, Shift.look_at, Shift.id)
    found = await session.execute(
        select(Shift.tenant_id, Shift.id)
        .where(Shift.look_at <= at, ~is_deferred(PART, Shift.id, at=at))
        .order_by(turn, Shift.look_at)
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def look_at_shift(
    session: AsyncSession, shift_id: UUID, *, at: datetime, origin: Origin = Origin.LIVE
) -> Shift | None:
    """Find what follows from time alone for a shift; None when another worker has it, or nothing is due."""
    shift = await session.scalar(
        select(Shift)
        .where(Shift.id == shift_id, Shift.look_at <= at)
        .with_for_update(skip_locked=True, key_share=True)
    )
    if shift is None:
        return None
    tx = Tx(session, Actor.system(shift.tenant_id, "shifts", origin=origin), at)
    await follow(tx, shift)
    await grade_start_again(tx, shift)
    return shift


async def follow(tx: Tx, shift: Shift) -> None:
    """Bring the findings of a shift to what its attendance says now, end it when it is over, and record both."""
    if shift.state in LIVE:
        _end_if_over(tx, shift)
    now = findings_of(shift, at=tx.at)
    for name, found_at in now._asdict().items():
        was_at: datetime | None = getattr(shift, name)
        if was_at == found_at:
            continue
        if was_at is not None:
            tx.record(
                events.FindingWithdrawn(
                    account_id=shift.account_id,
                    subject_id=shift.id,
                    at=tx.at,
                    finding=name.removesuffix("_at"),
                    was_at=was_at,
                )
            )
        if found_at is not None:
            tx.record(
                _FACTS[name](
                    account_id=shift.account_id,
                    subject_id=shift.id,
                    at=found_at,
                    guard=shift.number,
                )
            )
        setattr(shift, name, found_at)
    shift.look_at = next_look(shift, at=tx.at)
    await tell_followers(tx, shift)


def _end_if_over(tx: Tx, shift: Shift) -> None:
    """End a shift that nobody began at its planned end, and one that nobody ended an hour later."""
    ends_at = shift.until_at if shift.started_at is None else shift.until_at + UNENDED_AFTER
    if tx.at < ends_at:
        return
    shift.state = ShiftState.ENDED
    tx.record(
        events.ShiftEnded(
            account_id=shift.account_id,
            subject_id=shift.id,
            at=ends_at,
            guard=shift.number,
            started_at=shift.started_at,
            ended_at=None,
        )
    )
