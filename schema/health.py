"""Health of relationships: the score with its parts, its bounds, what changed, and what would raise it."""

from collections.abc import AsyncIterable, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import accounts, health
from domain.access import Right
from domain.health import (
    HealthBand,
    HealthStatus,
    HealthTrend,
    PlainBand,
)
from schema.accounts import Account
from schema.core import ids
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.relations import to_one
from schema.core.roots import query_fields, subscription_fields
from schema.core.types import enum, from_row, relation, resolver, subscription
from schema.health_loader import HealthInstant, health_at, next_touchpoint, portfolio_of, within
from schema.health_parts import (
    HealthChange,
    HealthCounterfactual,
    HealthNeed,
    HealthSignal,
    bound,
    points,
    share,
    status_of,
)
from schema.subscriptions import After, FeedEvent, Item, facts_named

enum(
    PlainBand,
    "PlainHealthBand",
    excellent="80 to 100 points, as HEALTHY.",
    good="60 to below 80, as STABLE.",
    fair="40 to below 60, as AT_RISK of the other scheme.",
    at_risk="Below 40, as CRITICAL of the other scheme.",
)
enum(
    HealthStatus,
    "HealthStatus",
    scored="There is a score, from 70 % of the weight or more.",
    provisional="There is a score, from 40 % to below 70 % of the weight.",
    insufficient_evidence="There is no score; `needed` says which facts are missing.",
)
enum(
    HealthTrend,
    "HealthTrend",
    rising="At least 5 points more than 90 days ago.",
    steady="Less than 5 points of change.",
    falling="At least 5 points less than 90 days ago.",
    unknown="The signals in common have less than 40 % of the weight.",
)


Row = strawberry.Parent[health.AccountHealth]


def _band(row: health.AccountHealth) -> int | None:
    return None if row.score_millionths is None else health.band_of(row.score_millionths)


@from_row(health.AccountHealth)
class AccountHealth(Node):
    """Health of the relationship with an account, from 0 to 100 points, at an instant."""

    as_of: Annotated[datetime, "Instant up to which facts count."]
    score_millionths: Annotated[
        int | None, "Score in millionths of a point; the contributions add up to it exactly."
    ]
    fresh: Annotated[int, "Number of signals with enough facts in their window."]

    @resolver(HealthStatus)
    @staticmethod
    def status(row: Row) -> HealthStatus:
        """Whether there is a score, and how far it can be relied on."""
        return status_of(row)

    @resolver(float | None)
    @staticmethod
    def score(row: Row) -> float | None:
        """Score in points; null with too little evidence."""
        return points(row.score_millionths)

    @resolver(str | None)
    @staticmethod
    def policy_version(row: Row) -> str | None:
        """Digest of weights and curves: equal for equal ones; null in scores from before curves were stored."""
        return health.policy_version(row)

    @resolver(HealthBand | None)
    @staticmethod
    def band(row: Row) -> HealthBand | None:
        """Band of the score."""
        index = _band(row)
        return None if index is None else health.BANDS[index - 1]

    @resolver(PlainBand | None)
    @staticmethod
    def plain_band(row: Row) -> PlainBand | None:
        """Band of the score by the other names, which call the lowest one AT_RISK."""
        index = _band(row)
        return None if index is None else health.PLAIN_BANDS[index - 1]

    @resolver(int | None)
    @staticmethod
    def band_index(row: Row) -> int | None:
        """Band of the score as a number, from 4 (80 points or more) to 1 (below 40)."""
        return _band(row)

    @resolver(HealthBand | None)
    @staticmethod
    async def confirmed_band(row: Row, info: Info) -> HealthBand | None:
        """Band as last recorded: another one counts after 24 hours, 5 points away, or at once if critical."""
        kept = await info.context.get_by(health.AccountHealth.account_id, row.account_id)
        return None if kept is None or kept.band is None else health.BANDS[kept.band - 1]

    @resolver(float)
    @staticmethod
    def coverage(row: Row) -> float:
        """Share of the weight that belongs to fresh signals."""
        return share(row.coverage_millionths)

    @resolver(float | None)
    @staticmethod
    def low(row: Row) -> float | None:
        """Score if every signal without fresh facts had 0 points; null with too little evidence."""
        return bound(row, row.low_millionths)

    @resolver(float | None)
    @staticmethod
    def high(row: Row) -> float | None:
        """Score if every signal without fresh facts had 100 points; null with too little evidence."""
        return bound(row, row.high_millionths)

    @resolver(list[HealthSignal] | None)
    @staticmethod
    def signals(row: Row, info: Info) -> Sequence[health.ShownSignal] | None:
        """Signals with their contributions to the score. Null for readers without access to this field."""
        return health.shown_signals(row) if _may(info) else None

    @resolver(list[HealthSignal] | None)
    @staticmethod
    def drivers(
        row: Row,
        info: Info,
        first: Annotated[int, "Number of signals, from 1 to 20."] = 3,
    ) -> Sequence[health.ShownSignal] | None:
        """Signals that cost the score the most points; empty without a score. Null for readers without access to it."""
        return health.drivers(row, within(first, 20)) if _may(info) else None

    @relation("Touchpoint")
    @staticmethod
    async def next_touchpoint(row: Row, info: Info) -> Any:
        """Contact with the client that is planned next; null for readers without access to touchpoints."""
        return await info.context.load(next_touchpoint, row.account_id)

    @resolver(list[HealthNeed] | None)
    @staticmethod
    def needed(row: Row, info: Info) -> Sequence[health.Missing] | None:
        """Evidence that is missing, the heaviest first. Null for readers without access to this field."""
        return health.missing_of(row) if _may(info) else None

    @resolver(list[HealthCounterfactual] | None, work=100)
    @staticmethod
    def counterfactuals(row: Row, info: Info) -> Sequence[health.Counterfactual] | None:
        """Signals that alone can reach the next band, the nearest first. Null for readers without access to it."""
        return health.counterfactuals(row) if _may(info) else None

    @resolver(HealthChange | None, work=500)
    @staticmethod
    async def change_since(
        row: Row,
        info: Info,
        at: Annotated[datetime, "Instant to compare with."],
        known_at: Annotated[
            datetime | None, "Only facts recorded by this instant count for the earlier score."
        ] = None,
    ) -> health.HealthChange | None:
        """Change since an instant, by signal; null with too little evidence, or without access to this field."""
        if not _may(info):
            return None
        key = HealthInstant(row.account_id, min(at, row.as_of), known_at)
        before: health.AccountHealth = await info.context.load(health_at, key)
        return health.changed_since(before, row)

    @resolver(HealthTrend | None)
    @staticmethod
    async def trend(row: Row, info: Info) -> HealthTrend | None:
        """Direction over 90 days, from weekly snapshots. Null for readers without access to this field."""
        if not _may(info):
            return None
        snapshots = await info.context.children(
            health.HealthSnapshot.account_id,
            row.account_id,
            order=(health.HealthSnapshot.as_of, health.HealthSnapshot.id),
            descending=True,
            first=20,
        )
        return health.trend_of(row, snapshots)

    account = to_one(Account, accounts.Account, "account_id", "Account that the score is about.")


