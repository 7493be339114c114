"""Incidents that the system opened by a rule."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import accounts, incidents, watch_rules
from domain.watch_rules import WatchRule
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, among, lists, visible
from schema.core.roots import query_fields
from schema.core.types import enum, from_row, relation

enum(
    WatchRule,
    "WatchRule",
    no_show="Nobody was at a post a quarter of an hour after the start of a shift.",
    missed_points="Points of a round of a patrol were not visited in time.",
    silence="A device on duty is silent.",
    expiring_qualification="A qualification or the pass of a guard expires before a published shift.",
)
_OPENING = watch_rules.SystemOpening
OpeningRow = strawberry.Parent[watch_rules.SystemOpening]


@from_row(watch_rules.SystemOpening)
class SystemOpening(Node):
    """Incident that the system opened by a rule, and why; an event has one at most."""

    rule: Annotated[WatchRule, "Rule by which the incident was opened."]
    reason: Annotated[str, "Reason in words, with its figures."]
    opened_at: Annotated[datetime, "Time at which the incident was opened."]

    @relation("Account")
    @staticmethod
    async def account(row: OpeningRow, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)

    @relation("Incident")
    @staticmethod
    async def incident(row: OpeningRow, info: Info) -> incidents.Incident | None:
        """Incident that was opened."""
        return await info.context.get(incidents.Incident, row.incident_id)


@query_fields
class WatchRuleQuery:
    """Queries of incidents that the system opened."""

    @lists(SystemOpening, _OPENING.opened_at, _OPENING.id, descending=True)
    @staticmethod
    def system_openings(
        info: Info,
        account_id: AccountFilter = None,
        rules: Annotated[list[WatchRule] | None, "Only by these rules."] = None,
    ) -> Rows:
        """Incidents that the system opened, the newest first."""
        return among(visible(info, _OPENING, account_id), _OPENING.rule, rules)
