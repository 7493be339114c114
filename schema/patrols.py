"""Patrols: routes with their points, rounds with their visits, and the feed of them."""

from collections.abc import AsyncIterable
from datetime import date, datetime, time
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import accounts, patrols
from domain.evidence import Grade
from domain.patrols import PatrolOrder, PointKind, RoundState
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
    relations,
    resolver,
    subscription,
)
from schema.sites import Site
from schema.subscriptions import After, FeedEvent, Item, facts_named

enum(
    PatrolOrder,
    "PatrolOrder",
    any="The points may be visited in any order.",
    fixed="The points are visited in the order of their places.",
)
enum(
    PointKind,
    "PatrolPointKind",
    nfc="A chip with a fixed UID, which can be copied: at best grade B.",
    signed_nfc="A chip that signs each tap (NTAG 424 DNA): at best grade A.",
    qr="A printed code, which can be photographed: at best grade C.",
    gps="The position of the phone: at best grade C.",
    photo="A photo: at best grade C.",
    question="An answer to a question: at best grade C.",
)
enum(
    RoundState,
    "PatrolRoundState",
    planned="Planned: clients do not see it.",
    open="Begun: its points are due.",
    ended="Over, also for late scans.",
    cancelled="Cancelled before it began.",
)

RouteRow = strawberry.Parent[patrols.PatrolRoute]
PointRow = strawberry.Parent[patrols.PatrolPoint]
RoundRow = strawberry.Parent[patrols.PatrolRound]
VisitRow = strawberry.Parent[patrols.PatrolVisit]
PatrolRouteId = Annotated[UUID, GlobalIdOf("PatrolRoute")]
PatrolPointId = Annotated[UUID, GlobalIdOf("PatrolPoint")]
PatrolRoundId = Annotated[UUID, GlobalIdOf("PatrolRound")]
SiteFilter = Annotated[strawberry.ID | None, "Only patrols at this site."]


@from_row(patrols.PatrolRoute)
class PatrolRoute(Node):
    """Points at a site that guards visit in rounds, on the days of a rule, within a window of local time."""

    name: Annotated[str, "Name of the route."]
    service: Annotated[str, "Service that it performs, by which an agreement can promise it."]
    ordering: Annotated[PatrolOrder, "Whether the points have an order."]
    rule: Annotated[str, "Recurrence rule of the days, such as `FREQ=DAILY`."]
    starts_on: Annotated[date, "Day from which the rule counts."]
    ends_on: Annotated[date | None, "Last day of the route; null: no end."]
    local_start: Annotated[time, "Local time at which the window of a day begins."]
    local_end: Annotated[
        time, "Local time at which the window ends; on the next day unless it is after the start."
    ]
    rounds: Annotated[int, "Number of rounds in a window; each has an equal slot of it."]
    round_minutes: Annotated[int, "Time for one round, in minutes."]
    is_random: Annotated[
        bool, "Whether rounds begin at random in their slots, by a key that is revealed afterwards."
    ]
    lowest_grade: Annotated[Grade, "Lowest grade of a scan that proves a visit."]
    least_minutes: Annotated[int, "Shortest believable time for a whole round, in minutes."]
    late_minutes: Annotated[int, "How long after it was due a visit is late, not missed."]
    version: Annotated[int, "Version of the row, raised by every change."]

    account = to_one(
        "Account", accounts.Account, "account_id", "Account of the client that owns the site."
    )

    site = to_one(Site, accounts.Site, "site_id", "Site that is patrolled.")

    @relations("PatrolPoint")
    @staticmethod
    async def points(row: RouteRow, info: Info) -> list[Any]:
        """Points of the route, by place."""
        return await info.context.children(
            patrols.PatrolPoint.route_id, row.id, order=(patrols.PatrolPoint.place,)
        )


@from_row(patrols.PatrolPoint)
class PatrolPoint(Node):
    """Point that a round visits; it never changes."""

    place: Annotated[int, "Place in the order of the route, from 1."]
    name: Annotated[str, "Name of the point."]
    kind: Annotated[PointKind, "What proves that a guard was there."]
    lat: Annotated[float | None, "Latitude in degrees, WGS 84.", RESTRICTED]
    lon: Annotated[float | None, "Longitude in degrees, WGS 84.", RESTRICTED]
    radius_m: Annotated[
        int, "Distance within which a phone is at the point, in metres.", RESTRICTED
    ]
    due_minutes: Annotated[
        int | None, "Minutes after the start of a round by which it is due; null: by its end."
    ]
    question: Annotated[str | None, "Question to answer at the point.", RESTRICTED]

    route = to_one(PatrolRoute, patrols.PatrolRoute, "route_id", "Route that the point is part of.")

    @relations("PatrolTag")
    @staticmethod
    async def tags(row: PointRow, info: Info) -> list[Any]:
        """Tags and codes that were issued for the point, also revoked ones."""
        return await info.context.children(
            patrols.PatrolTag.point_id,
            row.id,
            order=(patrols.PatrolTag.issued_at, patrols.PatrolTag.id),
        )


