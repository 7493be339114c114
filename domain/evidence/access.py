"""Access rules of evidence: grades and reasons are for whoever sees what they are about."""

from domain.access.declarations import AccessRules

ACCESS = AccessRules(
    fields={
        "ArrivalEvidence": {None: "instant source grade reasons provenFrom"},
        "EvidenceReason": {None: "code figure text allows"},
        "ProvenGrade": {None: "grade fromAt"},
        "Incident": {None: "arrivalEvidence"},
        "Promise": {None: "evidence"},
        "PromiseEvidence": {None: "instant source grade reasons provenFrom countsFrom"},
        "PromiseTerm": {None: "lowestGrade doubtFavours"},
    },
)
