"""Rows: who is on duty with which device, where and how long."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned


class GuardNumber(Base, Owned):
    """A client's number of a guard: constant for this client, a different one for every other client."""

    __tablename__ = "guard_number"
    __table_args__ = (UniqueConstraint("account_id", "user_id"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    number: Mapped[int]


class Duty(Base, Owned):
    """Duty of a guard for one client with one device; the device's position is recorded only during the duty.

    An exclusion constraint, which models cannot express, refuses overlapping duties of one device.
    """

    __tablename__ = "duty"
    __table_args__ = (
        CheckConstraint("until_at > from_at", name="until_after_from"),
        CheckConstraint("ended_at >= from_at", name="ended_after_from"),
        Index(None, "device_id", "from_at"),
        Index("ix_duty_running", "until_at", postgresql_where=text("ended_at IS NULL")),
    )

    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"))
    """The site where the guard is expected; none for a guard who tours all of the account's sites."""
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"))
    tour: Mapped[str | None]
    """The mobile shift it is part of: only duties of one tour may overlap at different sites."""
    number: Mapped[int]
    """The client's number of the guard (`GuardNumber`)."""
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    grace_s: Mapped[int]
    """How long after the beginning the guard may be on the way to the site."""
    silent_after_s: Mapped[int]
    """After how long without a fix the device counts as silent."""
