"""Access rules of recovery cases and their steps."""

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

ACCESS = AccessRules(
    rows={
        "recovery_case": Rows((Right.READ_RECOVERY,)),
        "recovery_step": Rows((Right.READ_RECOVERY,)),
    },
    fields={
        "RecoveryCase": {
            None: "id size summary state round openedAt closedAt satisfied version steps incident"
            " account",
            Right.READ_RELATIONSHIP: "surveyResponse",
        },
        "RecoveryStep": {
            None: "round kind dueAt doneAt remedies credit",
            Right.READ_RELATIONSHIP: "note",
            Right.READ_STAFF: "owner",
        },
    },
    facts={
        Right.READ_RECOVERY: "recovery.closed recovery.opened recovery.reopened recovery.step_done"
        " recovery.step_handed_over"
    },
    queries={"recoveryCases": ()},
    mutations={
        Right.MANAGE_ACCOUNTS: "openRecovery takeRecoveryStep handOverRecoveryStep",
        Right.FOLLOW_UP: "followUpRecovery",
    },
)
