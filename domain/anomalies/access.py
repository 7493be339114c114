"""Access rules of anomalies: for those of the company who watch quality; clients see none."""

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

_READERS = (Right.READ_QUALITY, Right.READ_INTERNAL)

ACCESS = AccessRules(
    rows={"anomaly": Rows(_READERS), "anomaly_scan": Rows(_READERS)},
    fields={
        "Anomaly": {
            None: "id series detector direction foundOn firstOn lastOn peakOn value base scale z probability state"
            " incidentKind theme raisedAt acknowledgedAt explanation version site account explainedBy incidents texts",
            Right.READ_ACTORS: "acknowledgedBy",
        }
    },
    facts={Right.READ_INTERNAL: "anomaly.raised anomaly.continued anomaly.acknowledged"},
    queries={"anomalies": ()},
    subscriptions={"anomalyEvents": (Right.READ_LEDGER, Right.READ_QUALITY, Right.READ_INTERNAL)},
    mutations={Right.HANDLE: "acknowledgeAnomaly rejectAnomaly"},
)
