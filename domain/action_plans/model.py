"""Rows of action plans: what a client said, what is done about it, comments, and the measured effect."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.action_plans.effects import EffectMethod, EffectVerdict
from domain.core.base import Base, Owned, Versioned
from domain.sentiment import Theme


class ActionPriority(StrEnum):
    """Priority of an action plan."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class ActionPlanState(StrEnum):
    """State of the work on an action plan."""

    PLANNED = "planned"
    STARTED = "started"
    DONE = "done"
    DROPPED = "dropped"


class ActionPlan(Base, Owned, Versioned):
    """What a client said in a window, and what the company does about it; the commitment has owner and due time.

    The window that triggered the plan is never its "before": a bad window is followed by a better one by itself.
    """

    __tablename__ = "action_plan"
    __table_args__ = (
        UniqueConstraint("commitment_id"),
        CheckConstraint("trigger_from < trigger_until", name="window_has_days"),
        CheckConstraint("(done_at IS NULL) = (outcome IS NULL)", name="done_has_outcome"),
        CheckConstraint("(dropped_at IS NULL) = (drop_reason IS NULL)", name="drop_has_reason"),
        CheckConstraint("done_at IS NULL OR dropped_at IS NULL", name="done_or_dropped"),
        CheckConstraint("(survey_id IS NULL) = (question IS NULL)", name="measured_by_a_question"),
        Index(None, "account_id", "opened_at"),
        Index(
            "ix_action_plan_measured",
            "tenant_id",
            "look_at",
            postgresql_where=text("look_at IS NOT NULL"),
        ),
    )

    title: Mapped[str]
    words: Mapped[str]  # what the client said
    priority: Mapped[ActionPriority]
    state: Mapped[ActionPlanState] = mapped_column(default=ActionPlanState.PLANNED)
    theme: Mapped[Theme | None]
    commitment_id: Mapped[UUID] = mapped_column(ForeignKey("commitment.id"))
    survey_id: Mapped[UUID | None] = mapped_column(ForeignKey("survey.id"))
    question: Mapped[str | None]  # the answers to it measure the effect
    response_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))  # the answers that led to it
    trigger_from: Mapped[date]
    trigger_until: Mapped[date]  # the first day after the window
    opened_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    outcome: Mapped[str | None]  # what was done, in words for the client
    dropped_at: Mapped[datetime | None]
    drop_reason: Mapped[str | None]
    look_at: Mapped[datetime | None]  # when the effect is measured next


class ActionPlanComment(Base, Owned):
    """A comment on an action plan by the client or by the company; both sides read it."""

    __tablename__ = "action_plan_comment"
    __table_args__ = (Index(None, "plan_id", "at"),)

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("action_plan.id"))
    words: Mapped[str]
    author: Mapped[str]
    from_client: Mapped[bool]
    at: Mapped[datetime]


class ActionPlanEffect(Base, Owned):
    """The measured effect of a plan: the windows, the numbers of answers, the difference, its interval and method."""

    __tablename__ = "action_plan_effect"
    __table_args__ = (UniqueConstraint("plan_id"),)

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("action_plan.id"))
    measured_at: Mapped[datetime]
    is_final: Mapped[bool]  # the window after the plan is over
    before_from: Mapped[date]
    before_until: Mapped[date]
    after_from: Mapped[date]
    after_until: Mapped[date]
    verdict: Mapped[EffectVerdict]
    method: Mapped[EffectMethod]
    n_before: Mapped[int]
    n_after: Mapped[int]
    n_both: Mapped[int]  # people who answered in both windows
    n_others: Mapped[int]  # answers of other clients in the smaller of their windows
    difference: Mapped[float | None] = mapped_column(Double)
    low: Mapped[float | None] = mapped_column(Double)
    high: Mapped[float | None] = mapped_column(Double)
    probability: Mapped[float | None] = mapped_column(Double)  # by permutation
    is_higher: Mapped[bool | None]  # the direction, also where no size is shown
