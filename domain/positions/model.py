"""Rows: fixes by day, where everybody on duty is now, what their positions prove, and how far that was judged."""

from datetime import datetime
from enum import IntEnum, StrEnum
from uuid import UUID

from sqlalchemy import Double, ForeignKey, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY, REAL, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import JSON, Base, Owned


class FixSource(IntEnum):
    """What sent a fix; a number, because it is stored with every fix."""

    BATCH = 1
    GRAPHQL = 2
    TRACCAR = 3
    OSMAND = 4
    OWNTRACKS = 5
    GPSLOGGER = 6


class Kind(StrEnum):
    """What positions prove."""

    STAY = "stay"  # inside a site's fence
    DWELL = "dwell"  # standing still, wherever
    SILENCE = "silence"  # on duty, and no fix comes
    ABSENCE = "absence"  # expected at a site, and not there
    MOCK = "mock"  # the device says that its positions are made up


class Fix(Base):
    """One measured position: once per device and instant, for as long as the retention says.

    Without a place it is a sign of life: the device was on, and did not know or say where it was.
    Partitioned by day. Units: degrees WGS 84, metres, metres a second, degrees from true north, percent.
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
    """How far the device's clock was behind ours when it sent this, where it said."""
    charging: Mapped[bool | None]
    mock: Mapped[bool | None]
    """Whether the device itself says that the position is made up."""
    source: Mapped[int] = mapped_column(SmallInteger)
    received_at: Mapped[datetime]


class Whereabouts(Base):
    """Where a guard on duty is now: the latest fix by its own instant, whatever came in later. Gone with the duty."""

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
    """The site in whose fence that is; clients see a guard nowhere else."""
    received_at: Mapped[datetime | None]
    over: Mapped[bool] = mapped_column(default=False)
    """Whether the duty has ended: late fixes are still taken, and show nothing."""
    heard: Mapped[int] = mapped_column(default=0)
    """Raised whenever fixes come in."""
    dirty_from: Mapped[datetime | None]
    """The earliest fix that nobody has judged yet."""


class Presence(Base, Owned):
    """Something positions prove about a guard on duty: being in a place, standing still, silent, absent."""

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
    """The instants of the fixes that prove the beginning."""
    lapsed: Mapped[bool] = mapped_column(default=False)
    """Whether a stay ended because no fix proves it any longer, not because one disproves it."""


class Watched(Base):
    """How far a duty's fixes have been judged: the automata's memory, locked by who judges."""

    __tablename__ = "watched_duty"
    __table_args__ = (Index(None, "next_check_at"),)

    duty_id: Mapped[UUID] = mapped_column(ForeignKey("duty.id"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    upto_at: Mapped[datetime | None]
    memory: Mapped[JSON]
    next_check_at: Mapped[datetime | None]
    """When something changes by the mere passing of time."""
