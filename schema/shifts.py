"""Shifts of guards at posts, what was attended, and the board of a period."""

from collections.abc import AsyncIterable
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import accounts, evidence, occurrences, posts, shifts
from domain.access import Right
from domain.evidence import Grade
from domain.shifts import AttendanceKind, AttendanceSource, ShiftState
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, among, lists, naming, visible
from schema.core.mutations import GlobalIdOf
from schema.core.relations import to_one
from schema.core.roots import query_fields, subscription_fields
from schema.core.types import (
    RESTRICTED,
    enum,
    from_row,
    relation,
    relations,
    resolver,
    subscription,
)
from schema.evidence import EvidenceReason
from schema.posts import Post
from schema.sites import Site
from schema.subscriptions import After, FeedEvent, Item, facts_named
from schema.users import User

enum(
    ShiftState,
    "ShiftState",
    planned="Planned: only the office sees it.",
    published="Published to the guard and the client, not confirmed.",
    confirmed="Confirmed by the guard, or by the office for the guard.",
    running="Running: the guard clocked in.",
    ended="Ended: the guard clocked out, or the time is over.",
    cancelled="Cancelled before it began, with a reason.",
)
enum(
    AttendanceKind,
    "AttendanceKind",
    clock_in="The guard began work at the post.",
    clock_out="The guard ended work at the post.",
)
enum(
    AttendanceSource,
    "AttendanceSource",
    phone="The guard, without a position or at a site without a geofence.",
    phone_inside="The guard, with a position inside the geofence of the site.",
    phone_outside="The guard, with a position outside the geofence of the site.",
    dispatcher="The office, in the name of the guard.",
    correction="The office, as a correction with a reason.",
)

ShiftRow = strawberry.Parent[shifts.Shift]
AttendanceRow = strawberry.Parent[shifts.Attendance]
ShiftId = Annotated[UUID, GlobalIdOf("Shift")]
SiteFilter = Annotated[strawberry.ID | None, "Only shifts at this site."]
PostFilter = Annotated[strawberry.ID | None, "Only shifts at this post."]
GuardFilter = Annotated[
    strawberry.ID | None, "Only shifts of this guard; selects none for clients."
]
DayFilter = Annotated[date | None, "Only shifts that begin on this local day of the account."]
MOST_ON_BOARD = 1_000


@from_row(shifts.Shift)
class Shift(Node):
    """Planned work of one guard at one post; open while it has no guard."""

    on_day: Annotated[date, "Local day on which it begins, in the time zone of the account."]
    seat: Annotated[int, "Number of the seat at a post with several guards, from 1."]
    number: Annotated[
        int | None, "Pseudonymous number of the guard, constant within one account; null: open."
    ]
    state: Annotated[ShiftState, "State of the shift, from planned to ended."]
    from_at: Annotated[datetime, "Time at which the shift is planned to begin."]
    until_at: Annotated[datetime, "Time at which the shift is planned to end."]
    published_at: Annotated[datetime | None, "Time at which it was published."]
    confirmed_at: Annotated[datetime | None, "Time at which the guard confirmed it."]
    started_at: Annotated[datetime | None, "Time of the clock-in, as corrected."]
    ended_at: Annotated[datetime | None, "Time of the clock-out, as corrected."]
    late_at: Annotated[
        datetime | None, "Five minutes after the planned start, if the guard was not there by then."
    ]
    no_show_at: Annotated[
        datetime | None,
        "A quarter of an hour after the planned start, if the guard was not there by then.",
    ]
    left_early_at: Annotated[
        datetime | None, "Time of the clock-out, if more than five minutes before the planned end."
    ]
    cancelled_at: Annotated[datetime | None, "Time at which the shift was cancelled."]
    cancel_reason: Annotated[str | None, "Reason for which the shift was cancelled.", RESTRICTED]
    version: Annotated[int, "Version of the row, raised by every change."]

    account = to_one(
        "Account", accounts.Account, "account_id", "Account for which the guard works."
    )

    site = to_one(Site, accounts.Site, "site_id", "Site at which the guard works.")

    post = to_one(Post, posts.Post, "post_id", "Post at which the guard works.")

    user = to_one(
        User,
        accounts.User,
        "user_id",
        "User who is the guard. Null for clients, and while the shift is open.",
    )

    pattern = to_one(
        "ShiftPattern",
        shifts.ShiftPattern,
        "pattern_id",
        "Pattern from which it was planned. Null for clients, and for a single shift.",
    )

    @relations("Attendance")
    @staticmethod
    async def attendance(row: ShiftRow, info: Info) -> list[Any]:
        """Every clock-in and clock-out that was recorded, also those that a correction replaced."""
        return await info.context.children(
            shifts.Attendance.shift_id,
            row.id,
            order=(shifts.Attendance.recorded_at, shifts.Attendance.id),
        )

    @relation("ShiftReport")
    @staticmethod
    async def report(row: ShiftRow, info: Info) -> Any:
        """Report of the shift; null before somebody began it."""
        return await info.context.get_by(occurrences.ShiftReport.shift_id, row.id)


