"""Rows: what proposed terms would have cost on real history, and who signed off that risk."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import JSON, Base, Owned


class Simulation(Base, Owned):
    """Proposed terms simulated on an account's own history: expected compliance and credits of a month."""

    __tablename__ = "simulation"
    __table_args__ = (
        Index(None, "account_id", "terms_sha256"),
        CheckConstraint(
            "(signed_off_by_id IS NULL) = (signed_off_at IS NULL)", name="sign_off_is_whole"
        ),
    )

    terms_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    seed: Mapped[int]
    units: Mapped[int]
    kept: Mapped[int]
    weeks: Mapped[int]
    whole_history: Mapped[bool]  # others are explorations, which no sign-off gate accepts
    p50_cents: Mapped[int]  # credits of a month, median
    p95_cents: Mapped[int]
    limit_cents: Mapped[int]  # above this a month's P95 needs a sign-off
    report: Mapped[JSON]  # per promise and per site
    simulated_at: Mapped[datetime]
    simulated_by: Mapped[str]
    evaluator: Mapped[int]
    signed_off_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))
    signed_off_at: Mapped[datetime | None]
    sign_off_reason: Mapped[str | None]
