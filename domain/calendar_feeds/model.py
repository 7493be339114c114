"""Rows: links to calendars of shifts, of one guard or of one site."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Tenanted


class CalendarFeed(Base, Tenanted):
    """A link to the shifts of a guard or of a site in iCalendar format; who has it reads them until it is revoked."""

    __tablename__ = "calendar_feed"
    __table_args__ = (
        CheckConstraint("(user_id IS NULL) <> (site_id IS NULL)", name="of_guard_or_site"),
        CheckConstraint("(site_id IS NULL) = (account_id IS NULL)", name="site_has_account"),
    )

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"), index=True)
    added_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
