"""Rows: entries of the RAID log."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Versioned


class RaidKind(StrEnum):
    """Kind of an entry of the RAID log."""

    RISK = "risk"
    ACTION = "action"
    ISSUE = "issue"
    DECISION = "decision"


class RaidEntry(Base, Owned, Versioned):
    """A risk, an action, an issue or a decision. An internal one is not shown to the client."""

    __tablename__ = "raid_entry"
    __table_args__ = (
        CheckConstraint(
            "impact BETWEEN 1 AND 5 AND likelihood BETWEEN 1 AND 5", name="one_to_five"
        ),
        CheckConstraint(
            "kind <> 'risk' OR (impact IS NOT NULL AND likelihood IS NOT NULL)",
            name="risk_is_assessed",
        ),
        CheckConstraint(
            "(kind = 'decision') = (rationale IS NOT NULL)", name="decision_has_rationale"
        ),
        CheckConstraint("(kind = 'action') = (commitment_id IS NOT NULL)", name="action_is_made"),
        CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="closing_has_outcome"),
        Index(None, "account_id", "raised_at"),
        Index(
            "ix_raid_entry_reviewed_next",
            "tenant_id",
            "review_due_at",
            postgresql_where=text(
                "closed_at IS NULL AND review_late_at IS NULL AND review_due_at IS NOT NULL"
            ),
        ),
    )

    kind: Mapped[RaidKind]
    words: Mapped[str]
    impact: Mapped[int | None]
    likelihood: Mapped[int | None]
    rationale: Mapped[str | None]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    commitment_id: Mapped[UUID | None] = mapped_column(ForeignKey("commitment.id"))
    meeting_id: Mapped[UUID | None] = mapped_column(ForeignKey("meeting.id"), index=True)
    internal: Mapped[bool] = mapped_column(default=False)
    raised_at: Mapped[datetime]
    reviewed_at: Mapped[datetime]  # raising an entry is its first review
    review_due_at: Mapped[datetime | None]  # None: issues, decisions and closed entries
    review_late_at: Mapped[datetime | None]  # found: not reviewed by then
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]

    @property
    def score(self) -> int | None:
        """Impact × likelihood; None where one of them is not assessed."""
        if self.impact is None or self.likelihood is None:
            return None
        return self.impact * self.likelihood
