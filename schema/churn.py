"""Estimates of leaving: with bounds, contributions and calibration, or the reasons for which there is no number."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import strawberry

from domain import health
from domain.churn import AbstentionReason
from domain.retention import ChurnContribution as ContributionValue
from domain.retention import (
    ChurnHorizon,
    ForecastBasis,
    NumberShown,
    NumberWithheld,
)
from domain.retention import ForecastCalibration as CalibrationValue
from domain.retention import ReasonToAbstain as ReasonValue
from schema.core.context import Info
from schema.core.types import enum, from_row, relations, resolver

enum(
    ChurnHorizon,
    "ChurnHorizon",
    days_90="Within 90 days from now.",
    days_180="Within 180 days from now.",
    renewal="Until the end of the term; 180 days without one.",
)
enum(
    ForecastBasis,
    "ForecastBasis",
    rules="Published odds of signs alone: too little is known of the company's own clients.",
    rules_and_own_history="Published odds, moved by what the company's own clients did.",
)
enum(
    AbstentionReason,
    "AbstentionReason",
    little_coverage="Less than half of the weight of health signals is fresh.",
    new_client="The client has been one for less than 90 days.",
    wide_interval="The 90 % interval of 180 days is wider than 0.30.",
    both_possible="Leaving and staying are both possible at the accepted error of 0.1.",
)
ContributionRow = strawberry.Parent[ContributionValue]
ShownRow = strawberry.Parent[NumberShown]
WithheldRow = strawberry.Parent[NumberWithheld]


def share(millionths: int | None) -> float:
    """Return millionths as a share."""
    return (millionths or 0) / 1_000_000


@from_row(ContributionValue)
class ChurnContribution:
    """Sign that moves an estimate: what it adds, and the probability without it."""

    sign: Annotated[str, "Rule of an early warning in lower case, or `health_score`."]
    log_odds: Annotated[float, "What it adds to the log-odds of leaving in the next month."]

    @resolver(float)
    @staticmethod
    def without(row: ContributionRow) -> float:
        """Probability of leaving within the horizon without it."""
        return share(row.without_millionths)


@from_row(CalibrationValue)
class ForecastCalibration:
    """How earlier forecasts of the company came true; the figures are null with fewer than 20 leavers."""

    n: Annotated[int, "Number of forecasts of which the outcome is known."]
    leavers: Annotated[int, "Number of them after which the client left."]
    brier: Annotated[float | None, "Mean squared distance from the outcomes."]
    brier_of_base_rate: Annotated[float | None, "The same, had every forecast been the average."]
    ece: Annotated[float | None, "Mean distance of probability and share of leavers over ten bins."]
    bias: Annotated[float | None, "Mean probability − share of leavers."]


@from_row(ReasonValue)
class ReasonToAbstain:
    """Reason for which there is no number."""

    reason: Annotated[AbstentionReason, "Rule that withholds the number."]
    have: Annotated[float | None, "What there is: a share of coverage, or days; null otherwise."]
    needed: Annotated[float | None, "What is needed; null where it would tell of the number."]


@from_row(NumberShown)
class ChurnEstimate:
    """Probability that a client leaves within a horizon, with its bounds and what it is made of."""

    @resolver(ChurnHorizon)
    @staticmethod
    def horizon(row: ShownRow) -> ChurnHorizon:
        """Time until which it may leave."""
        return row.answer.horizon

    @resolver(int)
    @staticmethod
    def horizon_days(row: ShownRow) -> int:
        """Length of it in days; until the end of the term for RENEWAL."""
        return row.answer.days

    @resolver(datetime)
    @staticmethod
    def as_of(row: ShownRow) -> datetime:
        """Instant of the facts that it is computed from."""
        return row.answer.as_of

    @resolver(float)
    @staticmethod
    def probability(row: ShownRow) -> float:
        """Probability of leaving within the horizon."""
        return share(row.answer.probability_millionths)

    @resolver(float)
    @staticmethod
    def low(row: ShownRow) -> float:
        """Lower end of the 90 % interval."""
        return share(row.answer.low_millionths)

    @resolver(float)
    @staticmethod
    def high(row: ShownRow) -> float:
        """Upper end of the 90 % interval."""
        return share(row.answer.high_millionths)

    @resolver(float)
    @staticmethod
    def intercept(row: ShownRow) -> float:
        """Log-odds of leaving in a month without any sign and at 60 points of health."""
        return row.answer.intercept or 0.0

    @resolver(float)
    @staticmethod
    def log_odds(row: ShownRow) -> float:
        """Log-odds of leaving in the next month: the intercept and all contributions."""
        return row.answer.log_odds or 0.0

    @resolver(list[ChurnContribution])
    @staticmethod
    def contributions(row: ShownRow) -> Sequence[ContributionValue]:
        """What moves it, the largest first."""
        return row.answer.contributions

    @resolver(ForecastBasis)
    @staticmethod
    def basis(row: ShownRow) -> ForecastBasis:
        """What it rests on."""
        return row.answer.basis

    @resolver(int)
    @staticmethod
    def clients(row: ShownRow) -> int:
        """Number of the company's clients with observed months."""
        return row.answer.clients

    @resolver(int)
    @staticmethod
    def leavers(row: ShownRow) -> int:
        """Number of them that left."""
        return row.answer.leavers

    @resolver(ForecastCalibration)
    @staticmethod
    def calibration(row: ShownRow) -> CalibrationValue:
        """How earlier forecasts came true."""
        return row.answer.calibration


@from_row(NumberWithheld)
class Abstained:
    """Answer without a number: why there is none, what is needed, and the warnings that stand all the same."""

    @resolver(ChurnHorizon)
    @staticmethod
    def horizon(row: WithheldRow) -> ChurnHorizon:
        """Time until which it may leave."""
        return row.answer.horizon

    @resolver(datetime)
    @staticmethod
    def as_of(row: WithheldRow) -> datetime:
        """Instant of the facts."""
        return row.answer.as_of

    @resolver(list[ReasonToAbstain])
    @staticmethod
    def reasons(row: WithheldRow) -> Sequence[ReasonValue]:
        """Reasons for which there is no number; at least one."""
        return row.answer.reasons

    @relations("HealthNeed")
    @staticmethod
    async def needed(row: WithheldRow, info: Info) -> Sequence[Any]:
        """Facts that health lacks, the heaviest signal first."""
        found = await info.context.get_by(health.AccountHealth.account_id, row.answer.account_id)
        return [] if found is None else health.missing_of(found)

    @relations("EarlyWarning")
    @staticmethod
    async def warnings(row: WithheldRow, info: Info) -> list[Any]:
        """Early warnings of the account that are open now, the latest first."""
        found = await info.context.children(
            health.EarlyWarning.account_id,
            row.answer.account_id,
            order=(health.EarlyWarning.raised_at, health.EarlyWarning.id),
            descending=True,
            first=100,
        )
        return [each for each in found if each.cleared_at is None]


ChurnResult = Annotated[
    ChurnEstimate | Abstained,
    strawberry.union(
        "ChurnResult",
        description="Estimate of leaving, or the reasons for which there is no number.",
    ),
]
__all__ = ["Abstained", "ChurnEstimate", "ChurnResult"]
