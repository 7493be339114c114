"""Rows: what the company knows of a user as a guard. Clients never see them."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Tenanted, Versioned


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
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), unique=True)
    employee_number: Mapped[str | None]
    pass_colour: Mapped[PassColour | None]
    pass_expires_on: Mapped[date | None]  # the last day on which it is valid
    languages: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), default=list
    )
    contract_minutes: Mapped[int | None]  # agreed working time a week


class Qualification(Base, Tenanted):
    """A qualification that a guard holds, until its last day or without end."""

    __tablename__ = "qualification"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    name: Mapped[str]  # as posts require it
    expires_on: Mapped[date | None]  # the last day on which it is valid
