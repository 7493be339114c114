"""Access rules of action plans: clients see those about them and comment; guards see none."""

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

ACCESS = AccessRules(
    rows={
        table: Rows((Right.READ_QUALITY,))
        for table in ("action_plan", "action_plan_comment", "action_plan_effect")
    },
    fields={
        "ActionPlan": {
            None: "id title words priority state theme windowFrom windowUntil openedAt startedAt doneAt outcome"
            " droppedAt dropReason version account commitment comments effect question",
            Right.READ_RELATIONSHIP: "survey responses",
        },
        "ActionPlanComment": {None: "id words fromClient at author"},
        "ActionPlanEffect": {
            None: "id measuredAt isFinal beforeFrom beforeUntil afterFrom afterUntil verdict method nBefore nAfter"
            " nBoth nOthers difference low high probability isHigher"
        },
    },
    facts={
        Right.READ_QUALITY: "action_plan.opened action_plan.started action_plan.prioritised action_plan.done"
        " action_plan.dropped action_plan.commented action_plan.measured",
        Right.READ_RELATIONSHIP: "action_plan.letter_sent",
    },
    queries={"actionPlans": ()},
    subscriptions={"actionPlanEvents": (Right.READ_LEDGER, Right.READ_QUALITY)},
    mutations={
        Right.MANAGE_ACCOUNTS: "openActionPlan prioritiseActionPlan startActionPlan finishActionPlan dropActionPlan",
        Right.FOLLOW_UP: "commentOnActionPlan",
    },
)
