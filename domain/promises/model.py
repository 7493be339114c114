"""Rows: promises on the clock. A row is the kernel's answer about one stretch of one ticket, kept for reading."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.agreements.model import Priority, PromiseKind
from domain.core.base import Base, Owned


class State(StrEnum):
    """How a promise stands. `kept` and `late` are verdicts."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    AT_RISK = "at_risk"
    KEPT = "kept"
    LATE = "late"
    CANCELLED = "cancelled"


UNDER_WAY = (State.RUNNING, State.AT_RISK)
"""States in which the clock of a promise runs and nothing is decided."""


class PromiseWatch(Base, Owned):
    """Which promises hold for a ticket, pinned when it was opened, and when to look at it next.

    It remembers when the first of the promises that are under way is due, as people are told: of all of them, and of
    those to the client. Lists of tickets are ordered by it.

    Its row is locked while the ticket's promises are judged: two judges never meet.
    """

    __tablename__ = "promise_watch"
    __table_args__ = (
        Index(
            "ix_promise_watch_due",
            "next_check_at",
            postgresql_where=text("next_check_at IS NOT NULL"),
        ),
        *(
            Index(
                f"ix_promise_watch_{name}",
                "tenant_id",
                name,
                "incident_id",
                postgresql_where=text(f"{name} IS NOT NULL"),
            )
            for name in ("first_due_at", "client_due_at")
        ),
    )

    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), unique=True)
    term_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    next_check_at: Mapped[datetime | None]
    first_due_at: Mapped[datetime | None]
    client_due_at: Mapped[datetime | None]


class Promise(Base, Owned):
    """One promise about one ticket: due when, how much time has run, kept or late.

    `part` counts the intervals of a next-update promise (each client-visible update starts one); 0 for others.
    Time is microseconds on the promise's calendar, as of `evaluated_at`.
    """

    __tablename__ = "promise"
    __table_args__ = (
        UniqueConstraint("incident_id", "term_id", "part"),
        CheckConstraint("elapsed_us >= 0 AND paused_us >= 0", name="time_not_negative"),
        CheckConstraint(
            "(state IN ('kept', 'late')) = (decided_at IS NOT NULL)", name="verdict_has_instant"
        ),
        Index(
            "ix_promise_late", "tenant_id", "decided_at", postgresql_where=text("state = 'late'")
        ),
        Index(None, "evaluator"),
        Index(
            "ix_promise_announced_due",
            "tenant_id",
            "announced_due_at",
            "id",
            postgresql_where=text("announced_due_at IS NOT NULL"),
        ),
    )

    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    terms_id: Mapped[UUID] = mapped_column(ForeignKey("terms.id"))
    term_id: Mapped[UUID] = mapped_column(ForeignKey("promise_term.id"), index=True)
    part: Mapped[int] = mapped_column(default=0)
    kind: Mapped[PromiseKind]
    name: Mapped[str]
    priority: Mapped[Priority]
    internal: Mapped[bool] = mapped_column(default=False)
    state: Mapped[State]
    held: Mapped[bool] = mapped_column(default=False)  # its time stands still, whatever the state
    started_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]  # late from here on
    announced_due_at: Mapped[datetime | None]  # as people are told it; null unless under way
    decided_at: Mapped[datetime | None]
    target_us: Mapped[int]
    elapsed_us: Mapped[int] = mapped_column(default=0)
    paused_us: Mapped[int] = mapped_column(default=0)
    warned: Mapped[int] = mapped_column(default=0)  # how many warning thresholds have passed
    next_check_at: Mapped[datetime | None]  # when state or warnings change by themselves
    evaluated_at: Mapped[datetime]
    evaluator: Mapped[int]
