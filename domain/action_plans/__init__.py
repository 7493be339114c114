"""Action plans: what is done about what clients said, by whom and when, and whether it helped."""

from domain.action_plans.actions import (
    PlanMeasure,
    TriggerWindow,
    comment,
    drop_plan,
    finish_plan,
    open_plan,
    prioritise,
    start_plan,
)
from domain.action_plans.effects import (
    EffectMethod,
    EffectVerdict,
    MeasuredEffect,
    measured_effect,
)
from domain.action_plans.letters import ActionDoneLetter, tell_done
from domain.action_plans.measuring import PART, measure_plan, plans_to_measure
from domain.action_plans.model import (
    ActionPlan,
    ActionPlanComment,
    ActionPlanEffect,
    ActionPlanState,
    ActionPriority,
)

__all__ = [
    "PART",
    "ActionDoneLetter",
    "ActionPlan",
    "ActionPlanComment",
    "ActionPlanEffect",
    "ActionPlanState",
    "ActionPriority",
    "EffectMethod",
    "EffectVerdict",
    "MeasuredEffect",
    "PlanMeasure",
    "TriggerWindow",
    "comment",
    "drop_plan",
    "finish_plan",
    "measure_plan",
    "measured_effect",
    "open_plan",
    "plans_to_measure",
    "prioritise",
    "start_plan",
    "tell_done",
]