def _may(info: Info) -> bool:
    return info.context.actor.may(Right.READ_HEALTH)


@query_fields
class HealthQuery:
    """Queries of health."""

    @resolver(AccountHealth | None, work=500)
    @staticmethod
    async def account_health(
        info: Info,
        account_id: Annotated[strawberry.ID, "Account of the client."],
        as_of: Annotated[
            datetime | None, "Instant up to which facts count; now by default."
        ] = None,
        known_at: Annotated[
            datetime | None, "Only facts recorded by this instant count; all by default."
        ] = None,
    ) -> Any:
        """Health of an account, computed from the facts; null where it is not shared with the reader."""
        row_id: UUID | None = ids.known(account_id, "Account")
        if row_id is None or await info.context.get(accounts.Account, row_id) is None:
            return None
        kept = await info.context.get_by(health.AccountHealth.account_id, row_id)
        if kept is None and not _may(info):
            return None
        at = info.context.at if as_of is None else min(as_of, info.context.at)
        found = await info.context.load(health_at, HealthInstant(row_id, at, known_at))
        if kept is not None:
            found.id = kept.id
        return found

    @resolver(list[AccountHealth])
    @staticmethod
    async def portfolio(
        info: Info,
        first: Annotated[int, "Number of accounts, at most 500."] = 100,
    ) -> Sequence[health.AccountHealth]:
        """Accounts with their health as computed last, the lowest score first, those without a score at the end.

        All in one page: their drivers and next touchpoints take as many reads of the database for 500 as for one.
        """
        return await portfolio_of(info, within(first, 500))

    @lists(AccountHealth, health.AccountHealth.low_millionths, health.AccountHealth.id)
    @staticmethod
    def account_healths(info: Info, account_id: AccountFilter = None) -> Rows:
        """Health of accounts as computed last, within seconds of each fact; the lowest lower bound first."""
        return visible(info, health.AccountHealth, account_id)


@subscription_fields
class HealthSubscription:
    """Subscriptions to changes of health."""

    @subscription(FeedEvent)
    def health_changed(
        self,
        info: Info,
        account_id: Annotated[strawberry.ID, "Account to follow the health of."],
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Changes of an account's confirmed band."""
        return facts_named(info, account_id, after, "health.band_changed")
