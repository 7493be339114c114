"""The outbox: one row a consequence, unique by (fact, job); pending work lives here, Redis only hurries it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.base import Base, Tenanted


class OutboxState(StrEnum):
    """How far a consequence came."""

    PENDING = "pending"
    DONE = "done"
    DEAD = "dead"


class Outbox(Base, Tenanted):
    """One consequence of one fact, to be executed once."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("fact_id", "job"),
        Index("ix_outbox_due", "due_at", postgresql_where=text("state = 'pending'")),
    )

    fact_id: Mapped[int] = mapped_column(ForeignKey("ledger.id"))
    job: Mapped[str]
    state: Mapped[OutboxState] = mapped_column(default=OutboxState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    error: Mapped[str | None]
