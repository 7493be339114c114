"""Facts about success plans: words stay in the rows, values are in thousandths; internal until the plan is shared."""

from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class SuccessPlanOpened(Fact):
    """A success plan was opened for a client."""

    kind: ClassVar[str] = "success_plan.opened"
    subject_type: ClassVar[str | None] = "SuccessPlan"
    owner_id: UUID
    starts_on: date
    due_on: date
    internal: bool = True


class SuccessPlanShared(Fact):
    """A success plan was shared with the client, who sees it from now on."""

    kind: ClassVar[str] = "success_plan.shared"
    subject_type: ClassVar[str | None] = "SuccessPlan"


class SuccessPlanCommented(Fact):
    """Somebody commented on a success plan; the comment has the words."""

    kind: ClassVar[str] = "success_plan.commented"
    subject_type: ClassVar[str | None] = "SuccessPlan"
    success_comment_id: UUID
    from_client: bool
    internal: bool = False


class SuccessPlanClosed(Fact):
    """A success plan was closed; `attained_ppm` has the share of each goal that was attained, in millionths."""

    kind: ClassVar[str] = "success_plan.closed"
    subject_type: ClassVar[str | None] = "SuccessPlan"
    attained_ppm: dict[str, int | None]
    internal: bool = False


class SuccessGoalSet(Fact):
    """A goal was added to a success plan."""

    kind: ClassVar[str] = "success_plan.goal_set"
    subject_type: ClassVar[str | None] = "SuccessGoal"
    success_plan_id: UUID
    after: dict[str, Any]
    internal: bool = False


class SuccessGoalRevised(Fact):
    """A goal of a success plan was revised; `before` and `after` have what changed."""

    kind: ClassVar[str] = "success_plan.goal_revised"
    subject_type: ClassVar[str | None] = "SuccessGoal"
    success_plan_id: UUID
    before: dict[str, Any]
    after: dict[str, Any]
    internal: bool = False


class SuccessGoalMeasured(Fact):
    """A value of a goal was entered with its evidence, or measured by its KPI at the closing; the goal has `after`."""

    kind: ClassVar[str] = "success_plan.goal_measured"
    subject_type: ClassVar[str | None] = "SuccessGoal"
    success_plan_id: UUID
    measured_on: date
    before_milli: int | None
    after_milli: int | None
    internal: bool = False
