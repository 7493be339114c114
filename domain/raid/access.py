"""Access rules of the RAID log: clients see the entries that are not internal."""

from typing import Any

from sqlalchemy import ColumnElement

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows


def _for_clients(model: Any) -> ColumnElement[bool]:
    outside: ColumnElement[bool] = model.internal.is_(False)
    return outside


ACCESS = AccessRules(
    rows={"raid_entry": Rows((Right.READ_QUALITY,), unless={Right.READ_INTERNAL: _for_clients})},
    row_texts={("raid_entry", Right.READ_INTERNAL): "not internal"},
    fields={
        "RaidEntry": {
            None: "id kind words impact likelihood score rationale raisedAt reviewedAt reviewDueAt"
            " reviewLateAt closedAt outcome version account commitment",
            Right.READ_INTERNAL: "internal",
            Right.READ_STAFF: "owner",
        },
    },
    facts={
        Right.READ_QUALITY: "raid.raised raid.reviewed raid.review_late raid.handed_over raid.closed"
    },
    queries={"raidEntries": ()},
    subscriptions={"raidEvents": (Right.READ_LEDGER, Right.READ_QUALITY)},
    mutations={
        Right.MANAGE_ACCOUNTS: "raiseRaidEntry reviewRaidEntry handOverRaidEntry closeRaidEntry"
    },
)
