"""Rows: units under promise and their promises. A promise row is the kernel's result for one interval of one unit."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    UniqueConstraint,
    Uuid,
    text,
)
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


INCIDENT = "incident"
"""The kind of unit that is an incident."""
INCIDENT_ID = "CASE WHEN unit_kind::text = 'incident'::text THEN unit_id ELSE NULL::uuid END"


class PromiseWatch(Base, Owned):
    """A unit under promise: the promises and parameters that were pinned when it began, and when to look next.

    A unit is an incident, a report, or whatever else runs clocks of promises.

    It holds the earliest announced due time of the open promises: of all of them, and of those to the client. Lists of
    incidents are ordered by it.

    Its row is locked while the unit's promises are evaluated, so that two evaluations never run at once.
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
                "unit_id",
                postgresql_where=text(f"{name} IS NOT NULL"),
            )
            for name in ("first_due_at", "client_due_at")
        ),
    )

    unit_kind: Mapped[str]
    unit_id: Mapped[UUID] = mapped_column(unique=True)
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"))  # where the unit is
    began_at: Mapped[datetime]  # the terms in force at this time apply
    term_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    pause_allowance_s: Mapped[int | None]  # parameters in force at that time; null: the default
    warn_percents: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    next_check_at: Mapped[datetime | None]
    first_due_at: Mapped[datetime | None]
    client_due_at: Mapped[datetime | None]


class Promise(Base, Owned):
    """One promise of one unit: its due time, elapsed time and verdict.

    `part` counts the intervals of a next-update promise (each client-visible update starts one); 0 for others.
    Durations are microseconds on the promise's calendar, as of `evaluated_at`.
    """

    __tablename__ = "promise"
    __table_args__ = (
        UniqueConstraint("unit_id", "term_id", "part"),
        CheckConstraint("elapsed_us >= 0 AND paused_us >= 0", name="time_not_negative"),
        CheckConstraint(
            "(state IN ('kept', 'late')) = (decided_at IS NOT NULL)", name="verdict_has_instant"
        ),
        Index(
            "ix_promise_late", "tenant_id", "decided_at", postgresql_where=text("state = 'late'")
        ),
        Index(None, "tenant_id", "decided_at"),  # KPIs over all accounts
        Index(None, "evaluator"),
        Index(
            "ix_promise_announced_due",
            "tenant_id",
            "announced_due_at",
            "id",
            postgresql_where=text("announced_due_at IS NOT NULL"),
        ),
    )

    unit_kind: Mapped[str]
    unit_id: Mapped[UUID]
    incident_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("incident.id"), Computed(INCIDENT_ID, persisted=True)
    )
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
