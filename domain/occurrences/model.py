"""Rows: entries of the occurrence log, what corrections replaced, and the reports of shifts."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Versioned


class OccurrenceKind(StrEnum):
    """Kind of an entry of the occurrence log."""

    VISITOR = "visitor"
    KEY = "key"
    PARCEL = "parcel"
    DEFECT = "defect"
    OBSERVATION = "observation"
    OTHER = "other"


class OccurrenceEntry(Base, Owned, Versioned):
    """What a guard or dispatcher noted at a site and is no incident. An internal entry is not shown to the client."""

    __tablename__ = "occurrence_entry"
    __table_args__ = (
        Index(None, "account_id", "happened_at"),
        Index(None, "site_id", "happened_at"),
        Index(None, "shift_id", "happened_at"),
        Index(None, "tenant_id", "happened_at"),
    )

    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    shift_id: Mapped[UUID | None] = mapped_column(ForeignKey("shift.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), index=True)  # who wrote
    kind: Mapped[OccurrenceKind]
    words: Mapped[str]
    internal: Mapped[bool] = mapped_column(default=False)
    happened_at: Mapped[datetime]
    logged_at: Mapped[datetime]
    logged_by: Mapped[str]
    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incident.id"), unique=True)


class OccurrenceCorrection(Base, Owned):
    """What an entry said before a correction, and why it was corrected. It never changes."""

    __tablename__ = "occurrence_correction"
    __table_args__ = (UniqueConstraint("entry_id", "place"),)

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("occurrence_entry.id"))
    place: Mapped[int]  # from 1, in the order of the corrections
    earlier_kind: Mapped[OccurrenceKind]
    earlier_words: Mapped[str]
    earlier_internal: Mapped[bool]
    reason: Mapped[str]
    corrected_at: Mapped[datetime]
    corrected_by: Mapped[str]


class ShiftReport(Base, Owned, Versioned):
    """The report of a shift that somebody began: awaited, until the guard signs it. Then it never changes."""

    __tablename__ = "shift_report"
    __table_args__ = (
        UniqueConstraint("shift_id"),
        CheckConstraint(
            "(signed_at IS NULL) = (content IS NULL) AND (signed_at IS NULL) = (signed_by IS NULL)",
            name="signed_has_content",
        ),
        Index(None, "account_id", "due_at"),
        Index(None, "site_id", "due_at"),
    )

    shift_id: Mapped[UUID] = mapped_column(ForeignKey("shift.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), index=True)  # the guard
    due_at: Mapped[datetime]  # the planned end of the shift, from which the promise counts
    handover: Mapped[str | None]
    signed_at: Mapped[datetime | None]
    signed_by: Mapped[str | None]
    by_guard: Mapped[bool | None]
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    content_sha256: Mapped[str | None]
