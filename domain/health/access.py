"""Access rules of health: for relationship managers and management; clients see a score that is shared with them."""

from typing import Any

from sqlalchemy import ColumnElement, and_, false

from domain.access import Actor, Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows, in_accounts


def _shared(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the health of a client's own accounts that the company shares with it."""
    return and_(in_accounts(actor, model), model.is_shared) if actor.is_client else false()


ACCESS = AccessRules(
    rows={
        "account_health": Rows(
            (Right.READ_HEALTH,),
            "accessible accounts; clients: where the company shares it",
            always=_shared,
        ),
        **{
            table: Rows((Right.READ_HEALTH,))
            for table in ("health_snapshot", "observation", "early_warning")
        },
    },
    never_shown=frozenset({"health_mark"}),
    fields={
        "AccountHealth": {
            None: "id asOf status score scoreMillionths band bandIndex plainBand confirmedBand coverage"
            " low high fresh policyVersion account nextTouchpoint",
            Right.READ_HEALTH: "signals drivers needed changeSince counterfactuals trend",
        },
        "HealthSignal": {
            None: "key category state value weight contribution contributionMillionths figure unit n asOf"
            " words evidence weightSource curve curveSource"
        },
        "HealthCurvePoint": {None: "figure value"},
        "HealthNeed": {None: "key needed have windowDays words"},
        "HealthChange": {None: "before after moved signals coverageChange commonCoverage"},
        "HealthSignalChange": {None: "key before after moved"},
        "HealthCounterfactual": {None: "key value figure unit band"},
        "HealthSnapshot": {
            None: "id period beginsOn asOf score scoreMillionths band plainBand coverage low high fresh"
            " status policyVersion signals account"
        },
        "EarlyWarning": {
            None: "id rule severity raisedWhen clearsWhen raisedAt clearedAt evidence account"
        },
        "Observation": {
            None: "id kind at value total note recordedAt withdrawnAt account contact",
            Right.READ_ACTORS: "recordedBy",
        },
    },
    facts={
        Right.READ_HEALTH: "health.band_changed observation.recorded observation.withdrawn warning.raised"
        " warning.cleared"
    },
    queries={
        "accountHealth": (),
        "accountHealths": (),
        "portfolio": (),
        "healthSnapshots": (),
        "observations": (),
        "earlyWarnings": (),
    },
    subscriptions={
        "healthChanged": (Right.READ_LEDGER, Right.READ_HEALTH),
        "warningRaised": (Right.READ_LEDGER, Right.READ_HEALTH),
    },
    mutations={Right.MANAGE_ACCOUNTS: "recordObservation withdrawObservation"},
)
