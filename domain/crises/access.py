"""Access rules of crises: for those of the company who look after clients."""

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

ACCESS = AccessRules(
    rows={"crisis": Rows((Right.READ_RELATIONSHIP,))},
    fields={"Crisis": {None: "id reason beganAt endedAt version account"}},
    facts={Right.READ_RELATIONSHIP: "crisis.began crisis.ended"},
    queries={"crises": ()},
    subscriptions={"crisisEvents": (Right.READ_LEDGER, Right.READ_RELATIONSHIP)},
    mutations={Right.MANAGE_ACCOUNTS: "beginCrisis endCrisis"},
)
