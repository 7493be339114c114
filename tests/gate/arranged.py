"""Rows arranged so that each filter selects something, for as long as it is asked.

A filter that selects no row proves nothing: with the right answer and with a wrong one the count is 0. A company as it
is built has no incident of every kind and no message in every state, and it cannot have all at once. So the rows of a
table are given the value that a filter names, all of them, hidden ones too, and get their own values back afterwards.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import inspect, select, update

from domain.core.db import Sessions, transaction
from domain.metadata import metadata
from schema.core import ids

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
Values = dict[str, Any]
Round = dict[str, Values]
"""Table → the values that its rows have in one round."""
COLUMNS: dict[tuple[str, str], str] = {
    ("actionPlans", "priority"): "action_plan.priority",
    ("actionPlans", "states"): "action_plan.state",
    ("alarms", "states"): "alarm.state",
    ("anomalies", "states"): "anomaly.state",
    ("credits", "states"): "credit.state",
    ("disputes", "states"): "dispute.state",
    ("duePromises", "kinds"): "promise.kind",
    ("incidents", "kinds"): "incident.kind",
    ("incidents", "priorities"): "incident.priority",
    ("incidents", "statuses"): "incident.status",
    ("messages", "states"): "message.state",
    ("observations", "kind"): "observation.kind",
    ("outbox", "states"): "outbox.state",
    ("presences", "kinds"): "presence.kind",
    ("promises", "kinds"): "promise.kind",
    ("promises", "states"): "promise.state",
    ("recoveryCases", "states"): "recovery_case.state",
    ("referenceCalls", "states"): "reference_call.state",
    ("reports", "cadences"): "report.cadence",
    ("reports", "verdicts"): "report.verdict",
    ("reviewLinks", "states"): "review_link.state",
    ("reviews", "states"): "review.state",
    ("systemOpenings", "rules"): "system_opening.rule",
    ("textSentiments", "label"): "text_sentiment.label",
    ("textSentiments", "theme"): "text_sentiment.themes",
    ("webhookDeliveries", "states"): "webhook_delivery.state",
}
"""List and argument → the column that the filter compares.

States that need more than an instant, as those of referrals and case studies do, are asked as they were furnished.
"""
LISTED = {"text_sentiment.themes"}
"""Columns that hold a list, which the filter looks into."""
VALUES: dict[tuple[str, str, bool], tuple[str, Values]] = {
    ("presences", "lasting", True): ("presence", {"until_at": None}),
    ("champions", "lasting", True): (
        "champion",
        {"ended_at": None, "end_reason": None, "end_note": None},
    ),
    ("guardBars", "stands", True): ("guard_bar", {"lifted_at": None}),
    ("raidEntries", "isOpen", False): ("raid_entry", {"closed_at": AT, "outcome": "Done"}),
    ("sessions", "goingOn", False): ("sign_in", {"ended_at": AT}),
    ("textSentiments", "disagreeing", True): ("text_sentiment", {"disagrees": True}),
    ("touchpoints", "isOpen", True): ("touchpoint", {"done_at": None, "done_by": None}),
    ("touchpoints", "overdue", True): (
        "touchpoint",
        {"done_at": None, "done_by": None, "due_on": date(2026, 1, 2)},
    ),
}
"""List, argument and value → the values that are selected, where no column holds the value itself."""
REFERENCES = {
    ("incidents", "assigneeId"): "incident.assignee_id",
    ("presences", "siteId"): "presence.site_id",
}
"""List and argument → the column that holds the row which the filter names."""
BESIDE: dict[tuple[str, str], Values] = {("duePromises", "kinds"): {"announced_due_at": AT}}
"""List and argument → what else the filter asks of the rows."""
ENDS = {
    "alarm": ("reported_at", {"reported"}),
    "anomaly": ("acknowledged_at", {"explained", "false_alarm"}),
    "promise": ("decided_at", {"kept", "late"}),
    "dispute": ("decided_at", {"changed", "unchanged"}),
    "recovery_case": ("closed_at", {"closed"}),
    "reference_call": ("held_at", {"held"}),
    "review": ("gone_at", {"gone"}),
}
"""Table → the column that a constraint wants filled in these states, and empty in others."""


def wanted(name: str, argument: str, value: Any) -> tuple[str, Values] | None:
    """The table and the values that a filter selects; None where the rows cannot be arranged."""
    if isinstance(value, bool) and (name, argument, value) in VALUES:
        return VALUES[name, argument, value]
    if (name, argument) in REFERENCES:
        table, _, of_table = REFERENCES[name, argument].partition(".")
        return table, {of_table: (ids.read(value) or ("", None))[1]}
    column = COLUMNS.get((name, argument))
    if column is None:
        return None
    table, _, of_table = column.partition(".")
    one = value if isinstance(value, str) else value[0]
    held: Any = [one.lower()] if column in LISTED else one.lower()
    values = {of_table: held, **BESIDE.get((name, argument), {})}
    if table in ENDS and "state" in values:
        ended, states = ENDS[table]
        values[ended] = AT if values["state"] in states else None
    return table, values


def rounds(asked: Iterable[tuple[str, str, Any]]) -> list[Round]:
    """The fewest rounds, taken one filter after the other, in which every filter of `asked` selects something."""
    found: list[Round] = []
    for table, values in filter(None, (wanted(*each) for each in asked)):
        fitting = (one for one in found if fits(one, table, values))
        one = next(fitting, None)
        if one is None:
            found.append(one := {})
        one.setdefault(table, {}).update(values)
    return found


def fits(one: Round, table: str, values: Values) -> bool:
    """Whether the rows of a table can have these values in a round."""
    there = one.get(table, {})
    return all(there.get(column, value) == value for column, value in values.items())


@asynccontextmanager
async def arranged(make: Sessions, tenant_id: UUID, one: Round) -> AsyncIterator[None]:
    """Give the rows of a company the values of a round; give them their own back afterwards."""
    kept: dict[str, list[tuple[Any, Values]]] = {}
    async with transaction(make) as session:
        for name, values in one.items():
            table = metadata.tables[name]
            [key] = inspect(table).primary_key
            columns = [table.c[column] for column in values]
            rows = await session.execute(
                select(key, *columns).where(table.c.tenant_id == tenant_id)
            )
            kept[name] = [(row[0], dict(zip(values, row[1:], strict=True))) for row in rows]
            await session.execute(
                update(table).where(table.c.tenant_id == tenant_id).values(values)
            )
    try:
        yield
    finally:
        async with transaction(make) as session:
            for name, rows_before in kept.items():
                table = metadata.tables[name]
                [key] = inspect(table).primary_key
                for row_id, before in rows_before:
                    await session.execute(update(table).where(key == row_id).values(before))
