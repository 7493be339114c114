"""Success plans: goals agreed with a client, how far they are attained, and the value against its cost."""

from domain.success_plans.actions import close_plan, comment, end_of, open_plan, share
from domain.success_plans.goals import GoalDraft, measure_goal, revise_goal, set_goal
from domain.success_plans.model import SuccessComment, SuccessGoal, SuccessPlan, SuccessReading
from domain.success_plans.reads import GoalKpi, PlanCost, costs_of, goal_values, measured_at
from domain.success_plans.rules import (
    GoalState,
    SuccessValue,
    ValueLine,
    attained_ppm,
    attained_share,
    realised,
    state_of,
    value_of,
)

__all__ = [
    "GoalDraft",
    "GoalKpi",
    "GoalState",
    "PlanCost",
    "SuccessComment",
    "SuccessGoal",
    "SuccessPlan",
    "SuccessReading",
    "SuccessValue",
    "ValueLine",
    "attained_ppm",
    "attained_share",
    "close_plan",
    "comment",
    "costs_of",
    "end_of",
    "goal_values",
    "measure_goal",
    "measured_at",
    "open_plan",
    "realised",
    "revise_goal",
    "set_goal",
    "share",
    "state_of",
    "value_of",
]
