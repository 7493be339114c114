"""Access rules of status reports: clients see confirmed ones, without what the company found out by itself."""

from typing import Any

from sqlalchemy import ColumnElement

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows


def _confirmed(model: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = model.confirmed_at.is_not(None)
    return found


ACCESS = AccessRules(
    rows={"status_report": Rows((Right.READ_QUALITY,), unless={Right.READ_INTERNAL: _confirmed})},
    row_texts={("status_report", Right.READ_INTERNAL): "confirmed status reports"},
    fields={
        "StatusReport": {
            None: "id fromOn untilOn draftedAt confirmed confirmedAt summary figures accomplishments"
            " milestones risks decisionsNeeded version account",
            Right.READ_INTERNAL: "computed reasons isGreener reason",
            Right.READ_ACTORS: "confirmedBy",
            Right.READ_MONEY: "budget",
        },
        "StatusReason": {None: "rule subjectId"},
        "StatusFigures": {
            None: "promisesKept promisesDecided incidentsResolved incidentsOpen meetingsHeld"
        },
        "StatusBudget": {None: "feeCents invoicedCents creditsCents currency"},
    },
    facts={Right.READ_QUALITY: "status_report.drafted status_report.confirmed"},
    queries={"statusReports": ()},
    subscriptions={"statusReportEvents": (Right.READ_LEDGER, Right.READ_QUALITY)},
    mutations={Right.MANAGE_ACCOUNTS: "draftStatusReport confirmStatusReport"},
)
