"""Rows: playbooks of a company, their runs for accounts, and the tasks of a run."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.account_teams.model import TeamRole
from domain.core.base import Base, Owned, Tenanted, Versioned


class PlaybookTrigger(StrEnum):
    """Kind of event that opens a playbook for an account."""

    BAND = "band"
    WARNING = "warning"
    DATE = "date"
    KPI = "kpi"


class PlaybookDate(StrEnum):
    """Date of an account that a playbook counts back from."""

    NOTICE_DATE = "notice_date"
    TERM_END = "term_end"
    ANNIVERSARY = "anniversary"


class PlayOutcome(StrEnum):
    """What a run of a playbook came to."""

    RESOLVED = "resolved"
    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    CLIENT_LEFT = "client_left"
    NOT_NEEDED = "not_needed"
    EXPIRED = "expired"


class PlayTaskState(StrEnum):
    """State of a task of a run."""

    WAITING = "waiting"
    WITHOUT_OWNER = "without_owner"
    OPEN = "open"
    LATE = "late"
    DONE = "done"
    SKIPPED = "skipped"


class Playbook(Base, Tenanted, Versioned):
    """What a company does when something happens with an account; one that is in use for each trigger."""

    __tablename__ = "playbook"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        Index(
            "uq_playbook_trigger",
            "tenant_id",
            "trigger",
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
        ),
        CheckConstraint("days_before BETWEEN 0 AND 730", name="days_before_range"),
    )

    name: Mapped[str]
    trigger_kind: Mapped[PlaybookTrigger]
    trigger_value: Mapped[str]  # band, rule, date or KPI
    days_before: Mapped[int] = mapped_column(default=0)
    trigger: Mapped[str]  # the three together
    content: Mapped[list[Any]] = mapped_column(JSONB)  # the tasks, as plain values
    set_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    looked_at: Mapped[datetime | None]  # when accounts were last searched for a date or a KPI


class PlaybookRun(Base, Owned, Versioned):
    """One use of a playbook for an account, from its opening to its outcome.

    Unique constraints make it exist once: one is open for each trigger and account, and an occurrence opens one.
    """

    __tablename__ = "playbook_run"
    __table_args__ = (
        Index(
            "uq_playbook_run_open",
            "account_id",
            "trigger",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        UniqueConstraint("account_id", "trigger", "occurrence"),
        CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="end_has_outcome"),
        CheckConstraint("closed_at >= opened_at", name="closed_after_opened"),
        Index(None, "tenant_id", "opened_at"),
    )

    playbook_id: Mapped[UUID] = mapped_column(ForeignKey("playbook.id"), index=True)
    trigger: Mapped[str]
    occurrence: Mapped[str]
    fact_id: Mapped[int | None]  # the fact that opened it, as number of the ledger's table
    opened_at: Mapped[datetime]
    opened_by: Mapped[str]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[PlayOutcome | None]
    closing_note: Mapped[str | None]


class PlaybookTask(Base, Owned):
    """A task of a run: a commitment from when the tasks before it are finished."""

    __tablename__ = "playbook_task"
    __table_args__ = (
        UniqueConstraint("run_id", "key"),
        UniqueConstraint("commitment_id"),
        Index("ix_playbook_task_waiting", "run_id", postgresql_where=text("commitment_id IS NULL")),
    )

    run_id: Mapped[UUID] = mapped_column(ForeignKey("playbook_run.id"), index=True)
    position: Mapped[int]
    key: Mapped[str]
    words: Mapped[str]
    wanted: Mapped[str]
    owner_role: Mapped[TeamRole]
    working_days: Mapped[int]
    depends_on: Mapped[list[str]] = mapped_column(ARRAY(Text))
    unowned_since: Mapped[datetime | None]  # its turn came, and nobody had its role
    commitment_id: Mapped[UUID | None] = mapped_column(ForeignKey("commitment.id"))
