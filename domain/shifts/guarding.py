"""The guard of a shift: who may be one, the client's number, the qualifications, and one shift at a time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import duties, guards
from domain.access import CLIENTS, Tx, scopes
from domain.accounts.model import User
from domain.core.errors import Code, Refused
from domain.posts.model import Post
from domain.shifts.model import Shift, ShiftState
from domain.shifts.recurrence import Occurrence


@dataclass(frozen=True, slots=True)
class GuardOfAccount:
    """A user as a guard of one account, with the client's number of the guard."""

    user_id: UUID
    number: int


async def guard_for(tx: Tx, account_id: UUID, user_id: UUID, *, argument: str) -> GuardOfAccount:
    """Lock a member of the company's staff, so that two shifts of one guard cannot be planned at once."""
    staff = and_(
        scopes.accessible_users(tx.actor, User),
        User.role.not_in(CLIENTS),
        User.disabled_at.is_(None),
    )
    user = await tx.get(
        User, user_id, "member of the company's staff", argument=argument, lock=True, among=staff
    )
    number = await duties.number_of(tx.session, user.tenant_id, account_id, user.id)
    return GuardOfAccount(user.id, number)


async def guard_by_offer(tx: Tx, account_id: UUID, user_id: UUID) -> GuardOfAccount:
    """Lock a user who takes a shift that the company offered to this user; refuses one who left."""
    user = await tx.session.scalar(
        select(User)
        .where(User.id == user_id, User.role.not_in(CLIENTS), User.disabled_at.is_(None))
        .with_for_update(key_share=True)
    )
    if user is None:
        raise Refused(Code.NOT_ALLOWED, "This user does not work for the company any more.")
    number = await duties.number_of(tx.session, user.tenant_id, account_id, user.id)
    return GuardOfAccount(user.id, number)


async def must_fit(
    session: AsyncSession,
    guard: GuardOfAccount,
    post: Post,
    occurrences: Sequence[Occurrence],
    *,
    argument: str,
    apart_from: Collection[UUID] = (),
) -> None:
    """Refuse a guard who is on another shift, not qualified on a day, or barred; the guard's row is locked."""
    if await guards.barred(session, post.account_id, [guard.user_id]):
        raise Refused(
            Code.INVALID,
            "The client does not want this guard at its sites; liftGuardBar ends that.",
            argument=argument,
        )
    held = (await guards.held_qualifications(session, [guard.user_id]))[guard.user_id]
    for each in occurrences:
        _must_be_qualified(post, held, each.on_day, argument)
    from_at = min(each.from_at for each in occurrences)
    until_at = max(each.until_at for each in occurrences)
    others = await session.execute(
        select(Shift.from_at, Shift.until_at)
        .where(
            Shift.user_id == guard.user_id,
            Shift.state != ShiftState.CANCELLED,
            Shift.from_at < until_at,
            Shift.until_at > from_at,
            Shift.id.not_in(apart_from),
        )
        .order_by(Shift.from_at)
    )
    taken = [tuple(row) for row in others]
    for each in occurrences:
        if any(start < each.until_at and end > each.from_at for start, end in taken):
            raise Refused(
                Code.ALREADY_EXISTS,
                f"The guard is on another shift in the period of {each.from_at:%Y-%m-%d %H:%M}Z.",
                argument=argument,
            )
    ordered = sorted(occurrences, key=lambda each: each.from_at)
    for before, after in pairwise(ordered):
        if before.until_at > after.from_at:
            raise Refused(
                Code.INVALID,
                f"The shifts of {before.on_day} and {after.on_day} overlap: one guard cannot work both.",
                argument=argument,
            )


def _must_be_qualified(post: Post, held: dict[str, date | None], day: date, argument: str) -> None:
    required = [*post.qualifications, *([guards.PASS] if guards.PASS in held else [])]
    missing = guards.missing_qualifications(required, held, on=day)
    if missing:
        raise Refused(
            Code.INVALID,
            f"The guard lacks {', '.join(missing)} on {day}; record it with grantQualification or setGuardProfile.",
            argument=argument,
        )
