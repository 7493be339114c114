"""Access rules of success plans: clients see and comment on those that are shared with them."""

from typing import Any

from sqlalchemy import ColumnElement, select

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows
from domain.success_plans.model import SuccessPlan


def _shared(model: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = model.shared_at.is_not(None)
    return found


def _of_shared(model: Any) -> ColumnElement[bool]:
    shared = select(SuccessPlan.id).where(SuccessPlan.shared_at.is_not(None))
    found: ColumnElement[bool] = model.plan_id.in_(shared)
    return found


_PARTS = ("success_goal", "success_reading", "success_comment")
_QUALITY = (Right.READ_QUALITY,)

ACCESS = AccessRules(
    rows={
        "success_plan": Rows(_QUALITY, unless={Right.READ_INTERNAL: _shared}),
        **{part: Rows(_QUALITY, unless={Right.READ_INTERNAL: _of_shared}) for part in _PARTS},
    },
    row_texts={
        ("success_plan", Right.READ_INTERNAL): "shared with the client",
        **{(part, Right.READ_INTERNAL): "of plans shared with the client" for part in _PARTS},
    },
    fields={
        "SuccessPlan": {
            None: "id title words dependencies resources startsOn dueOn openedAt sharedAt closedAt outcome"
            " version account goals comments",
            Right.READ_STAFF: "owner",
            Right.READ_MONEY: "value",
        },
        "SuccessGoal": {
            None: "id title criterionWords kpi kpiWindow unit baseline target dueOn setAt value measuredOn"
            " attainment state version readings",
            Right.READ_STAFF: "owner",
            Right.READ_MONEY: "valueCents",
        },
        "SuccessReading": {None: "id value measuredOn evidenceWords author at"},
        "SuccessComment": {None: "id words fromClient author at"},
        "SuccessValue": {
            Right.READ_MONEY: "lines fromOn untilOn possibleCents realisedCents costCents creditsCents roi"
            " currency"
        },
        "ValueLine": {Right.READ_MONEY: "goalId attainment valueCents realisedCents"},
    },
    facts={
        Right.READ_QUALITY: "success_plan.opened success_plan.shared success_plan.commented"
        " success_plan.closed success_plan.goal_measured",
        Right.READ_MONEY: "success_plan.goal_set success_plan.goal_revised",
    },
    queries={"successPlans": ()},
    subscriptions={"successPlanEvents": (Right.READ_LEDGER, Right.READ_QUALITY)},
    mutations={
        Right.MANAGE_ACCOUNTS: "openSuccessPlan shareSuccessPlan closeSuccessPlan setSuccessGoal"
        " reviseSuccessGoal measureSuccessGoal",
        Right.FOLLOW_UP: "commentOnSuccessPlan",
    },
)
