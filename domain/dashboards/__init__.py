"""Dashboards: saved definitions of what is measured, and their values in one request."""

from domain.dashboards.actions import remove, save
from domain.dashboards.model import Dashboard, TileGrouping
from domain.dashboards.tiles import (
    MOST_TILES,
    DashboardTile,
    TileValue,
    TileValues,
    tiles_of,
    values_of,
)

__all__ = [
    "MOST_TILES",
    "Dashboard",
    "DashboardTile",
    "TileGrouping",
    "TileValue",
    "TileValues",
    "remove",
    "save",
    "tiles_of",
    "values_of",
]
