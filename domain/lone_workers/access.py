"""Access rules of guards who work alone: the office sees distress with its position, and only while it lasts."""

from domain.access import Right, own_work
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

ACCESS = AccessRules(
    rows={
        "welfare_watch": Rows(
            (Right.READ_ROSTER, Right.READ_STAFF),
            "accessible accounts; always one's own",
            always=own_work.user_is_self,
        ),
        "distress_sign": Rows(
            (Right.READ_ROSTER, Right.READ_STAFF),
            "accessible accounts; always one's own; the position only until the incident is resolved",
            always=own_work.user_is_self,
        ),
    },
    row_texts={
        ("welfare_watch", None): "the own checks",
        ("distress_sign", None): "the own signs",
    },
    fields={
        "WelfareWatch": {
            None: "id number everySeconds graceSeconds startedAt dueAt isMissed endedAt version user shift"
        },
        "DistressSign": {
            None: "id cause number happenedAt toldAt withdrawnAt endedAt user shift site incident",
            Right.LOCATE: "position",
        },
        "DistressPosition": {None: "lat lon at"},
    },
    facts={
        Right.READ_ROSTER: "welfare.started welfare.confirmed welfare.missed welfare.ended distress.raised"
        " distress.withdrawn distress.ended"
    },
    queries={"welfareWatches": (), "distressSigns": ()},
    mutations={
        Right.ROSTER: "endWelfareChecks",
        Right.ATTEND: "startWelfareChecks confirmWelfare withdrawDistress",
    },
)
