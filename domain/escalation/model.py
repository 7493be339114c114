"""Rows: policies with their steps, the escalation of each incident, and every step that was taken."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Tenanted, Versioned


class Cycle(StrEnum):
    """Reason for which an incident is escalated."""

    UNACKNOWLEDGED = "unacknowledged"  # nobody acknowledged the incident
    STALE = "stale"  # it was acknowledged, and its next update is overdue
    MANAGEMENT = "management"  # it has been open for too long (`parameters.MANAGEMENT_AFTER`)


class EscalationPolicy(Base, Tenanted, Versioned):
    """Who is notified after how long; for one account, or for all accounts without a policy of their own."""

    __tablename__ = "escalation_policy"
    __table_args__ = (
        CheckConstraint("repeat_minutes > 0", name="repeat_takes_time"),
        CheckConstraint("stale_minutes > 0", name="stale_takes_time"),
    )

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str]
    priorities: Mapped[list[str]] = mapped_column(ARRAY(Text))  # empty: all
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)  # of `rules.StepDraft`, in order
    repeat_minutes: Mapped[int | None]  # repeat the last step at this interval; null: no repeat
    stale_minutes: Mapped[int | None]  # where no next update is promised; null: never stale then
    warn_percents: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Escalation(Base, Owned):
    """Escalation of one incident; the next step is taken at `next_step_at`."""

    __tablename__ = "escalation"
    __table_args__ = (
        Index(
            "ix_escalation_due",
            "tenant_id",
            "next_step_at",
            postgresql_where=text("next_step_at IS NOT NULL"),
        ),
    )

    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), unique=True)
    policy_id: Mapped[UUID | None] = mapped_column(ForeignKey("escalation_policy.id"))
    cycle: Mapped[Cycle | None]  # null: no escalation
    since: Mapped[datetime | None]  # start of the cycle's minutes
    taken: Mapped[int] = mapped_column(default=0)  # steps of this cycle, including repeats
    next_step_at: Mapped[datetime | None]
    management_at: Mapped[datetime | None]  # when management was first notified


class EscalationStep(Base, Owned):
    """A step that was taken: when it was due, when it was taken, and who was notified."""

    __tablename__ = "escalation_step"
    __table_args__ = (UniqueConstraint("escalation_id", "cycle", "since", "number"),)

    escalation_id: Mapped[UUID] = mapped_column(ForeignKey("escalation.id"))
    cycle: Mapped[Cycle]
    since: Mapped[datetime]
    number: Mapped[int]  # from 0; beyond the policy's last step, a repeat of it
    due_at: Mapped[datetime]
    taken_at: Mapped[datetime]
    user_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    contact_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
