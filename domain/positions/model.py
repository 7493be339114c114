"""Rows: fixes by day, last positions, presence, and the state of the evaluation."""

from datetime import datetime
from enum import IntEnum, StrEnum
from uuid import UUID

from sqlalchemy import Double, ForeignKey, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY, REAL, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import JSON, Base, Owned


class FixSource(IntEnum):
    """Source of a fix; a number, because it is stored with every fix."""

    BATCH = 1
    GRAPHQL = 2
    TRACCAR = 3
    OSMAND = 4
    OWNTRACKS = 5
    GPSLOGGER = 6


class Kind(StrEnum):
    """Kind of conclusion from the positions of a guard."""

    STAY = "stay"  # inside a site's geofence
    DWELL = "dwell"  # standing still anywhere
    SILENCE = "silence"  # on duty without fixes
    ABSENCE = "absence"  # expected at a site and not present
    MOCK = "mock"  # the device reports mocked positions


class Fix(Base):
    """One measured position: once per device and time, for as long as the retention says.

    Without coordinates it is a heartbeat: the device was on, and its position unknown or withheld. Partitioned by day.
    Units: degrees WGS 84, metres, metres per second, degrees from true north, percent.
    """

    __tablename__ = "fix"
    __table_args__ = (
        Index("ix_fix_at", "at", postgresql_using="brin"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID]
    account_id: Mapped[UUID]
    lat: Mapped[float | None] = mapped_column(Double)
    lon: Mapped[float | None] = mapped_column(Double)
    accuracy_m: Mapped[float | None] = mapped_column(REAL)
    speed_mps: Mapped[float | None] = mapped_column(REAL)
    heading_deg: Mapped[float | None] = mapped_column(REAL)
    altitude_m: Mapped[float | None] = mapped_column(REAL)
    battery_pct: Mapped[float | None] = mapped_column(REAL)
    skew_s: Mapped[float | None] = mapped_column(REAL)
    """How far the device's clock was behind ours when it sent this, if reported."""
    charging: Mapped[bool | None]
    mock: Mapped[bool | None]
    """Whether the device reports the position as mocked."""
    source: Mapped[int] = mapped_column(SmallInteger)
    received_at: Mapped[datetime]


class Whereabouts(Base):
    """Last position of a guard on duty: the latest fix by its own time. Deleted with the duty."""

    __tablename__ = "whereabouts"
    __table_args__ = (
        Index("ix_whereabouts_dirty", "duty_id", postgresql_where=text("dirty_from IS NOT NULL")),
        {"postgresql_with": {"fillfactor": "50"}},
    )

    duty_id: Mapped[UUID] = mapped_column(ForeignKey("duty.id"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    number: Mapped[int]
    at: Mapped[datetime | None]
    lat: Mapped[float | None] = mapped_column(Double)
    lon: Mapped[float | None] = mapped_column(Double)
    accuracy_m: Mapped[float | None] = mapped_column(REAL)
    speed_mps: Mapped[float | None] = mapped_column(REAL)
    heading_deg: Mapped[float | None] = mapped_column(REAL)
    battery_pct: Mapped[float | None] = mapped_column(REAL)
    site_id: Mapped[UUID | None]
    """The site whose geofence contains the position; clients see a guard nowhere else."""
    received_at: Mapped[datetime | None]
    over: Mapped[bool] = mapped_column(default=False)
    """Whether the duty has ended: late fixes are still accepted, and not shown."""
    heard: Mapped[int] = mapped_column(default=0)
    """Counter of updates: raised whenever fixes come in."""
    dirty_from: Mapped[datetime | None]
    """The earliest fix that is not evaluated yet."""


class Presence(Base, Owned):
    """Something that positions prove about a guard on duty: a stay, a dwell, silence, absence or mocked positions."""

    __tablename__ = "presence"
    __table_args__ = (
        Index(None, "duty_id", "kind", "from_at"),
        Index(
            "ix_presence_open", "account_id", "site_id", postgresql_where=text("until_at IS NULL")
        ),
    )

    duty_id: Mapped[UUID] = mapped_column(ForeignKey("duty.id"))
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"))
    kind: Mapped[Kind]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]
    fixes: Mapped[list[datetime]] = mapped_column(ARRAY(TIMESTAMP(timezone=True)))
    """The times of the fixes that prove the beginning."""
    lapsed: Mapped[bool] = mapped_column(default=False)
    """Whether a stay ended because no fix proves it any longer, not because one disproves it."""


class Watched(Base):
    """State of the evaluation of a duty's fixes; the row is locked while the duty is evaluated."""

    __tablename__ = "watched_duty"
    __table_args__ = (Index(None, "next_check_at"),)

    duty_id: Mapped[UUID] = mapped_column(ForeignKey("duty.id"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    upto_at: Mapped[datetime | None]
    memory: Mapped[JSON]
    next_check_at: Mapped[datetime | None]
    """When the result changes without a new fix."""
