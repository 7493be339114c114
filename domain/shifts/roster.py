"""Patterns and shifts: plan them, one by one or from a pattern."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.posts.model import Post
from domain.shifts import events
from domain.shifts.guarding import GuardOfAccount, guard_for, must_fit
from domain.shifts.model import RosterChange, RosterStep, Shift, ShiftPattern
from domain.shifts.recurrence import MOST_DAYS, LocalHours, Occurrence, expand, must_be_rule
from domain.shifts.rules import LONGEST
from domain.shifts.working_hours import must_keep_working_time

MOST_SHIFTS = 500
"""Shifts that one call may plan."""


@dataclass(frozen=True, slots=True)
class PatternDraft:
    """A pattern as proposed; the days are of the account's time zone."""

    rule: str
    starts_on: date
    local_start: time
    local_end: time
    ends_on: date | None = None
    seats: int = 1
    user_id: UUID | None = None


async def add_pattern(tx: Tx, post_id: UUID, draft: PatternDraft) -> ShiftPattern:
    """Add a pattern of recurring shifts to a post; it plans nothing by itself."""
    tx.actor.must(Right.ROSTER)
    must_be_rule(draft.rule, "rule")
    for name, value in (("localStart", draft.local_start), ("localEnd", draft.local_end)):
        if value.tzinfo is not None:
            raise Refused(
                Code.INVALID, "Give a local time of the account, without a zone.", argument=name
            )
    if draft.ends_on is not None and draft.ends_on < draft.starts_on:
        raise Refused(Code.INVALID, "endsOn must not be before startsOn.", argument="endsOn")
    post = await tx.get(Post, post_id, "post", argument="postId")
    if not 1 <= draft.seats <= post.headcount:
        raise Refused(
            Code.INVALID,
            f"seats must be 1 to {post.headcount}, the headcount of the post.",
            argument="seats",
        )
    if draft.user_id is not None:
        if draft.seats != 1:
            raise Refused(Code.INVALID, "A pattern with a guard has one seat.", argument="seats")
        await guard_for(tx, post.account_id, draft.user_id, argument="userId")
    pattern = ShiftPattern(
        id=uuid7(),
        tenant_id=post.tenant_id,
        account_id=post.account_id,
        post_id=post.id,
        rule=draft.rule,
        starts_on=draft.starts_on,
        ends_on=draft.ends_on,
        local_start=draft.local_start,
        local_end=draft.local_end,
        seats=draft.seats,
        user_id=draft.user_id,
    )
    tx.session.add(pattern)
    tx.record(
        events.ShiftPatternAdded(
            account_id=post.account_id,
            subject_id=pattern.id,
            at=tx.at,
            post_id=post.id,
            rule=draft.rule,
            starts_on=draft.starts_on,
            ends_on=draft.ends_on,
            local_start=draft.local_start,
            local_end=draft.local_end,
            seats=draft.seats,
        )
    )
    await tx.session.flush()
    return pattern


async def end_pattern(tx: Tx, pattern_id: UUID, *, ends_on: date | None) -> ShiftPattern:
    """Set the last day of a pattern, or none; shifts that are planned already stay."""
    tx.actor.must(Right.ROSTER)
    pattern = await tx.get(ShiftPattern, pattern_id, "pattern", lock=True)
    if ends_on is not None and ends_on < pattern.starts_on:
        raise Refused(Code.INVALID, "endsOn must not be before the first day.", argument="endsOn")
    if pattern.ends_on != ends_on:
        tx.record(
            events.ShiftPatternEnded(
                account_id=pattern.account_id,
                subject_id=pattern.id,
                at=tx.at,
                before=pattern.ends_on,
                after=ends_on,
            )
        )
        pattern.ends_on = ends_on
        await tx.session.flush()
    return pattern


async def plan_from_pattern(
    tx: Tx, pattern_id: UUID, *, first_on: date, last_on: date
) -> RosterChange:
    """Plan the shifts of a pattern that begin from `first_on` to `last_on`; planned ones stay as they are.

    All of them, or none: a guard's overlap with another shift, or a missing qualification, refuses the call.
    """
    tx.actor.must(Right.ROSTER)
    if not first_on <= last_on or (last_on - first_on).days >= MOST_DAYS:
        raise Refused(
            Code.INVALID,
            f"lastOn must not be before firstOn, and within {MOST_DAYS} days of it.",
            argument="lastOn",
        )
    pattern = await tx.get(ShiftPattern, pattern_id, "pattern", argument="patternId", lock=True)
    post = await tx.session.get_one(Post, pattern.post_id)
    account = await tx.session.get_one(Account, pattern.account_id)
    occurrences = expand(
        pattern.rule,
        LocalHours(pattern.local_start, pattern.local_end),
        account.time_zone,
        starts_on=pattern.starts_on,
        first=max(first_on, pattern.starts_on, post.valid_from_on),
        last=min(
            each for each in (last_on, pattern.ends_on, post.valid_until_on) if each is not None
        ),
    )
    planned = await tx.session.execute(
        select(Shift.on_day, Shift.seat).where(
            Shift.pattern_id == pattern.id, Shift.on_day.between(first_on, last_on)
        )
    )
    known = {(day, seat) for day, seat in planned}
    missing = [
        (each, seat)
        for each in occurrences
        for seat in range(1, pattern.seats + 1)
        if (each.on_day, seat) not in known
    ]
    if len(missing) > MOST_SHIFTS:
        raise Refused(
            Code.TOO_MANY,
            f"These are {len(missing):,} shifts; plan at most {MOST_SHIFTS} at once: give a shorter period.",
            argument="lastOn",
        )
    new = [each for each, _ in missing]
    guard = await _guard(tx, post, pattern.user_id, new, argument="patternId")
    warnings = await _working_time(tx, guard, new, account, argument="patternId")
    shifts = [_shift(post, each, guard, pattern, seat) for each, seat in missing]
    return await _planned(tx, post, shifts, unchanged=len(known), warnings=warnings)


