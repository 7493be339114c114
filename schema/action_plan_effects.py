"""Effects of action plans: two windows compared, with the interval, the numbers of answers and the method."""

from datetime import date, datetime
from typing import Annotated

from domain import action_plans
from domain.action_plans import EffectMethod, EffectVerdict
from schema.core.ids import Node
from schema.core.types import enum, from_row

enum(
    EffectVerdict,
    "EffectVerdict",
    improved="The interval of the difference is above zero.",
    worsened="The interval of the difference is below zero.",
    not_shown="The answers show no difference; that does not mean that there is none.",
)
enum(
    EffectMethod,
    "EffectMethod",
    overlap_t="Interval of Student's t for partly the same people.",
    difference_in_differences="The same, less the change of the other clients.",
    permutation="Permutation of the answers, for fewer than eight in a window.",
    none="Nothing was compared, because a window has no answers.",
)


@from_row(action_plans.ActionPlanEffect)
class ActionPlanEffect(Node):
    """Measured effect of an action plan: the two windows after it less the two ahead of the one that triggered it."""

    measured_at: Annotated[datetime, "Time of the measurement."]
    is_final: Annotated[bool, "Whether both windows after the plan are over."]
    before_from: Annotated[date, "First day of the windows before."]
    before_until: Annotated[date, "Day after the windows before: the triggering one begins."]
    after_from: Annotated[date, "Day on which the plan was done."]
    after_until: Annotated[date, "Day after the windows that follow the plan."]
    verdict: Annotated[EffectVerdict, "What the answers show at a level of 95 %."]
    method: Annotated[EffectMethod, "Method by which the windows were compared."]
    n_before: Annotated[int, "Number of people who answered before."]
    n_after: Annotated[int, "Number of people who answered after."]
    n_both: Annotated[int, "Number of people who answered in both."]
    n_others: Annotated[
        int, "Number of answers of other clients in the smaller window; 0 when not compared."
    ]
    difference: Annotated[
        float | None,
        "Mean after less mean before, in points of the score; null for too few answers.",
    ]
    low: Annotated[float | None, "Lower bound of its 95 % interval."]
    high: Annotated[float | None, "Upper bound of its 95 % interval."]
    probability: Annotated[
        float | None, "Probability of such a difference by chance; null but for permutations."
    ]
    is_higher: Annotated[bool | None, "Whether the mean after is higher; null when equal."]
