"""Access rules of evidence: grades and reasons are for whoever sees the facts that they follow from."""

from domain.access import Right
from domain.access.declarations import AccessRules

ACCESS = AccessRules(
    fields={
        "ArrivalEvidence": {None: "instant source grade reasons provenFrom"},
        "EvidenceReason": {None: "code figure text allows"},
        "ProvenGrade": {None: "grade fromAt"},
        "Incident": {Right.READ_LEDGER: "arrivalEvidence"},
        "Promise": {Right.READ_LEDGER: "evidence"},
        "PromiseEvidence": {None: "instant source grade reasons provenFrom countsFrom"},
        "PromiseTerm": {None: "lowestGrade doubtFavours"},
    },
)