@from_row(shifts.Attendance)
class Attendance(Node):
    """A guard began or ended work at a post, and who says so; only its grade may change."""

    kind: Annotated[AttendanceKind, "What the guard did: clock in or out."]
    at: Annotated[datetime, "Time at which the guard did it."]
    source: Annotated[AttendanceSource, "Who says so, and whether a position supports it."]
    distance_m: Annotated[
        int | None, "Distance from the geofence in metres, negative inside.", RESTRICTED
    ]
    grade: Annotated[Grade | None, "Grade of the evidence; null for rows from before grades."]
    recorded_at: Annotated[datetime, "Time at which it was recorded."]
    recorded_by: Annotated[str, "Actor who recorded it, as named in the ledger.", RESTRICTED]
    replaced_at: Annotated[
        datetime | None, "Time at which a correction replaced it; null: it counts."
    ]
    reason: Annotated[str | None, "Reason of a correction; null for others.", RESTRICTED]

    @resolver(list[EvidenceReason])
    @staticmethod
    def reasons(row: AttendanceRow, info: Info) -> list[evidence.EvidenceReason]:
        """Reasons for the grade; the distance from the geofence is null for clients."""
        sees_place = info.context.actor.may(Right.ATTEND)
        return row.reasons if sees_place else [each.for_clients for each in row.reasons]

    shift = to_one(Shift, shifts.Shift, "shift_id", "Shift that was attended by the guard.")


@strawberry.type(
    description="Shifts of a period, all at once, as a board of the roster shows them."
)
class RosterBoard:
    """Shifts of a period."""

    shifts: list[Shift] = strawberry.field(
        description=f"Shifts by their planned start, at most {MOST_ON_BOARD:,}."
    )
    complete: bool = strawberry.field(
        description="Whether these are all shifts of the period; if not, ask for a shorter one."
    )


@query_fields
class ShiftQuery:
    """Queries of shifts."""

    @lists(Shift, shifts.Shift.from_at, shifts.Shift.id)
    @staticmethod
    def shifts(
        info: Info,
        account_id: AccountFilter = None,
        site_id: SiteFilter = None,
        post_id: PostFilter = None,
        user_id: GuardFilter = None,
        on_day: DayFilter = None,
        from_at: Annotated[datetime | None, "Only shifts that end after this time."] = None,
        until_at: Annotated[datetime | None, "Only shifts that begin before this time."] = None,
        states: Annotated[list[ShiftState] | None, "Only shifts in these states."] = None,
        is_open: Annotated[
            bool | None, "True: only those without a guard; false: only with."
        ] = None,
    ) -> Rows:
        """Shifts by their planned start; clients see published ones, guards their own published ones."""
        query = _narrowed(info, account_id, site_id, from_at, until_at)
        query = naming(info, query, shifts.Shift.post_id, "Post", post_id)
        query = naming(info, query, shifts.Shift.user_id, "User", user_id)
        if on_day is not None:
            query = query.where(shifts.Shift.on_day == on_day)
        if is_open is not None:
            number = shifts.Shift.number
            query = query.where(number.is_(None) if is_open else number.is_not(None))
        return among(query, shifts.Shift.state, states)

    @resolver(RosterBoard, work=5_000)
    @staticmethod
    async def roster_board(
        info: Info,
        from_at: Annotated[
            datetime, "Start of the period; earlier shifts that last into it count."
        ],
        until_at: Annotated[datetime, "End of the period of the board."],
        account_id: AccountFilter = None,
        site_id: SiteFilter = None,
    ) -> Any:
        """Shifts of a period with their posts, guards and attendance, in one answer for a board."""
        query = _narrowed(info, account_id, site_id, from_at, until_at)
        async with info.context.sessions() as session:
            found = await session.scalars(
                query.order_by(shifts.Shift.from_at, shifts.Shift.id).limit(MOST_ON_BOARD + 1)
            )
            rows = list(found)
        return RosterBoard(
            shifts=rows[:MOST_ON_BOARD],
            complete=len(rows) <= MOST_ON_BOARD,
        )


def _narrowed(
    info: Info,
    account_id: str | None,
    site_id: str | None,
    from_at: datetime | None,
    until_at: datetime | None,
) -> Rows:
    query = visible(info, shifts.Shift, account_id)
    query = naming(info, query, shifts.Shift.site_id, "Site", site_id)
    if from_at is not None:
        query = query.where(shifts.Shift.until_at > from_at)
    if until_at is not None:
        query = query.where(shifts.Shift.from_at < until_at)
    return query


@subscription_fields
class ShiftSubscription:
    """Subscriptions to changes of shifts."""

    @subscription(FeedEvent)
    def shift_changes(
        self,
        info: Info,
        account_id: Annotated[strawberry.ID, "Account to follow the shifts of."],
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Shifts of an account as they are published, assigned, clocked in and out, corrected and found missing."""
        return facts_named(info, account_id, after, "shift.")
