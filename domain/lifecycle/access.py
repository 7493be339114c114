"""Access rules of the lifecycle: for those who look after relationships."""

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

ACCESS = AccessRules(
    rows={"stage_change": Rows((Right.READ_RELATIONSHIP,))},
    fields={
        "StageChange": {
            None: "id stageBefore stageAfter reason changedAt account",
            Right.READ_ACTORS: "changedBy",
        },
        "CoverageGap": {None: "kind words account"},
    },
    facts={Right.READ_RELATIONSHIP: "account.stage_changed"},
    queries={"stageChanges": (), "coverageGaps": (Right.READ_RELATIONSHIP,)},
    mutations={Right.MANAGE_ACCOUNTS: "moveAccount"},
)
