"""Rows: promises of incidents. A row is the kernel's result for one interval of one incident, stored for reading."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.agreements.model import Priority, PromiseKind
from domain.core.base import Base, Owned


class State(StrEnum):
    """State of a promise and its clock. `kept` and `late` are verdicts."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    AT_RISK = "at_risk"
    KEPT = "kept"
    LATE = "late"
    CANCELLED = "cancelled"


UNDER_WAY = (State.RUNNING, State.AT_RISK)
"""States in which the clock of a promise runs and no verdict exists."""


class PromiseWatch(Base, Owned):
    """The promises that were pinned when an incident was opened, and when to evaluate it next.

    It holds the earliest announced due time of the open promises: of all of them, and of those to the client. Lists of
    incidents are ordered by it.

    Its row is locked while the incident's promises are evaluated, so that two evaluations never run at once.
    """

    __tablename__ = "promise_watch"
    __table_args__ = (
        Index(
            "ix_promise_watch_due",
            "tenant_id",
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
    """One promise of one incident: its due time, elapsed time and verdict.

    `part` counts the intervals of a next-update promise (each client-visible update starts one); 0 for others.
    Durations are microseconds on the promise's calendar, as of `evaluated_at`.
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
    held: Mapped[bool] = mapped_column(default=False)  # the clock is paused, whatever the state
    started_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]  # late from this time on
    announced_due_at: Mapped[
        datetime | None
    ]  # the due time that people see; null unless the clock runs
    decided_at: Mapped[datetime | None]
    target_us: Mapped[int]
    elapsed_us: Mapped[int] = mapped_column(default=0)
    paused_us: Mapped[int] = mapped_column(default=0)
    warned: Mapped[int] = mapped_column(default=0)  # number of warning thresholds that have passed
    next_check_at: Mapped[datetime | None]  # when state or warnings change without a new fact
    evaluated_at: Mapped[datetime]
    evaluator: Mapped[int]