async def plan_one(
    tx: Tx, post_id: UUID, *, from_at: datetime, until_at: datetime, user_id: UUID | None = None
) -> RosterChange:
    """Plan one shift at a post, with a guard or open."""
    tx.actor.must(Right.ROSTER)
    if not from_at < until_at <= from_at + LONGEST:
        raise Refused(
            Code.INVALID, "untilAt must be after fromAt, within 24 hours.", argument="untilAt"
        )
    post = await tx.get(Post, post_id, "post", argument="postId")
    account = await tx.session.get_one(Account, post.account_id)
    day = _local_day(from_at, account.time_zone)
    if day < post.valid_from_on or (post.valid_until_on is not None and day > post.valid_until_on):
        raise Refused(Code.INVALID, "The post is not staffed on this day.", argument="fromAt")
    occurrence = Occurrence(day, from_at, until_at)
    guard = await _guard(tx, post, user_id, [occurrence], argument="userId")
    warnings = await _working_time(tx, guard, [occurrence], account, argument="userId")
    shift = _shift(post, occurrence, guard, None, 1)
    return await _planned(tx, post, [shift], unchanged=0, warnings=warnings)


async def _guard(
    tx: Tx, post: Post, user_id: UUID | None, occurrences: Sequence[Occurrence], *, argument: str
) -> GuardOfAccount | None:
    if user_id is None or not occurrences:
        return None
    guard = await guard_for(tx, post.account_id, user_id, argument=argument)
    await must_fit(tx.session, guard, post, occurrences, argument=argument)
    return guard


async def _working_time(
    tx: Tx,
    guard: GuardOfAccount | None,
    occurrences: Sequence[Occurrence],
    account: Account,
    *,
    argument: str,
) -> list[str]:
    if guard is None:
        return []
    return await must_keep_working_time(
        tx.session, guard.user_id, occurrences, account.time_zone, argument=argument
    )


def _shift(
    post: Post,
    occurrence: Occurrence,
    guard: GuardOfAccount | None,
    pattern: ShiftPattern | None,
    seat: int,
) -> Shift:
    return Shift(
        id=uuid7(),
        tenant_id=post.tenant_id,
        account_id=post.account_id,
        post_id=post.id,
        site_id=post.site_id,
        pattern_id=None if pattern is None else pattern.id,
        on_day=occurrence.on_day,
        seat=seat,
        user_id=None if guard is None else guard.user_id,
        number=None if guard is None else guard.number,
        from_at=occurrence.from_at,
        until_at=occurrence.until_at,
    )


async def _planned(
    tx: Tx, post: Post, shifts: Sequence[Shift], *, unchanged: int, warnings: list[str]
) -> RosterChange:
    tx.session.add_all(shifts)
    for shift in shifts:
        tx.record(
            events.ShiftPlanned(
                account_id=shift.account_id,
                subject_id=shift.id,
                at=tx.at,
                post_id=post.id,
                site_id=post.site_id,
                guard=shift.number,
                from_at=shift.from_at,
                until_at=shift.until_at,
            )
        )
    return await note_change(
        tx, post, RosterStep.PLANNED, shifts, unchanged=unchanged, warnings=warnings
    )


async def note_change(
    tx: Tx,
    post: Post,
    step: RosterStep,
    shifts: Sequence[Shift],
    *,
    unchanged: int,
    warnings: Sequence[str],
) -> RosterChange:
    """Keep which shifts were planned or published together; each has a fact of its own."""
    change = RosterChange(
        id=uuid7(),
        tenant_id=post.tenant_id,
        account_id=post.account_id,
        post_id=post.id,
        step=step,
        made_at=tx.at,
        shift_ids=[shift.id for shift in shifts],
        unchanged=unchanged,
        warnings=list(warnings),
    )
    tx.session.add(change)
    await tx.session.flush()
    return change


def _local_day(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()
