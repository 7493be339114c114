"""Idempotency keys: the same key with the same payload gets the same answer, and one effect."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from domain.base import JSON, Base


class Answer(Base):
    """What a verb answered under a key: the payload's hash, and the row or refusal it gave."""

    __tablename__ = "idempotency"
    __table_args__ = (Index(None, "answered_at"),)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    payload_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    answer: Mapped[JSON]
    answered_at: Mapped[datetime]
