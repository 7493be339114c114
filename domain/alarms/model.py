"""Rows: alarm systems at sites, alarms of alarm centres with their response, and keys of sites with their history."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import JSON, Base, Owned, Versioned
from domain.evidence import Grade


class AlarmKind(StrEnum):
    """Kind of alarm, by what the sensor is for."""

    BURGLARY = "burglary"
    HOLD_UP = "hold_up"
    FIRE = "fire"
    MEDICAL = "medical"
    WATER = "water"
    TECHNICAL = "technical"
    OTHER = "other"


class AlarmState(StrEnum):
    """How far the response to an alarm is."""

    RECEIVED = "received"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    EN_ROUTE = "en_route"
    ON_SITE = "on_site"
    INSPECTED = "inspected"
    REPORTED = "reported"
    CALLED_OFF = "called_off"


class AlarmOutcome(StrEnum):
    """What the response to an alarm found."""

    CONFIRMED = "confirmed"
    NOTHING_FOUND = "nothing_found"
    FALSE_ALARM = "false_alarm"


class FalseAlarmCause(StrEnum):
    """What set an alarm off, where nothing was wrong."""

    USER_ERROR = "user_error"
    DEFECT = "defect"
    WEATHER = "weather"
    ANIMAL = "animal"
    CLEANING = "cleaning"
    UNKNOWN = "unknown"


class KeyMovementKind(StrEnum):
    """Direction in which a key of a site changed hands."""

    ISSUED = "issued"
    RETURNED = "returned"


BEFORE_ARRIVAL = (
    AlarmState.RECEIVED,
    AlarmState.DISPATCHED,
    AlarmState.ACCEPTED,
    AlarmState.EN_ROUTE,
)
"""States before somebody is on site."""
ENDED = (AlarmState.REPORTED, AlarmState.CALLED_OFF)


class AlarmSystem(Base, Owned, Versioned):
    """An alarm system at a site, under the number by which one alarm centre knows it."""

    __tablename__ = "alarm_system"
    __table_args__ = (
        Index(
            "uq_alarm_system_in_use",
            "key_id",
            "number",
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
        ),
    )

    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"), index=True)
    key_id: Mapped[UUID] = mapped_column(ForeignKey("api_key.id"))  # of the alarm centre
    number: Mapped[str]  # upper case
    zones: Mapped[list[JSON]] = mapped_column(JSONB, default=list)  # `number` and `name` of each
    qualifications: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    checklist: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    retired_at: Mapped[datetime | None]


class Alarm(Base, Owned, Versioned):
    """An alarm that a sender reported, and the response to it; it has an incident of its own."""

    __tablename__ = "alarm"
    __table_args__ = (
        UniqueConstraint("tenant_id", "sender", "sender_number"),
        CheckConstraint(
            "(state = 'reported') = (reported_at IS NOT NULL)",
            name="reported_at",
        ),
        CheckConstraint(
            "(false_alarm_cause IS NOT NULL) = (outcome IS NOT DISTINCT FROM 'false_alarm')",
            name="false_alarm_has_cause",
        ),
        CheckConstraint("(police_number IS NULL) = (police_at IS NULL)", name="police_is_whole"),
        Index(
            "uq_alarm_one_of_guard",
            "user_id",
            unique=True,
            postgresql_where=text(
                "state IN ('dispatched', 'accepted', 'en_route', 'on_site', 'inspected')"
            ),
        ),
        Index(None, "site_id", "received_at"),
        Index(None, "tenant_id", "received_at"),
    )

    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), unique=True)
    system_id: Mapped[UUID | None] = mapped_column(ForeignKey("alarm_system.id"))
    sender: Mapped[str]  # "key:<id>", "staff", or "user:<id>" of staff limited to some accounts
    sender_number: Mapped[str]
    kind: Mapped[AlarmKind]
    event_code: Mapped[str | None]
    zone: Mapped[str | None]
    zone_name: Mapped[str | None]
    details: Mapped[str | None]
    happened_at: Mapped[datetime | None]  # as the sender says
    received_at: Mapped[datetime]
    state: Mapped[AlarmState] = mapped_column(default=AlarmState.RECEIVED)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    number: Mapped[int | None]  # the client's number of the guard
    dispatched_at: Mapped[datetime | None]
    distance_m: Mapped[int | None]  # straight, when the guard was dispatched
    arrives_at: Mapped[datetime | None]  # as computed then, or as the guard says
    accepted_at: Mapped[datetime | None]
    en_route_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    arrival_grade: Mapped[Grade | None]
    inspected_at: Mapped[datetime | None]
    inspection: Mapped[list[JSON]] = mapped_column(JSONB, default=list)
    reported_at: Mapped[datetime | None]
    outcome: Mapped[AlarmOutcome | None]
    false_alarm_cause: Mapped[FalseAlarmCause | None]
    report: Mapped[str | None]
    called_off_at: Mapped[datetime | None]
    police_number: Mapped[str | None]
    police_at: Mapped[datetime | None]


class RegisteredKey(Base, Owned):
    """A key, card or code carrier of a site that the company keeps."""

    __tablename__ = "registered_key"
    __table_args__ = (
        Index(
            "uq_registered_key_label",
            "site_id",
            "label",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    label: Mapped[str]
    registered_at: Mapped[datetime]
    holder_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))  # None: in the safe
    withdrawn_at: Mapped[datetime | None]


class KeyMovement(Base, Owned):
    """A key was issued to a person, or came back; a movement never changes."""

    __tablename__ = "key_movement"
    __table_args__ = (Index(None, "key_id", "moved_at"),)

    key_id: Mapped[UUID] = mapped_column(ForeignKey("registered_key.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    kind: Mapped[KeyMovementKind]
    moved_at: Mapped[datetime]
