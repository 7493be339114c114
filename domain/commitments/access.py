"""Access rules of commitments: clients see what they were promised, never what is internal; guards see none."""

from typing import Any

from sqlalchemy import ColumnElement

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows


def _for_clients(model: Any) -> ColumnElement[bool]:
    outside: ColumnElement[bool] = model.internal.is_(False)
    return outside


ACCESS = AccessRules(
    rows={
        "commitment": Rows((Right.READ_QUALITY,), unless={Right.READ_INTERNAL: _for_clients}),
    },
    row_texts={("commitment", Right.READ_INTERNAL): "not internal"},
    fields={
        "Commitment": {
            None: "id kind words state madeAt dueAt lateAt doneAt withdrawnAt version account",
            Right.READ_INTERNAL: "internal note withdrawnReason",
            Right.READ_STAFF: "owner",
        },
    },
    facts={
        Right.READ_QUALITY: "commitment.made commitment.done commitment.late commitment.withdrawn"
        " commitment.handed_over"
    },
    queries={"commitments": ()},
    subscriptions={"commitmentEvents": (Right.READ_LEDGER, Right.READ_QUALITY)},
    mutations={
        Right.MANAGE_ACCOUNTS: "makeCommitment withdrawCommitment handOverCommitment",
        Right.HANDLE: "finishCommitment",
    },
)
