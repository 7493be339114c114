"""Early warnings: signs that the relationship with a client is in danger."""

import asyncio
from collections.abc import AsyncIterable, Sequence
from datetime import datetime
from typing import Annotated, Any

import strawberry

from domain import accounts, health
from domain.core.ledger import LedgerRow
from domain.health import WarningRule, WarningSeverity
from schema.accounts import Account
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.relations import to_one
from schema.core.roots import query_fields, subscription_fields
from schema.core.types import enum, from_row, resolver, subscription
from schema.ledger import LedgerEntry
from schema.subscriptions import After, FeedEvent, Item, facts_named

RULES = {rule.key: rule for rule in health.WARNING_RULES}
enum(WarningRule, "WarningRule", **{str(rule.key): rule.raised_when for rule in RULES.values()})
enum(
    WarningSeverity,
    "WarningSeverity",
    low="Low: keep an eye on it.",
    medium="Medium: act within the week.",
    high="High: somebody has to act now.",
)
Row = strawberry.Parent[health.EarlyWarning]


@from_row(health.EarlyWarning)
class EarlyWarning(Node):
    """Sign that the relationship with a client is in danger; it is raised again only after it cleared."""

    rule: Annotated[WarningRule, "Rule that raised it."]
    severity: Annotated[WarningSeverity, "How soon somebody should act."]
    raised_at: Annotated[datetime, "Time at which it was raised."]
    cleared_at: Annotated[datetime | None, "Time at which it cleared; null: it is open."]

    @resolver(str)
    @staticmethod
    def raised_when(row: Row) -> str:
        """Condition of the rule."""
        return RULES[row.rule].raised_when

    @resolver(str)
    @staticmethod
    def clears_when(row: Row) -> str:
        """What ends the warning."""
        return RULES[row.rule].clears_when

    @resolver(list[LedgerEntry])
    @staticmethod
    async def evidence(row: Row, info: Info) -> Sequence[LedgerRow]:
        """Facts that raised it, at most the latest 20."""
        found: list[Any] = await asyncio.gather(
            *(info.context.get_by(LedgerRow.id, number) for number in row.evidence)
        )
        return [each for each in found if each is not None]

    account = to_one(Account, accounts.Account, "account_id", "Account of the client.")


@query_fields
class EarlyWarningQuery:
    """Queries of early warnings."""

    @lists(EarlyWarning, health.EarlyWarning.raised_at, health.EarlyWarning.id, descending=True)
    @staticmethod
    def early_warnings(
        info: Info,
        account_id: AccountFilter = None,
        is_open: Annotated[
            bool | None, "True: only open ones; false: only cleared ones; null: all."
        ] = None,
    ) -> Rows:
        """Early warnings, the latest first; empty for clients."""
        row = health.EarlyWarning
        query = visible(info, row, account_id)
        if is_open is None:
            return query
        return query.where(row.cleared_at.is_(None) if is_open else row.cleared_at.is_not(None))


@subscription_fields
class EarlyWarningSubscription:
    """Subscriptions to early warnings."""

    @subscription(FeedEvent)
    def warning_raised(
        self,
        info: Info,
        account_id: Annotated[strawberry.ID, "Account to follow the early warnings of."],
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Early warnings of an account as they are raised."""
        return facts_named(info, account_id, after, "warning.raised")
