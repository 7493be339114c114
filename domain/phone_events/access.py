"""Access rules of events of guard apps: the office sees batches, and a guard the own ones."""

from domain.access import Right, own_work, scopes
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

ACCESS = AccessRules(
    rows={
        "phone_batch": Rows(
            (Right.READ_ROSTER, Right.READ_STAFF),
            "of users with access to nothing else; always one's own",
            scopes.of_accessible_users,
            always=own_work.user_is_self,
        ),
    },
    never_shown=frozenset({"phone_event"}),
    row_texts={("phone_batch", None): "the own batches"},
    fields={
        "PhoneBatch": {
            None: "id device receivedAt clockErrorMs accepted duplicates waiting refused user"
        },
        "RefusedPhoneEvent": {None: "eventId code message"},
    },
    facts={Right.READ_ROSTER: "phone_batch.received"},
    queries={},
    mutations={Right.ATTEND: "uploadPhoneEvents"},
)
