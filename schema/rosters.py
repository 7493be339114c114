"""Rosters: patterns of shifts, and the mutations that plan, publish, assign and attend shifts."""

from datetime import date, datetime, time
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import accounts, posts, shifts
from domain.shifts import AttendanceKind, RosterStep
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, naming, visible
from schema.core.mutations import GlobalIdOf, MutationContext, UserId, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import enum, from_row, resolver
from schema.posts import Post, PostId
from schema.shifts import Shift, ShiftId
from schema.users import User

enum(
    RosterStep,
    "RosterStep",
    planned="The shifts were planned together.",
    published="The shifts were published together.",
)

PatternRow = strawberry.Parent[shifts.ShiftPattern]
ChangeRow = strawberry.Parent[shifts.RosterChange]
ShiftPatternId = Annotated[UUID, GlobalIdOf("ShiftPattern")]
Lat = Annotated[float | None, "Latitude of the phone in degrees, WGS 84; with `lon`."]
Lon = Annotated[float | None, "Longitude of the phone in degrees, WGS 84; with `lat`."]
AccuracyM = Annotated[float | None, "Accuracy of the position in metres, as the phone states it."]
MeasuredAt = Annotated[
    datetime | None, "Time at which the phone measured the position, by its own clock."
]
SentAt = Annotated[datetime | None, "Time of this call by the phone's clock, to show its error."]
Mock = Annotated[bool | None, "Whether the phone says that the position is simulated."]
OfficeTime = Annotated[
    datetime | None, "Time at which it happened; null: now. Only the office states an earlier one."
]


@from_row(shifts.ShiftPattern)
class ShiftPattern(Node):
    """Recurring shifts at a post, by an RFC 5545 rule in the time zone of the account."""

    rule: Annotated[str, "Recurrence rule of the days, such as `FREQ=WEEKLY;BYDAY=MO,TU`."]
    starts_on: Annotated[date, "Day from which the rule counts."]
    ends_on: Annotated[date | None, "Last day of the pattern; null: no end."]
    local_start: Annotated[time, "Local time at which a shift begins."]
    local_end: Annotated[
        time, "Local time at which a shift ends; on the next day unless it is after the start."
    ]
    seats: Annotated[int, "Number of guards at a time, each with a shift."]

    account = to_one(
        "Account", accounts.Account, "account_id", "Account of the client that owns the site."
    )

    post = to_one(Post, posts.Post, "post_id", "Post at which the guards work.")

    user = to_one(
        User,
        accounts.User,
        "user_id",
        "User who is the guard of every shift; null: the shifts are planned open.",
    )


@from_row(shifts.RosterChange)
class RosterChange(Node):
    """Shifts of one post that were planned or published together."""

    step: Annotated[RosterStep, "What was done with the shifts."]
    made_at: Annotated[datetime, "Time at which it was done."]
    unchanged: Annotated[int, "Number of further shifts that were so already."]
    warnings: Annotated[list[str], "Rules on working time that the shifts strain, as sentences."]

    @resolver(int)
    @staticmethod
    def count(row: ChangeRow) -> int:
        """Number of shifts that changed."""
        return len(row.shift_ids)

    post = to_one(Post, posts.Post, "post_id", "Post to which the shifts belong.")

    @resolver(list[Shift])
    @staticmethod
    async def shifts(
        row: ChangeRow,
        info: Info,
        first: Annotated[int, "Maximum number of shifts to return, at most 500."] = 100,
    ) -> list[Any]:
        """Shifts that changed, in the order of their planned start."""
        return await info.context.get_all(shifts.Shift, row.shift_ids[: max(0, first)])


@query_fields
class RosterQuery:
    """Queries of patterns of shifts."""

    @lists(ShiftPattern, shifts.ShiftPattern.starts_on, shifts.ShiftPattern.id)
    @staticmethod
    def shift_patterns(
        info: Info,
        account_id: AccountFilter = None,
        post_id: Annotated[strawberry.ID | None, "Only patterns of this post."] = None,
    ) -> Rows:
        """Patterns of recurring shifts, by their first day; for office staff."""
        query = visible(info, shifts.ShiftPattern, account_id)
        return naming(info, query, shifts.ShiftPattern.post_id, "Post", post_id)


