"""Positions of guards on duty, as queries and as subscriptions."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, positions
from domain.duties import Duty as DutyRow
from domain.positions import LivePosition
from schema.core import access_log, ids
from schema.core.context import Context, Info
from schema.core.loaders import checked
from schema.core.relations import to_one
from schema.core.roots import query_fields, subscription_fields
from schema.core.types import from_row, resolver, subscription
from schema.duties import Duty
from schema.live_map import (
    FleetSnapshot,
    FleetSource,
    MapBox,
    MapFilter,
    PositionChange,
    PositionSource,
    packed,
)
from schema.sites import Site

PositionParent = strawberry.Parent[LivePosition]
AccountFilter = Annotated[
    strawberry.ID | None, "Only guards at this account; null for all accounts."
]
SiteFilter = Annotated[strawberry.ID | None, "Only guards inside the geofence of this site."]
Box = Annotated[MapBox | None, "Only guards in this rectangle on the map."]


@from_row(LivePosition)
class GuardPosition:
    """Position of a guard on duty, by the newest fix. Clients see guards inside their own geofences only."""

    number: Annotated[int, "Pseudonymous number of the guard, constant within one account."]
    at: Annotated[datetime, "Time of the fix."]
    lat: Annotated[float, "Latitude in degrees, WGS 84."]
    lon: Annotated[float, "Longitude in degrees, WGS 84."]
    accuracy_m: Annotated[float | None, "Accuracy of the position, in metres."]
    speed_mps: Annotated[float | None, "Speed in metres per second."]
    heading_deg: Annotated[float | None, "Heading in degrees, clockwise from true north."]
    battery_pct: Annotated[float | None, "Charge of the battery, in percent."]

    site = to_one(
        Site,
        accounts.Site,
        "site_id",
        "Site with a geofence around the position; null outside every geofence.",
    )

    duty = to_one(Duty, DutyRow, "duty_id", "Duty on which the guard is.")


@from_row(PositionChange)
class PositionEvent:
    """Guard who became visible or moved or, without a position, is no longer visible: off duty or elsewhere."""

    number: Annotated[int, "Pseudonymous number of the guard, constant within one account."]

    @resolver(GuardPosition | None)
    @staticmethod
    def position(row: strawberry.Parent[PositionChange]) -> LivePosition | None:
        """Position of the guard now; null when no longer visible."""
        return row.position


@from_row(FleetSnapshot)
class Fleet:
    """All visible guards at one moment in packed form.

    `data` is base64 of 13 bytes for each guard, little-endian: number (uint32), longitude and latitude in millionths
    of a degree (int32 each), status (uint8: 0 speed unknown, 1 moving, 2 standing; 4 more when over 5 minutes old).
    """

    count: Annotated[int, "Number of guards in `data`."]
    data: Annotated[str, "Packed records of the guards, in base64."]


@query_fields
class PositionQuery:
    """Queries of the positions of guards."""

    @resolver(list[GuardPosition])
    @staticmethod
    async def positions(
        info: Info,
        account_id: AccountFilter = None,
        site_id: SiteFilter = None,
        first: Annotated[int, "Maximum number of guards to return, at most 100."] = 100,
    ) -> list[LivePosition]:
        """Current positions of guards on duty. Each read is recorded."""
        return await _look(info, account_id, site_id, checked(first, "first"))

    @resolver(Fleet)
    @staticmethod
    async def fleet(
        info: Info, account_id: AccountFilter = None, site_id: SiteFilter = None
    ) -> FleetSnapshot:
        """Current positions of all visible guards, in packed form. Each read is recorded."""
        return packed(await _look(info, account_id, site_id, None), info.context.at)


async def _look(
    info: Info, account_id: str | None, site_id: str | None, limit: int | None
) -> list[LivePosition]:
    ctx: Context = info.context
    nowhere = UUID(int=0)
    async with ctx.sessions() as session:
        found = await positions.last_positions(
            session,
            ctx.actor,
            account_id=None if account_id is None else ids.known(account_id, "Account") or nowhere,
            site_id=None if site_id is None else ids.known(site_id, "Site") or nowhere,
            limit=limit,
        )
    seen_of = {each.account_id for each in found}
    await access_log.note_positions(ctx.sessions, ctx.actor, seen_of, at=ctx.at)
    return found


@subscription_fields
class PositionSubscription:
    """Subscriptions to the positions of guards."""

    @subscription(PositionEvent)
    def positions(
        self,
        info: Info,
        account_id: AccountFilter = None,
        site_id: SiteFilter = None,
        box: Box = None,
    ) -> PositionSource:
        """Positions of guards on duty: all visible guards first, then each movement.

        Slow readers receive only the latest.
        """
        return PositionSource(info.context, _sight(info.context, account_id, site_id, box))

    @subscription(Fleet)
    def fleet(
        self,
        info: Info,
        account_id: AccountFilter = None,
        site_id: SiteFilter = None,
        box: Box = None,
    ) -> FleetSource:
        """Positions for large fleets: all visible guards in packed form, after each change."""
        return FleetSource(info.context, _sight(info.context, account_id, site_id, box))


def _sight(
    ctx: Context, account_id: str | None, site_id: str | None, box: MapBox | None
) -> MapFilter:
    return MapFilter(
        ctx.actor,
        None if account_id is None else ids.wanted(account_id, "Account", "accountId"),
        None if site_id is None else ids.wanted(site_id, "Site", "siteId"),
        box,
    )
