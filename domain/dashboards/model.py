"""Rows: dashboards, each a list of tiles that say what is measured."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Tenanted, Versioned


class TileGrouping(StrEnum):
    """What the values of a tile are split by."""

    NONE = "none"
    ACCOUNT = "account"
    SITE = "site"
    SEGMENT = "segment"
    TIER = "tier"


class Dashboard(Base, Tenanted, Versioned):
    """A saved dashboard of one user or API key; a shared one is read by everybody of the company."""

    __tablename__ = "dashboard"
    __table_args__ = (UniqueConstraint("tenant_id", "owner", "name"),)

    owner: Mapped[str]  # as the ledger names it
    name: Mapped[str]
    shared: Mapped[bool] = mapped_column(default=False)
    tiles: Mapped[list[Any]] = mapped_column(JSONB)  # `DashboardTile` as plain values
    saved_at: Mapped[datetime]
