"""Access rules of patrols: clients see routes and rounds of their sites, guards those of sites where they work."""

from typing import Any

from sqlalchemy import ColumnElement, Uuid, column, select, table

from domain.access import Actor, Right, own_work, scopes
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

_ROUTE, _ROUND = (
    table(name, column("id", Uuid), column("account_id", Uuid), column("site_id", Uuid))
    for name in ("patrol_route", "patrol_round")
)


def _begun(patrol: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = patrol.state.in_(("open", "ended"))
    return found


def _of_route_at_hand(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the points of routes at sites of a guard's own work."""
    routes = select(_ROUTE.c.id).where(own_work.at_site_of_own_work(actor, _ROUTE.c))
    found: ColumnElement[bool] = model.route_id.in_(routes.correlate_except(_ROUTE))
    return found


def _of_round_at_hand(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the visits of rounds at sites of a guard's own work."""
    rounds = select(_ROUND.c.id).where(own_work.at_site_of_own_work(actor, _ROUND.c))
    found: ColumnElement[bool] = model.round_id.in_(rounds.correlate_except(_ROUND))
    return found


ACCESS = AccessRules(
    rows={
        "patrol_route": Rows((Right.READ_ROSTER,), own=own_work.at_site_of_own_work),
        "patrol_point": Rows((Right.READ_ROSTER,), own=_of_route_at_hand),
        "patrol_round": Rows(
            (Right.READ_ROSTER,),
            unless={Right.ATTEND: _begun},
            own=own_work.at_site_of_own_work,
        ),
        "patrol_visit": Rows((Right.READ_ROSTER,), own=_of_round_at_hand),
        "patrol_tag": Rows((Right.READ_ROSTER, Right.READ_INTERNAL)),
        "patrol_scan": Rows((Right.READ_ROSTER,), own=own_work.user_is_self),
        "patrol_upload": Rows(
            (Right.READ_ROSTER, Right.READ_STAFF),
            "of users with access to nothing else; always one's own",
            scopes.of_accessible_users,
            always=own_work.user_is_self,
        ),
    },
    never_shown=frozenset({"patrol_draw"}),
    row_texts={
        ("patrol_route", None): "routes at sites of the own work",
        ("patrol_point", None): "of routes at sites of the own work",
        ("patrol_round", Right.ATTEND): "rounds that began",
        ("patrol_round", None): "rounds at sites of the own work",
        ("patrol_visit", None): "of rounds at sites of the own work",
        ("patrol_scan", None): "the own scans",
        ("patrol_upload", None): "the own uploads",
    },
    fields={
        "PatrolRoute": {
            None: "id name service ordering rule startsOn endsOn localStart localEnd rounds roundMinutes"
            " isRandom lowestGrade leastMinutes lateMinutes version account site points"
        },
        "PatrolPoint": {
            None: "id place name kind dueMinutes route",
            Right.ATTEND: "lat lon radiusM question",
            Right.READ_INTERNAL: "tags",
        },
        "PatrolTag": {None: "id issuedAt revokedAt isSigned point"},
        "PatrolRound": {
            None: "id onDay number state fromAt untilAt pointCount visited missed completionPct completedAt"
            " isTooFast route site visits"
        },
        "PatrolVisit": {
            None: "id place dueAt madeAt grade isLate isOutOfOrder missedAt point round scan"
        },
        "PatrolScan": {
            None: "id deviceAt receivedAt grade reasons point round user",
            Right.ATTEND: "device sequence skewMs distanceM accuracyM counter answer upload",
        },
        "PatrolUpload": {None: "id device receivedAt skewMs accepted duplicates refused user"},
        "RefusedScan": {None: "sequence code message"},
        "IssuedPatrolTag": {None: "tag content"},
    },
    facts={
        Right.READ_ROSTER: "patrol_route.added patrol_route.ended patrol_route.planned patrol_route.drawn"
        " patrol_route.draw_revealed patrol_tag.issued"
        " patrol_tag.revoked patrol_round.opened patrol_round.completed patrol_round.withdrawn"
        " patrol_round.reassessed patrol_round.ended patrol_round.cancelled patrol_visit.expected"
        " patrol_visit.made patrol_visit.withdrawn patrol_visit.reassessed patrol_visit.missed"
        " patrol_visit.found patrol_scan.regraded patrol_upload.received",
    },
    queries={"patrolRoutes": (), "patrolRounds": (), "patrolScans": ()},
    subscriptions={"patrolChanges": (Right.READ_LEDGER, Right.READ_ROSTER)},
    mutations={
        Right.ROSTER: "addPatrolRoute endPatrolRoute issuePatrolTag revokePatrolTag planPatrolRounds"
        " cancelPatrolRound",
        Right.ATTEND: "uploadPatrolScans",
    },
)
