"""Access rules of replacements: clients see those of their sites without offers, guards their own and their offers."""

from typing import Any

from sqlalchemy import ColumnElement, false, or_

from domain.access import Actor, Right, own_work
from domain.access.declarations import AccessRules
from domain.access.rule import Rows


def _concerns_self(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select replacements of the actor, and by the actor."""
    if actor.user_id is None:
        return false()
    return or_(model.user_id == actor.user_id, model.replacing_user_id == actor.user_id)


ACCESS = AccessRules(
    rows={
        "replacement": Rows((Right.READ_ROSTER,), own=_concerns_self),
        "shift_offer": Rows(
            (Right.READ_ROSTER, Right.READ_INTERNAL),
            "accessible accounts; always one's own",
            always=own_work.user_is_self,
        ),
    },
    row_texts={
        ("replacement", None): "of the own shifts, and those that the guard takes over",
        ("shift_offer", None): "the own offers",
    },
    fields={
        "Replacement": {
            None: "id cause state number knownAt replacingNumber foundAt onTheWayAt arrivesAt arrivedAt"
            " arrivalGrade withdrawnAt version account site shift",
            Right.READ_STAFF: "user replacingUser",
            Right.READ_INTERNAL: "byHandSince wave offers",
        },
        "ShiftOffer": {
            None: "id state wave offeredAt closedAt fromAt untilAt siteName postName travelMinutes user",
            Right.READ_INTERNAL: "replacement",
        },
        "ReplacementRanking": {
            None: "candidateCount candidates excludedCount excluded acceptancePct waveSize"
        },
        "ReplacementCandidate": {
            None: "place travelMinutes arrivesAt lateMinutes restMinutes contractMinutesLeft shiftsAtPost"
            " factors user",
            Right.READ_MONEY: "hourCostCents",
        },
        "CandidateFactorStep": {None: "kind step text"},
        "ExcludedGuard": {None: "reason rule text user"},
    },
    facts={
        Right.READ_ROSTER: "replacement.needed replacement.found replacement.lost replacement.on_the_way"
        " replacement.arrived replacement.arrival_graded replacement.arrival_withdrawn"
        " replacement.reassessed replacement.unfilled replacement.withdrawn replacement.taken_over"
        " replacement.resumed shift_offer.made shift_offer.accepted shift_offer.declined"
    },
    queries={
        "replacements": (),
        "shiftOffers": (),
        "replacementCandidates": (Right.ROSTER, Right.READ_STAFF),
    },
    subscriptions={"replacementChanges": (Right.READ_LEDGER, Right.READ_ROSTER)},
    mutations={
        Right.ROSTER: "takeOverReplacement resumeReplacementOffers assignReplacement",
        Right.ATTEND: "reportAbsence reportOnTheWay acceptShiftOffer declineShiftOffer",
    },
)
