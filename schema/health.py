"""Health of relationships: the score with its parts, its bounds, what changed, and what would raise it."""

from collections.abc import AsyncIterable, Sequence
from datetime import date, datetime
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
    SnapshotPeriod,
)
from schema.accounts import Account
from schema.core import ids
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.roots import query_fields, subscription_fields
from schema.core.types import enum, from_row, resolver, subscription
from schema.health_loader import HealthInstant, health_at
from schema.health_parts import (
    HealthChange,
    HealthCounterfactual,
    HealthNeed,
    HealthSignal,
    points,
    share,
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
enum(
    SnapshotPeriod,
    "HealthSnapshotPeriod",
    week="Week that begins on a Monday.",
    month="Month, from its first day.",
)

Row = strawberry.Parent[health.AccountHealth]
SnapshotRow = strawberry.Parent[health.HealthSnapshot]


def _band(row: health.AccountHealth | health.HealthSnapshot) -> int | None:
    return None if row.score_millionths is None else health.band_of(row.score_millionths)


def _status(row: health.AccountHealth | health.HealthSnapshot) -> HealthStatus:
    if row.score_millionths is None:
        return HealthStatus.INSUFFICIENT_EVIDENCE
    return HealthStatus.PROVISIONAL if row.is_provisional else HealthStatus.SCORED


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
        return _status(row)

    @resolver(float | None)
    @staticmethod
    def score(row: Row) -> float | None:
        """Score in points; null with too little evidence."""
        return points(row.score_millionths)

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

    @resolver(float)
    @staticmethod
    def low(row: Row) -> float:
        """Score if every signal without fresh facts had 0 points."""
        return points(row.low_millionths) or 0.0

    @resolver(float)
    @staticmethod
    def high(row: Row) -> float:
        """Score if every signal without fresh facts had 100 points."""
        return points(row.high_millionths) or 0.0

    @resolver(list[HealthSignal] | None)
    @staticmethod
    def signals(row: Row, info: Info) -> Sequence[health.SignalContent] | None:
        """Signals with their contributions to the score. Null for readers without access to this field."""
        return health.signals_of(row.content) if _may(info) else None

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

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """Account that the score is about."""
        return await info.context.get(accounts.Account, row.account_id)


@from_row(health.HealthSnapshot)
class HealthSnapshot(Node):
    """Health of an account at the beginning of a week or month; it never changes."""

    period: Annotated[SnapshotPeriod, "Period that it begins."]
    begins_on: Annotated[date, "First day of the period, on the account's calendar."]
    as_of: Annotated[datetime, "Instant up to which facts counted."]
    score_millionths: Annotated[int | None, "Score in millionths of a point."]
    fresh: Annotated[int, "Number of signals with enough facts in their window."]

    @resolver(HealthStatus)
    @staticmethod
    def status(row: SnapshotRow) -> HealthStatus:
        """Whether there was a score, and how far it could be relied on."""
        return _status(row)

    @resolver(float | None)
    @staticmethod
    def score(row: SnapshotRow) -> float | None:
        """Score in points; null with too little evidence."""
        return points(row.score_millionths)

    @resolver(HealthBand | None)
    @staticmethod
    def band(row: SnapshotRow) -> HealthBand | None:
        """Band that was confirmed."""
        return None if row.band is None else health.BANDS[row.band - 1]

    @resolver(PlainBand | None)
    @staticmethod
    def plain_band(row: SnapshotRow) -> PlainBand | None:
        """Band that was confirmed, by the other names."""
        return None if row.band is None else health.PLAIN_BANDS[row.band - 1]

    @resolver(float)
    @staticmethod
    def coverage(row: SnapshotRow) -> float:
        """Share of the weight that belonged to fresh signals."""
        return share(row.coverage_millionths)

    @resolver(float)
    @staticmethod
    def low(row: SnapshotRow) -> float:
        """Score if every signal without fresh facts had 0 points."""
        return points(row.low_millionths) or 0.0

    @resolver(float)
    @staticmethod
    def high(row: SnapshotRow) -> float:
        """Score if every signal without fresh facts had 100 points."""
        return points(row.high_millionths) or 0.0

    @resolver(list[HealthSignal])
    @staticmethod
    def signals(row: SnapshotRow) -> Sequence[health.SignalContent]:
        """Signals with their contributions to the score."""
        return health.signals_of(row.content)

    @resolver(Account | None)
    @staticmethod
    async def account(row: SnapshotRow, info: Info) -> accounts.Account | None:
        """Account that the score is about."""
        return await info.context.get(accounts.Account, row.account_id)


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

    @lists(AccountHealth, health.AccountHealth.low_millionths, health.AccountHealth.id)
    @staticmethod
    def account_healths(info: Info, account_id: AccountFilter = None) -> Rows:
        """Health of accounts as computed last, within seconds of each fact; the lowest lower bound first."""
        return visible(info, health.AccountHealth, account_id)

    @lists(HealthSnapshot, health.HealthSnapshot.as_of, health.HealthSnapshot.id, descending=True)
    @staticmethod
    def health_snapshots(
        info: Info,
        account_id: AccountFilter = None,
        period: Annotated[SnapshotPeriod | None, "Only snapshots of this period."] = None,
    ) -> Rows:
        """Health of accounts at the beginnings of weeks and months, the latest first."""
        row = health.HealthSnapshot
        query = visible(info, row, account_id)
        return query if period is None else query.where(row.period == period)


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
