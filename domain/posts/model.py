"""Rows: posts at sites, the versions of their orders, and the acknowledgements of guards."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Versioned


class Post(Base, Owned, Versioned):
    """A position at a site that guards staff: the service, what it requires, and how many guards at a time."""

    __tablename__ = "post"
    __table_args__ = (
        UniqueConstraint("site_id", "name"),
        CheckConstraint("headcount BETWEEN 1 AND 100", name="headcount_1_to_100"),
        CheckConstraint("valid_until_on >= valid_from_on", name="valid_until_after_from"),
    )

    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    name: Mapped[str]
    service: Mapped[str]
    qualifications: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), default=list
    )
    headcount: Mapped[int] = mapped_column(default=1)
    valid_from_on: Mapped[date]
    valid_until_on: Mapped[date | None]  # the last day


class PostOrders(Base, Owned):
    """One version of the orders of a post; a version never changes."""

    __tablename__ = "post_orders"
    __table_args__ = (UniqueConstraint("post_id", "number"),)

    post_id: Mapped[UUID] = mapped_column(ForeignKey("post.id"))
    number: Mapped[int]
    body: Mapped[str]
    issued_at: Mapped[datetime]


class OrdersAcknowledgement(Base, Owned):
    """A guard read a version of the orders of a post."""

    __tablename__ = "orders_acknowledgement"
    __table_args__ = (UniqueConstraint("orders_id", "user_id"),)

    orders_id: Mapped[UUID] = mapped_column(ForeignKey("post_orders.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    acknowledged_at: Mapped[datetime]
