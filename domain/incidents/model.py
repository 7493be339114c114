"""Rows: incidents of all kinds, their updates, and their pauses."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, query_expression

from domain.agreements.model import Priority, TicketKind
from domain.core import short_numbers
from domain.core.base import Base, Owned, Versioned
from domain.core.short_numbers import Number


class Status(StrEnum):
    """Status of an incident in its lifecycle."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    RESOLVED = "resolved"
    CLOSED = "closed"


OPEN = frozenset({Status.NEW, Status.ACKNOWLEDGED, Status.IN_PROGRESS, Status.PAUSED})


class Source(StrEnum):
    """Type of person or system that reported an incident."""

    GUARD = "guard"
    CLIENT = "client"
    SYSTEM = "system"
    PARTNER = "partner"
    ALARM_CENTRE = "alarm_centre"


class IncidentOutcome(StrEnum):
    """Outcome of an incident: the way in which it ended."""

    SOLVED = "solved"
    FALSE_ALARM = "false_alarm"
    CALLED_OFF = "called_off"
    DUPLICATE = "duplicate"


CALLED_OFF = frozenset({IncidentOutcome.CALLED_OFF, IncidentOutcome.DUPLICATE})
"""Outcomes after which the remaining promises are not needed."""


class PauseCause(StrEnum):
    """Cause for which a clock may be paused. There is no 'other': a pause always has a cause."""

    WAITING_ON_CLIENT = "waiting_on_client"
    ACCESS_DENIED = "access_denied"
    FORCE_MAJEURE = "force_majeure"


class Incident(Base, Owned, Versioned):
    """Incident or request at a client's site; its promises run clocks."""

    __tablename__ = "incident"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        # An external number belongs to its sender and to one account: no other sender or account can use or find it.
        Index(
            "uq_incident_external",
            "account_id",
            "external_sender",
            "external_source",
            "external_id",
            unique=True,
            postgresql_where=text("external_id IS NOT NULL"),
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_incident_external_id", "tenant_id", "external_id"),
        CheckConstraint(
            "external_id IS NULL OR external_sender IS NOT NULL", name="external_has_sender"
        ),
        CheckConstraint("occurred_at <= opened_at", name="occurred_before_told"),
        CheckConstraint("acknowledged_at >= opened_at", name="acknowledged_after_opened"),
        CheckConstraint("arrived_at >= opened_at", name="arrived_after_opened"),
        CheckConstraint("resolved_at >= opened_at", name="resolved_after_opened"),
        CheckConstraint("closed_at >= opened_at", name="closed_after_opened"),
        Index(None, "account_id", "opened_at"),
        *(  # KPIs over all accounts
            Index(None, "tenant_id", instant)
            for instant in ("opened_at", "acknowledged_at", "resolved_at")
        ),
        Index(
            "ix_incident_assignee",
            "assignee_id",
            "opened_at",
            postgresql_where=text("assignee_id IS NOT NULL"),
        ),
        Index(
            "ix_incident_open",
            "tenant_id",
            "opened_at",
            postgresql_where=text("status <> 'closed'"),
        ),
    )

    number: Mapped[Number]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    kind: Mapped[TicketKind] = mapped_column(default=TicketKind.INCIDENT)
    category: Mapped[str | None]
    service: Mapped[str | None]  # that it concerns, such as reception; null: not stated
    priority: Mapped[Priority]
    source: Mapped[Source]
    reporter: Mapped[str]
    summary: Mapped[str]
    status: Mapped[Status] = mapped_column(default=Status.NEW)
    opened_at: Mapped[datetime]  # when it was told
    occurred_at: Mapped[datetime | None]  # when it happened, as somebody stated; null: not stated
    agreed_at: Mapped[datetime | None]  # the date agreed for this incident
    acknowledged_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    outcome: Mapped[
        IncidentOutcome | None
    ]  # null while open, and for incidents resolved before outcomes were recorded
    closed_at: Mapped[datetime | None]
    reopened_count: Mapped[int] = mapped_column(default=0)
    reassigned_count: Mapped[int] = mapped_column(default=0)
    client_contact_count: Mapped[int] = mapped_column(default=0)
    assignee_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("app_user.id")
    )  # the user who handles the incident
    external_sender: Mapped[str | None]  # owner of the number: "key:<id>", "staff" or "import"
    external_source: Mapped[str | None]
    external_id: Mapped[str | None]
    watched_due_at: Mapped[datetime | None] = query_expression()
    """When the next promise of the incident is due; only in lists that are ordered by it."""

    @property
    def reference(self) -> str:
        """The number in its spoken form, such as `INC-000123`."""
        return short_numbers.format_number(short_numbers.INCIDENT, self.number)


class IncidentUpdate(Base, Owned):
    """One update of an incident; the client sees it when `client_visible`."""

    __tablename__ = "incident_update"
    __table_args__ = (
        Index(None, "incident_id", "at"),
        Index(
            "ix_incident_update_unread", "tenant_id", "id", postgresql_where=text("words_unread")
        ),
    )

    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    at: Mapped[datetime]
    author: Mapped[str]
    body: Mapped[str]
    client_visible: Mapped[bool]
    words_unread: Mapped[bool] = mapped_column(default=False)  # a client wrote it; no sentiment yet


class Pause(Base, Owned):
    """Period in which an incident's clocks were paused, and the cause."""

    __tablename__ = "incident_pause"
    __table_args__ = (
        CheckConstraint("until_at >= from_at", name="until_after_from"),
        Index(
            "uq_incident_pause_one_running",
            "incident_id",
            unique=True,
            postgresql_where=text("until_at IS NULL"),
        ),
        Index(None, "incident_id", "from_at"),
    )

    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]
    cap_at: Mapped[datetime]  # when the incident's pause allowance is used up
    cause: Mapped[PauseCause]
    note: Mapped[str | None]
    resumed_status: Mapped[Status]
