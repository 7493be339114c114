"""Dashboards: saved definitions, and their values in one request."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import dashboards
from domain.accounts import Segment, ServiceTier
from domain.core.errors import Code, Refused
from domain.dashboards import TileGrouping
from domain.kpis import KpiKey
from domain.quality import Window
from schema.core import ids
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import Rows, lists, visible
from schema.core.mutations import ExpectedVersion, GlobalIdOf, MutationContext, mutation
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import enum, from_row, input_type, resolver
from schema.kpis import KpiValue

enum(
    TileGrouping,
    "TileGrouping",
    none="One value for everything within the filter.",
    account="One value for each account, by name, of the first 50.",
    site="One value for each site, by name, of the first 50.",
    segment="One value for each segment of accounts.",
    tier="One value for each service tier.",
)
Row = strawberry.Parent[dashboards.Dashboard]
TileRow = strawberry.Parent[dashboards.DashboardTile]
ValueRow = strawberry.Parent[dashboards.TileValue]
ValuesRow = strawberry.Parent[dashboards.TileValues]
DashboardId = Annotated[UUID, GlobalIdOf("Dashboard")]


@from_row(dashboards.DashboardTile)
class DashboardTile:
    """Tile of a dashboard: a measure, a grouping, a window and a filter."""

    title: Annotated[str, "Title of the tile, as its author wrote it."]
    key: Annotated[KpiKey, "KPI that is measured."]
    window: Annotated[Window, "Type of the window, such as a month."]
    grouping: Annotated[TileGrouping, "What its values are split by."]
    segment: Annotated[Segment | None, "Only accounts of this segment; null for all."]
    tier: Annotated[ServiceTier | None, "Only accounts of this service tier; null for all."]

    @resolver(strawberry.ID | None)
    @staticmethod
    def account_id(row: TileRow) -> str | None:
        """Id of the only account that counts; null for all."""
        return None if row.account_id is None else ids.write("Account", row.account_id)

    @resolver(strawberry.ID | None)
    @staticmethod
    def site_id(row: TileRow) -> str | None:
        """Id of the only site that counts; null for all."""
        return None if row.site_id is None else ids.write("Site", row.site_id)


@from_row(dashboards.TileValue)
class TileValue:
    """Value of one group of a tile."""

    label: Annotated[str, "Name of the group; of a tile without groups, its title."]

    @resolver(strawberry.ID | None)
    @staticmethod
    def subject_id(row: ValueRow) -> str | None:
        """Id of the account or site; null for other groups."""
        if row.type_name is None or row.subject_id is None:
            return None
        return ids.write(row.type_name, row.subject_id)

    @resolver(KpiValue)
    @staticmethod
    def value(row: ValueRow) -> object:
        """Value of the KPI, with target, status and trend."""
        return row.value


@from_row(dashboards.TileValues)
class TileValues:
    """Tile of a dashboard with its values, as the reader may see them."""

    is_cut: Annotated[bool, "Whether it has more groups than are shown."]

    @resolver(DashboardTile)
    @staticmethod
    def tile(row: ValuesRow) -> dashboards.DashboardTile:
        """Definition of the tile."""
        return row.tile

    @resolver(list[TileValue])
    @staticmethod
    def values(row: ValuesRow) -> Sequence[dashboards.TileValue]:
        """Values of its groups, by name."""
        return row.values


@from_row(dashboards.Dashboard)
class Dashboard(Node):
    """Saved dashboard of one user or API key."""

    name: Annotated[str, "Name of the dashboard; unique among those of its owner."]
    shared: Annotated[bool, "Whether everybody of the company reads it."]
    saved_at: Annotated[datetime, "Time at which it was saved last."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(list[DashboardTile])
    @staticmethod
    def tiles(row: Row) -> list[dashboards.DashboardTile]:
        """Tiles in the order of the dashboard."""
        return dashboards.tiles_of(row.tiles)


@input_type
class DashboardTileInput:
    """Tile of a dashboard: a measure, a grouping, a window and a filter."""

    title: Annotated[str, "Title of the tile, in one line."]
    key: Annotated[KpiKey, "KPI to be measured."]
    window: Annotated[Window, "Type of the window, such as a month."] = Window.MONTH
    grouping: Annotated[TileGrouping, "What its values are split by."] = TileGrouping.NONE
    account_id: Annotated[strawberry.ID | None, "Only this account; null for all."] = None
    site_id: Annotated[strawberry.ID | None, "Only this site; null for all."] = None
    segment: Annotated[Segment | None, "Only accounts of this segment; null for all."] = None
    tier: Annotated[ServiceTier | None, "Only accounts of this service tier; null for all."] = None


@query_fields
class DashboardQuery:
    """Queries of dashboards."""

    @resolver(list[TileValues], work=2_000)
    @staticmethod
    async def dashboard_values(
        info: Info,
        id: Annotated[strawberry.ID, "Dashboard to be measured."],
        at: Annotated[
            datetime | None, "Instant in the windows, or the end of rolling ones; null for now."
        ] = None,
    ) -> list[dashboards.TileValues]:
        """Values of all tiles of a dashboard, as you may see them; at most 400 in all."""
        ctx = info.context
        row = await ctx.get(dashboards.Dashboard, ids.wanted(id, "Dashboard", "id"))
        if row is None:
            raise Refused(Code.NOT_FOUND, "No such dashboard.", argument="id")
        async with ctx.sessions() as session:
            return await dashboards.values_of(
                session, ctx.actor, dashboards.tiles_of(row.tiles), at=at or ctx.at, now=ctx.at
            )

    @lists(Dashboard, dashboards.Dashboard.name, dashboards.Dashboard.id)
    @staticmethod
    def dashboards(info: Info) -> Rows:
        """Your own dashboards and those that colleagues share, by name."""
        return visible(info, dashboards.Dashboard)


@mutation_fields
class DashboardMutation:
    """Mutations of dashboards."""

    @mutation(Dashboard)
    @staticmethod
    async def save_dashboard(
        ask: MutationContext,
        name: Annotated[str, "Name; a dashboard of yours with this name is replaced."],
        tiles: Annotated[list[DashboardTileInput], "Tiles in the order of the dashboard, 1 to 40."],
        shared: Annotated[
            bool, "Whether everybody of the company reads it; not for clients."
        ] = False,
        expected_version: ExpectedVersion = None,
    ) -> dashboards.Dashboard:
        """Save a dashboard of your own."""
        return await dashboards.save(
            ask.tx,
            name=name,
            tiles=[_tile(each) for each in tiles],
            shared=shared,
            expected_version=expected_version,
        )

    @mutation(Dashboard)
    @staticmethod
    async def remove_dashboard(
        ask: MutationContext,
        id: Annotated[DashboardId, "Dashboard of your own."],
        expected_version: ExpectedVersion = None,
    ) -> dashboards.Dashboard:
        """Remove a dashboard of your own."""
        return await dashboards.remove(ask.tx, id, expected_version=expected_version)


def _tile(given: DashboardTileInput) -> dashboards.DashboardTile:
    account, site = given.account_id, given.site_id
    return dashboards.DashboardTile(
        title=given.title,
        key=given.key,
        window=given.window,
        grouping=given.grouping,
        account_id=None if account is None else ids.wanted(account, "Account", "tiles"),
        site_id=None if site is None else ids.wanted(site, "Site", "tiles"),
        segment=given.segment,
        tier=given.tier,
    )
