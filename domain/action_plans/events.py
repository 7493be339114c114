"""Facts about action plans. Words stay in the rows; effects are in thousandths, probabilities in millionths."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class ActionPlanOpened(Fact):
    """The company plans an action because of what a client said."""

    kind: ClassVar[str] = "action_plan.opened"
    subject_type: ClassVar[str | None] = "ActionPlan"
    priority: str
    theme: str | None
    commitment_id: UUID
    survey_id: UUID | None
    question: str | None
    response_ids: list[UUID]
    due_at: datetime


class ActionPlanStarted(Fact):
    """Work on an action plan began."""

    kind: ClassVar[str] = "action_plan.started"
    subject_type: ClassVar[str | None] = "ActionPlan"


class ActionPlanPrioritised(Fact):
    """An action plan has another priority."""

    kind: ClassVar[str] = "action_plan.prioritised"
    subject_type: ClassVar[str | None] = "ActionPlan"
    before: str
    after: str


class ActionPlanDone(Fact):
    """An action plan is done; the row says what was done."""

    kind: ClassVar[str] = "action_plan.done"
    subject_type: ClassVar[str | None] = "ActionPlan"


class ActionPlanDropped(Fact):
    """An action plan is not carried out; the row has the reason."""

    kind: ClassVar[str] = "action_plan.dropped"
    subject_type: ClassVar[str | None] = "ActionPlan"


class ActionPlanCommented(Fact):
    """Somebody commented on an action plan; the comment has the words."""

    kind: ClassVar[str] = "action_plan.commented"
    subject_type: ClassVar[str | None] = "ActionPlan"
    comment_id: UUID
    from_client: bool


class ActionPlanLetterSent(Fact):
    """The people whose answers led to a plan were written what was done; some were left out for the reasons given."""

    kind: ClassVar[str] = "action_plan.letter_sent"
    subject_type: ClassVar[str | None] = "ActionPlan"
    contact_ids: list[UUID]
    recently: int
    without_consent: int
    internal: bool = True


class ActionPlanMeasured(Fact):
    """The effect of an action plan was measured; no difference where answers were too few for an interval."""

    kind: ClassVar[str] = "action_plan.measured"
    subject_type: ClassVar[str | None] = "ActionPlan"
    before: str | None
    after: str
    method: str
    n_before: int
    n_after: int
    n_both: int
    n_others: int
    difference_milli: int | None
    low_milli: int | None
    high_milli: int | None
    probability_ppm: int | None
    is_final: bool
