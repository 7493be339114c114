"""Rows: working calendars and their versions. A version, once used, never changes."""

from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import JSON, Base, Tenanted


class Calendar(Base, Tenanted):
    """The hours in which a promise's clock runs, under one name with several versions."""

    __tablename__ = "calendar"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str]


class CalendarVersion(Base, Tenanted):
    """The hours as agreed at one time; `spec` is a `CalendarSpec` in JSON."""

    __tablename__ = "calendar_version"
    __table_args__ = (UniqueConstraint("calendar_id", "number"),)

    calendar_id: Mapped[UUID] = mapped_column(ForeignKey("calendar.id"))
    number: Mapped[int]
    spec: Mapped[JSON]