@from_row(patrols.PatrolRound)
class PatrolRound(Node):
    """One round of a route, with the period in which it is due."""

    on_day: Annotated[date, "Local day on which the window of the round begins."]
    number: Annotated[int, "Number of the round in its window, from 1."]
    state: Annotated[RoundState, "State of the round, from planned to ended."]
    from_at: Annotated[datetime, "Time at which the round begins."]
    until_at: Annotated[datetime, "Time by which the round is due."]
    visited: Annotated[int, "Number of points with a scan that counts."]
    missed: Annotated[int, "Number of points that were not visited in time."]
    completed_at: Annotated[
        datetime | None, "Time of the scan that completed it; null: not complete."
    ]
    is_too_fast: Annotated[bool, "Whether it was completed faster than is believable."]

    @resolver(int)
    @staticmethod
    def point_count(row: RoundRow) -> int:
        """Number of points to visit."""
        return row.points

    @resolver(float)
    @staticmethod
    def completion_pct(row: RoundRow) -> float:
        """Share of the points that were visited, in percent."""
        return round(100 * row.visited / row.points, 1)

    route = to_one(PatrolRoute, patrols.PatrolRoute, "route_id", "Route of the round.")

    site = to_one(Site, accounts.Site, "site_id", "Site that the round patrols.")

    @relations("PatrolVisit")
    @staticmethod
    async def visits(row: RoundRow, info: Info) -> list[Any]:
        """Visits that the round expects, by place; none before it begins."""
        return await info.context.children(
            patrols.PatrolVisit.round_id, row.id, order=(patrols.PatrolVisit.place,)
        )


@from_row(patrols.PatrolVisit)
class PatrolVisit(Node):
    """Point that a round has to visit, and the scan that proves it."""

    place: Annotated[int, "Place of the point in the route, from 1."]
    due_at: Annotated[datetime, "Time by which the visit is due."]
    made_at: Annotated[datetime | None, "Time of the scan that proves it; null: none counts."]
    grade: Annotated[Grade | None, "Grade of that scan."]
    is_late: Annotated[bool, "Whether it was made after it was due."]
    is_out_of_order: Annotated[bool, "Whether a later point of a fixed order was visited before."]
    missed_at: Annotated[datetime | None, "Time at which it was missed; null: not so."]

    point = to_one(PatrolPoint, patrols.PatrolPoint, "point_id", "Point that has to be visited.")

    round = to_one(PatrolRound, patrols.PatrolRound, "round_id", "Round that expects the visit.")

    scan = to_one(
        "PatrolScan",
        patrols.PatrolScan,
        "scan_id",
        "Scan that proves the visit; null while none counts.",
    )


@query_fields
class PatrolQuery:
    """Queries of patrols."""

    @lists(PatrolRoute, patrols.PatrolRoute.name, patrols.PatrolRoute.id)
    @staticmethod
    def patrol_routes(
        info: Info, account_id: AccountFilter = None, site_id: SiteFilter = None
    ) -> Rows:
        """Routes of patrols, by name."""
        query = visible(info, patrols.PatrolRoute, account_id)
        return naming(info, query, patrols.PatrolRoute.site_id, "Site", site_id)

    @lists(PatrolRound, patrols.PatrolRound.from_at, patrols.PatrolRound.id)
    @staticmethod
    def patrol_rounds(
        info: Info,
        account_id: AccountFilter = None,
        site_id: SiteFilter = None,
        route_id: Annotated[strawberry.ID | None, "Only rounds of this route."] = None,
        on_day: Annotated[
            date | None, "Only rounds with a window that begins on this local day."
        ] = None,
        states: Annotated[list[RoundState] | None, "Only rounds in these states."] = None,
    ) -> Rows:
        """Rounds by the time at which they begin; clients see those that began."""
        query = visible(info, patrols.PatrolRound, account_id)
        query = naming(info, query, patrols.PatrolRound.site_id, "Site", site_id)
        query = naming(info, query, patrols.PatrolRound.route_id, "PatrolRoute", route_id)
        if on_day is not None:
            query = query.where(patrols.PatrolRound.on_day == on_day)
        return among(query, patrols.PatrolRound.state, states)


@subscription_fields
class PatrolSubscription:
    """Subscriptions to changes of patrols."""

    @subscription(FeedEvent)
    def patrol_changes(
        self,
        info: Info,
        account_id: Annotated[strawberry.ID, "Account to follow the patrols of."],
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Rounds of an account as they begin and end, and their points as they are visited and missed."""
        return facts_named(info, account_id, after, "patrol_")
