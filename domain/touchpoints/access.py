"""Access rules of touchpoints."""

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

ACCESS = AccessRules(
    rows={"touchpoint": Rows((Right.READ_RELATIONSHIP,))},
    fields={
        "Touchpoint": {
            None: "id kind dueOn doneAt isOverdue account contact",
            Right.READ_ACTORS: "doneBy",
        }
    },
    facts={Right.READ_RELATIONSHIP: "touchpoint.made"},
    queries={"touchpoints": ()},
    mutations={Right.MANAGE_ACCOUNTS: "completeTouchpoint"},
)
