"""Rows: commitments with their owner and due time."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Versioned


class CommitmentKind(StrEnum):
    """What a commitment was made for, such as an action item of a meeting."""

    ACTION_ITEM = "action_item"
    IMPROVEMENT = "improvement"
    FOLLOW_UP = "follow_up"
    AGENDA = "agenda"
    SUMMARY = "summary"
    MILESTONE = "milestone"
    PLAYBOOK_TASK = "playbook_task"


class CommitmentState(StrEnum):
    """State of a commitment; `late` once the due time has passed, done or not."""

    OPEN = "open"
    KEPT = "kept"
    LATE = "late"
    WITHDRAWN = "withdrawn"


class Commitment(Base, Owned, Versioned):
    """A commitment of one user of the company to a client. Its due time never changes; withdraw it and make another.

    An internal one is not shown to the client.
    """

    __tablename__ = "commitment"
    __table_args__ = (
        CheckConstraint("due_at > made_at", name="due_after_made"),
        CheckConstraint("(done_at IS NULL) = (done_by IS NULL)", name="done_is_whole"),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)", name="withdrawal_has_reason"
        ),
        CheckConstraint("done_at IS NULL OR withdrawn_at IS NULL", name="done_or_withdrawn"),
        Index(None, "account_id", "due_at"),
        Index(None, "owner_id", "due_at"),
        Index(
            "ix_commitment_open",
            "tenant_id",
            "due_at",
            postgresql_where=text("done_at IS NULL AND withdrawn_at IS NULL AND late_at IS NULL"),
        ),
    )

    kind: Mapped[CommitmentKind]
    words: Mapped[str]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    meeting_id: Mapped[UUID | None] = mapped_column(ForeignKey("meeting.id"), index=True)
    internal: Mapped[bool] = mapped_column(default=False)
    made_at: Mapped[datetime]
    due_at: Mapped[datetime]  # late from the instant after it on
    late_at: Mapped[datetime | None]  # found: not done by then
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None]
    note: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str | None]

    @property
    def state(self) -> CommitmentState:
        """The state, as far as the due time was looked at."""
        if self.withdrawn_at is not None:
            return CommitmentState.WITHDRAWN
        if self.late_at is not None:
            return CommitmentState.LATE
        return CommitmentState.OPEN if self.done_at is None else CommitmentState.KEPT