@mutation_fields
class RosterMutation:
    """Mutations of rosters."""

    @mutation(ShiftPattern)
    @staticmethod
    async def add_shift_pattern(
        ask: MutationContext,
        post_id: Annotated[PostId, "Post at which the guards work."],
        rule: Annotated[str, "RFC 5545 rule of days, such as `FREQ=WEEKLY;BYDAY=MO,TU`; no UNTIL."],
        starts_on: Annotated[date, "Day from which the rule counts."],
        local_start: Annotated[time, "Local time at which a shift begins."],
        local_end: Annotated[time, "Local time of the end; the next day unless after the start."],
        ends_on: Annotated[date | None, "Last day of the pattern, or null for no end."] = None,
        seats: Annotated[int, "Number of guards at a time, up to the headcount of the post."] = 1,
        user_id: Annotated[UserId | None, "Guard of every shift; null: planned open."] = None,
    ) -> shifts.ShiftPattern:
        """Add a pattern of recurring shifts to a post; `planShifts` plans shifts from it."""
        draft = shifts.PatternDraft(
            rule, starts_on, local_start, local_end, ends_on=ends_on, seats=seats, user_id=user_id
        )
        return await shifts.add_pattern(ask.tx, post_id, draft)

    @mutation(ShiftPattern)
    @staticmethod
    async def end_shift_pattern(
        ask: MutationContext,
        id: Annotated[ShiftPatternId, "Pattern that gets another last day."],
        ends_on: Annotated[date | None, "Last day of the pattern, or null for no end."],
    ) -> shifts.ShiftPattern:
        """Set the last day of a pattern; shifts that are planned already stay."""
        return await shifts.end_pattern(ask.tx, id, ends_on=ends_on)

    @mutation(RosterChange)
    @staticmethod
    async def plan_shifts(
        ask: MutationContext,
        pattern_id: Annotated[ShiftPatternId, "Pattern from which to plan."],
        first_on: Annotated[date, "First local day on which a shift may begin."],
        last_on: Annotated[date, "Last local day on which a shift may begin, within 400 days."],
    ) -> shifts.RosterChange:
        """Plan the shifts of a pattern in a period: all of them or none. Planned ones are not planned again."""
        return await shifts.plan_from_pattern(
            ask.tx, pattern_id, first_on=first_on, last_on=last_on
        )

    @mutation(RosterChange)
    @staticmethod
    async def plan_shift(
        ask: MutationContext,
        post_id: Annotated[PostId, "Post at which the guard works."],
        from_at: Annotated[datetime, "Time at which the shift begins."],
        until_at: Annotated[datetime, "Time at which the shift ends, within 24 hours."],
        user_id: Annotated[UserId | None, "Guard of the shift; null: an open shift."] = None,
    ) -> shifts.RosterChange:
        """Plan one shift at a post, with a guard or open."""
        return await shifts.plan_one(
            ask.tx, post_id, from_at=from_at, until_at=until_at, user_id=user_id
        )

    @mutation(RosterChange)
    @staticmethod
    async def publish_shifts(
        ask: MutationContext,
        shift_ids: Annotated[list[ShiftId], "Planned shifts of one post, 1 to 200."],
    ) -> shifts.RosterChange:
        """Publish shifts to their guards and the client; their promises begin. Published ones stay as they are."""
        return await shifts.publish(ask.tx, shift_ids)

    @mutation(Shift)
    @staticmethod
    async def assign_shift(
        ask: MutationContext,
        id: Annotated[ShiftId, "Shift that gets another guard."],
        user_id: Annotated[UserId | None, "Guard of the shift; null: nobody, an open shift."],
    ) -> shifts.Shift:
        """Give a shift to a guard, or to nobody, before anybody clocked in."""
        return await shifts.assign_shift(ask.tx, id, user_id)

    @mutation(Shift)
    @staticmethod
    async def confirm_shift(
        ask: MutationContext, id: Annotated[ShiftId, "Published shift to be confirmed."]
    ) -> shifts.Shift:
        """Confirm a published shift as its guard, or as the office in the name of the guard."""
        return await shifts.confirm_shift(ask.tx, id)

    @mutation(Shift)
    @staticmethod
    async def cancel_shift(
        ask: MutationContext,
        id: Annotated[ShiftId, "Shift that is not needed any more."],
        reason: Annotated[str, "Reason, as one line of text."],
    ) -> shifts.Shift:
        """Cancel a shift before it begins; its promises end without a verdict."""
        return await shifts.cancel_shift(ask.tx, id, reason=reason)


@mutation_fields
class AttendanceMutation:
    """Mutations of attendance."""

    @mutation(Shift)
    @staticmethod
    async def clock_in(
        ask: MutationContext,
        id: Annotated[ShiftId, "Shift that the guard begins."],
        at: OfficeTime = None,
        lat: Lat = None,
        lon: Lon = None,
        accuracy_m: AccuracyM = None,
        measured_at: MeasuredAt = None,
        sent_at: SentAt = None,
        mock: Mock = None,
    ) -> shifts.Shift:
        """Begin a published shift: as its guard, or as the office in the name of the guard."""
        told = shifts.PhoneStatement(lat, lon, accuracy_m, measured_at, sent_at, mock)
        return await shifts.clock_in(ask.tx, id, at=at, position=shifts.phone_position(told))

    @mutation(Shift)
    @staticmethod
    async def clock_out(
        ask: MutationContext,
        id: Annotated[ShiftId, "Shift that the guard ends."],
        at: OfficeTime = None,
        lat: Lat = None,
        lon: Lon = None,
        accuracy_m: AccuracyM = None,
        measured_at: MeasuredAt = None,
        sent_at: SentAt = None,
        mock: Mock = None,
    ) -> shifts.Shift:
        """End a running shift: as its guard, or as the office in the name of the guard."""
        told = shifts.PhoneStatement(lat, lon, accuracy_m, measured_at, sent_at, mock)
        return await shifts.clock_out(ask.tx, id, at=at, position=shifts.phone_position(told))

    @mutation(Shift)
    @staticmethod
    async def correct_attendance(
        ask: MutationContext,
        id: Annotated[ShiftId, "Shift with a wrong or missing time."],
        kind: Annotated[AttendanceKind, "What is corrected: clock-in or clock-out."],
        at: Annotated[datetime, "Time at which it really happened."],
        reason: Annotated[str, "Reason, as one line of text."],
    ) -> shifts.Shift:
        """Replace a clock-in or clock-out, or add a missing one; what was recorded stays visible."""
        return await shifts.correct_attendance(ask.tx, id, kind, at=at, reason=reason)
