"""Where guards on duty are: asked now, or followed live."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, positions
from domain.duties import Duty as DutyRow
from domain.positions import LivePosition
from schema.accounts import Site
from schema.core import access_log, ids
from schema.core.context import Context, Info
from schema.core.pagination import checked
from schema.core.types import from_row, resolver, subscription
from schema.duties import Duty
from schema.live_map import (
    FleetSnapshot,
    MapBox,
    MapFilter,
    Overview,
    PositionChange,
    Watching,
    packed,
)

PositionParent = strawberry.Parent[LivePosition]
AccountFilter = Annotated[strawberry.ID | None, "Only at this client; null for all of them."]
SiteFilter = Annotated[strawberry.ID | None, "Only inside this place's fence."]
Box = Annotated[MapBox | None, "Only in this part of the map."]


@from_row(LivePosition)
class GuardPosition:
    """Where a guard on duty is, by the newest fix; clients are shown those inside their own fences."""

    number: Annotated[int, "What you know the guard by."]
    at: Annotated[datetime, "When the fix was made."]
    lat: Annotated[float, "Latitude in degrees, WGS 84."]
    lon: Annotated[float, "Longitude in degrees, WGS 84."]
    accuracy_m: Annotated[float | None, "How far off it may be, in metres."]
    speed_mps: Annotated[float | None, "Metres a second."]
    heading_deg: Annotated[float | None, "Degrees from true north."]
    battery_pct: Annotated[float | None, "What is left in the battery, in percent."]

    @resolver(Site | None)
    @staticmethod
    async def site(row: PositionParent, info: Info) -> accounts.Site | None:
        """The place in whose fence that is."""
        return None if row.site_id is None else await info.context.loaders.site.load(row.site_id)

    @resolver(Duty | None)
    @staticmethod
    async def duty(row: PositionParent, info: Info) -> DutyRow | None:
        """The duty."""
        duty: DutyRow | None = await info.context.loaders.of_type["Duty"].load(row.duty_id)
        return duty


@from_row(PositionChange)
class PositionEvent:
    """A guard came into sight or moved, or (without a position) is out of your sight: off duty or elsewhere."""

    number: Annotated[int, "What you know the guard by."]

    @resolver(GuardPosition | None)
    @staticmethod
    def position(row: strawberry.Parent[PositionChange]) -> LivePosition | None:
        """Where the guard is now; null: out of your sight."""
        return row.position


@from_row(FleetSnapshot)
class Fleet:
    """Everybody in your sight at one moment, packed.

    `data` is base64 of 13 bytes for each guard, little-endian: number (uint32), longitude and latitude in millionths
    of a degree (int32 each), status (uint8: 0 speed unknown, 1 moving, 2 standing; 4 more when over 5 minutes old).
    """

    count: Annotated[int, "How many guards."]
    data: Annotated[str, "The records."]


@strawberry.type
class PositionQuery:
    """Questions about where guards are."""

    @resolver(list[GuardPosition])
    @staticmethod
    async def positions(
        info: Info,
        account_id: AccountFilter = None,
        site_id: SiteFilter = None,
        first: Annotated[int, "How many, 100 at most."] = 100,
    ) -> list[LivePosition]:
        """Where guards on duty are now. That somebody looked is written down."""
        return await _look(info, account_id, site_id, checked(first, "first"))

    @resolver(Fleet)
    @staticmethod
    async def fleet(
        info: Info, account_id: AccountFilter = None, site_id: SiteFilter = None
    ) -> FleetSnapshot:
        """The same for everybody at once, packed."""
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


@strawberry.type
class PositionSubscription:
    """The live map."""

    @subscription(PositionEvent)
    def positions(
        self,
        info: Info,
        account_id: AccountFilter = None,
        site_id: SiteFilter = None,
        box: Box = None,
    ) -> Watching:
        """Where guards on duty are: everybody in sight first, then each as it moves; who is slow is told the latest."""
        return Watching(info.context, _sight(info.context, account_id, site_id, box))

    @subscription(Fleet)
    def fleet(
        self,
        info: Info,
        account_id: AccountFilter = None,
        site_id: SiteFilter = None,
        box: Box = None,
    ) -> Overview:
        """The same for large fleets: everybody in sight, packed, whenever something changed."""
        return Overview(info.context, _sight(info.context, account_id, site_id, box))


def _sight(
    ctx: Context, account_id: str | None, site_id: str | None, box: MapBox | None
) -> MapFilter:
    return MapFilter(
        ctx.actor,
        None if account_id is None else ids.wanted(account_id, "Account", "accountId"),
        None if site_id is None else ids.wanted(site_id, "Site", "siteId"),
        box,
    )
