"""Snapshots of health: the score of an account at the beginnings of weeks and months."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

import strawberry

from domain import accounts, health
from domain.health import HealthBand, HealthStatus, PlainBand, SnapshotPeriod
from schema.accounts import Account
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.relations import to_one
from schema.core.roots import query_fields
from schema.core.types import enum, from_row, resolver
from schema.health_parts import HealthSignal, bound, points, share, status_of

enum(
    SnapshotPeriod,
    "HealthSnapshotPeriod",
    week="Week that begins on a Monday.",
    month="Month, from its first day.",
)

SnapshotRow = strawberry.Parent[health.HealthSnapshot]


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
        return status_of(row)

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

    @resolver(float | None)
    @staticmethod
    def low(row: SnapshotRow) -> float | None:
        """Score if every signal without fresh facts had 0 points; null with too little evidence."""
        return bound(row, row.low_millionths)

    @resolver(float | None)
    @staticmethod
    def high(row: SnapshotRow) -> float | None:
        """Score if every signal without fresh facts had 100 points; null with too little evidence."""
        return bound(row, row.high_millionths)

    @resolver(str | None)
    @staticmethod
    def policy_version(row: SnapshotRow) -> str | None:
        """Digest of weights and curves: equal for equal ones; null in snapshots from before curves were stored."""
        return health.policy_version(row)

    @resolver(list[HealthSignal])
    @staticmethod
    def signals(row: SnapshotRow) -> Sequence[health.ShownSignal]:
        """Signals with their contributions to the score."""
        return health.shown_signals(row)

    account = to_one(Account, accounts.Account, "account_id", "Account that the score is about.")


@query_fields
class HealthSnapshotQuery:
    """Queries of snapshots of health."""

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
