"""Rows: crises of clients, from when until when, and the condition that one lasts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, Index, exists, text
from sqlalchemy.orm import InstrumentedAttribute, Mapped

from domain.core.base import Base, Owned, Versioned


class Crisis(Base, Owned, Versioned):
    """A time in which a client is left alone with surveys and marketing, because something serious happened."""

    __tablename__ = "crisis"
    __table_args__ = (
        CheckConstraint("ended_at >= began_at", name="ended_after_began"),
        Index(
            "uq_crisis_open", "account_id", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
    )

    reason: Mapped[str]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


def in_crisis(account_id: InstrumentedAttribute[UUID] | Any) -> ColumnElement[bool]:
    """Return the condition that a crisis of an account lasts."""
    return exists().where(Crisis.account_id == account_id, Crisis.ended_at.is_(None))
