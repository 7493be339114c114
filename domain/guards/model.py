"""Rows: what the company knows of a user as a guard. Clients never see them."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Tenanted, Versioned


class PassColour(StrEnum):
    """Colour of the pass that the chief of police issues for private security work (Wpbr)."""

    GREY = "grey"
    BLUE = "blue"
    GREEN = "green"
    YELLOW = "yellow"
    ORANGE = "orange"


class GuardProfile(Base, Tenanted, Versioned):
    """Work profile of a user who guards; a user has one at most."""

    __tablename__ = "guard_profile"
    __table_args__ = (
        UniqueConstraint("tenant_id", "employee_number"),
        CheckConstraint("contract_minutes BETWEEN 0 AND 10080", name="contract_within_week"),
        CheckConstraint("home_lat BETWEEN -90 AND 90", name="home_lat_degrees"),
        CheckConstraint("home_lon BETWEEN -180 AND 180", name="home_lon_degrees"),
        CheckConstraint("(home_lat IS NULL) = (home_lon IS NULL)", name="home_is_whole"),
        CheckConstraint("hour_cost_cents >= 0", name="hour_cost_not_negative"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), unique=True)
    employee_number: Mapped[str | None]
    pass_colour: Mapped[PassColour | None]
    pass_expires_on: Mapped[date | None]  # the last day on which it is valid
    languages: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), default=list
    )
    contract_minutes: Mapped[int | None]  # agreed working time a week
    home_lat: Mapped[float | None]  # to a hundredth of a degree: the region, not the address
    home_lon: Mapped[float | None]
    hour_cost_cents: Mapped[int | None]  # what an hour of work costs the company


class Qualification(Base, Tenanted):
    """A qualification that a guard holds, until its last day or without end."""

    __tablename__ = "qualification"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    name: Mapped[str]  # as posts require it
    expires_on: Mapped[date | None]  # the last day on which it is valid


class GuardBar(Base, Owned):
    """A client does not want a guard at its sites, until the bar is lifted."""

    __tablename__ = "guard_bar"
    __table_args__ = (
        Index(
            "uq_guard_bar_that_stands",
            "account_id",
            "user_id",
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    barred_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
