"""Tiles of dashboards: a measure, a grouping, a window and a filter; and their values."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import kpis
from domain.access import Actor
from domain.accounts.model import Account, Segment, ServiceTier, Site
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line
from domain.dashboards.model import TileGrouping
from domain.kpis import KpiKey, KpiRequest, KpiScope, KpiValue
from domain.quality import Window

MOST_TILES, MOST_GROUPS, MOST_VALUES = 40, 50, 400
"""Tiles of a dashboard, groups of a tile, and values of a dashboard."""


class DashboardTile(msgspec.Struct, frozen=True):
    """A tile: the KPI (measure), what it is split by, the kind of window, and what it is limited to (filter)."""

    title: str
    key: KpiKey
    window: Window
    grouping: TileGrouping = TileGrouping.NONE
    account_id: UUID | None = None
    site_id: UUID | None = None
    segment: Segment | None = None
    tier: ServiceTier | None = None


class TileValue(NamedTuple):
    """The value of one group of a tile; `label` names the group, `type_name` and `subject_id` its row."""

    label: str
    type_name: str | None
    subject_id: UUID | None
    value: KpiValue


class TileValues(NamedTuple):
    """A tile with its values; `is_cut` when it has more groups than are shown."""

    tile: DashboardTile
    values: list[TileValue]
    is_cut: bool


class _TileGroup(NamedTuple):
    label: str
    scope: KpiScope
    type_name: str | None = None
    subject_id: UUID | None = None


class _Places(NamedTuple):
    """The accounts and sites that an actor can access, by name."""

    accounts: Sequence[Account]
    sites: Sequence[Site]


def must_be_tiles(tiles: Sequence[DashboardTile]) -> None:
    """Refuse no tiles, too many of them, a title that is no line, and a filter or grouping that contradicts itself."""
    if not 1 <= len(tiles) <= MOST_TILES:
        raise Refused(Code.TOO_MANY, f"A dashboard has 1 to {MOST_TILES} tiles.", argument="tiles")
    for tile in tiles:
        must_be_line(tile.title, "tiles")
        filters = (tile.account_id or tile.site_id, tile.segment, tile.tier)
        if sum(each is not None for each in filters) > 1:
            raise Refused(
                Code.INVALID,
                f"{tile.title}: give at most one of accountId, siteId, segment and tier.",
                argument="tiles",
            )
        if tile.site_id is not None and tile.grouping is not TileGrouping.NONE:
            raise Refused(Code.INVALID, f"{tile.title}: one site has no groups.", argument="tiles")
        by_class = tile.grouping in (TileGrouping.SEGMENT, TileGrouping.TIER)
        if by_class and any(each is not None for each in filters):
            raise Refused(
                Code.INVALID,
                f"{tile.title}: split by segment or tier, a tile has no filter.",
                argument="tiles",
            )


async def values_of(
    session: AsyncSession,
    actor: Actor,
    tiles: Sequence[DashboardTile],
    *,
    at: datetime,
    now: datetime,
) -> list[TileValues]:
    """Measure every tile around `at`; a group without access has no value. The number of SELECTs is constant."""
    places = await _places(session, actor, tiles)
    grouped = [_groups(tile, places) for tile in tiles]
    shown = [groups[:MOST_GROUPS] for groups in grouped]
    if sum(map(len, shown)) > MOST_VALUES:
        raise Refused(
            Code.TOO_MANY,
            f"This dashboard has more than {MOST_VALUES} values; split fewer tiles by account or site.",
            argument="id",
        )
    requests = [
        KpiRequest(tile.key, group.scope, tile.window)
        for tile, groups in zip(tiles, shown, strict=True)
        for group in groups
    ]
    found = iter(await kpis.measured_all(session, actor, requests, at=at, now=now))
    return [
        TileValues(
            tile,
            [
                TileValue(group.label, group.type_name, group.subject_id, value)
                for group in groups
                if (value := next(found)) is not None
            ],
            len(groups) < len(every),
        )
        for tile, groups, every in zip(tiles, shown, grouped, strict=True)
    ]


async def _places(session: AsyncSession, actor: Actor, tiles: Sequence[DashboardTile]) -> _Places:
    wanted = {tile.grouping for tile in tiles}
    accounts: Sequence[Account] = ()
    sites: Sequence[Site] = ()
    if TileGrouping.ACCOUNT in wanted:
        query = select(Account).where(actor.scope(Account)).order_by(Account.name, Account.id)
        accounts = (await session.scalars(query)).all()
    if TileGrouping.SITE in wanted:
        query_sites = select(Site).where(actor.scope(Site)).order_by(Site.name, Site.id)
        sites = (await session.scalars(query_sites)).all()
    return _Places(accounts, sites)


def _groups(tile: DashboardTile, places: _Places) -> list[_TileGroup]:
    """Return the groups of a tile within its filter."""
    match tile.grouping:
        case TileGrouping.ACCOUNT:
            return [
                _TileGroup(each.name, KpiScope(account_id=each.id), "Account", each.id)
                for each in places.accounts
                if tile.account_id in (None, each.id)
                and tile.segment in (None, each.segment)
                and tile.tier in (None, each.service_tier)
            ]
        case TileGrouping.SITE:
            return [
                _TileGroup(each.name, KpiScope(each.account_id, each.id), "Site", each.id)
                for each in places.sites
                if tile.account_id in (None, each.account_id)
            ]
        case TileGrouping.SEGMENT:
            return [_TileGroup(str(each), KpiScope(segment=each)) for each in Segment]
        case TileGrouping.TIER:
            return [_TileGroup(str(each), KpiScope(tier=each)) for each in ServiceTier]
        case TileGrouping.NONE:
            scope = KpiScope(tile.account_id, tile.site_id, tile.segment, tile.tier)
            return [_TileGroup(tile.title, scope)]


def tiles_of(stored: Sequence[object]) -> list[DashboardTile]:
    """Return the tiles of a dashboard from their stored form."""
    return [msgspec.convert(each, DashboardTile) for each in stored]
