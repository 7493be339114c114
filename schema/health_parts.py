"""Parts of a score of health: signals, missing evidence, changes and counterfactuals."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import strawberry

from domain import health
from domain.core.ledger import LedgerRow
from domain.health import HealthBand, HealthStatus, SignalCategory, SignalKey, SignalState
from schema.core.context import Info
from schema.core.types import enum, from_row, resolver
from schema.ledger import LedgerEntry
from schema.parameter_enums import ParameterLevel

enum(
    HealthBand,
    "HealthBand",
    healthy="80 to 100 points: engaged and growing. Nurture, and look for growth.",
    stable="60 to below 80: expectations are met. Strengthen the relationship.",
    at_risk="40 to below 60: there are warning signs. Make a plan to intervene.",
    critical="Below 40: several red flags. An executive acts at once.",
)
enum(
    SignalCategory,
    "HealthSignalCategory",
    engagement="Engagement: whether people of the client come, reply and answer.",
    delivery="Delivery: approvals, changes, rework, hours and promises.",
    business="Business: budget, organisation, competition, plans and payment.",
    relationship="Relationship: recommendation, executives, strength, candour, conflicts.",
)
enum(
    SignalKey,
    "HealthSignalKey",
    **{str(signal.key): signal.words for signal in health.SIGNALS},
)
enum(
    SignalState,
    "HealthSignalState",
    missing="It never had enough facts: it does not count.",
    fresh="It has enough facts in its window.",
    stale="It had enough facts within the last 180 days before: counts for 50 points at most.",
    lapsed="It was stale for longer: counts only where leaving it out would raise the score.",
)
STATES = (*SignalState,)
SignalRow = strawberry.Parent[health.ShownSignal]
CounterRow = strawberry.Parent[health.Counterfactual]
ChangeRow = strawberry.Parent[health.HealthChange]
SignalChangeRow = strawberry.Parent[health.SignalChange]


def points(millionths: int | None) -> float | None:
    """Return millionths of a point as points."""
    return None if millionths is None else millionths / 1_000_000


def bound(row: health.AccountHealth | health.HealthSnapshot, millionths: int) -> float | None:
    """Return a bound of a score in points; None where there is no score."""
    return None if row.score_millionths is None else points(millionths)


def share(millionths: int) -> float:
    """Return millionths as a share."""
    return millionths / 1_000_000


def status_of(row: health.AccountHealth | health.HealthSnapshot) -> HealthStatus:
    """Return whether there is a score, and how far it can be relied on."""
    if row.score_millionths is None:
        return HealthStatus.INSUFFICIENT_EVIDENCE
    return HealthStatus.PROVISIONAL if row.is_provisional else HealthStatus.SCORED


@from_row(health.CurvePoint)
class HealthCurvePoint:
    """Point of the curve of a signal; linear between points, constant outside."""

    figure: Annotated[float, "Figure of the signal, in its unit."]
    value: Annotated[float, "Value of that figure, in points."]


@from_row(health.ShownSignal)
class HealthSignal:
    """Signal of a score: its value, its weight, its contribution and the facts behind it.

    With too little evidence for a score, no figure, value and contribution.
    """

    key: Annotated[SignalKey, "Signal that was read."]
    weight: Annotated[int, "Weight in the score, relative to the others."]
    figure: Annotated[
        float | None,
        "Figure that the curve turns into the value; null when missing, and without a score.",
    ]
    n: Annotated[int, "Number of facts that count."]
    curve: Annotated[
        list[HealthCurvePoint],
        "Curve of the score; empty in scores from before curves were stored.",
    ]
    weight_source: Annotated[ParameterLevel, "Level that the weight comes from."]
    curve_source: Annotated[ParameterLevel, "Level that the curve comes from."]
    as_of: Annotated[datetime | None, "Time of the latest fact that counts."]

    @resolver(SignalCategory)
    @staticmethod
    def category(row: SignalRow) -> SignalCategory:
        """Part of the relationship that it is about."""
        return health.BY_KEY[row.key].category

    @resolver(SignalState)
    @staticmethod
    def state(row: SignalRow) -> SignalState:
        """How recent its facts are."""
        state: SignalState = STATES[row.state]
        return state

    @resolver(float | None)
    @staticmethod
    def value(row: SignalRow) -> float | None:
        """Value in points when it was fresh last; 0 when missing, null without a score."""
        return points(row.value)

    @resolver(float | None)
    @staticmethod
    def contribution(row: SignalRow) -> float | None:
        """Part of the score in points; null without a score."""
        return points(row.contribution)

    @resolver(int | None)
    @staticmethod
    def contribution_millionths(row: SignalRow) -> int | None:
        """Part of the score in millionths of a point; null without a score."""
        return row.contribution

    @resolver(str)
    @staticmethod
    def unit(row: SignalRow) -> str:
        """Unit of the figure, such as `days` or `share`."""
        return health.BY_KEY[row.key].unit

    @resolver(str)
    @staticmethod
    def words(row: SignalRow) -> str:
        """What the figure is."""
        return health.BY_KEY[row.key].words

    @resolver(list[LedgerEntry])
    @staticmethod
    async def evidence(row: SignalRow, info: Info) -> Sequence[LedgerRow]:
        """Facts that it follows from, at most the latest 20."""
        found: list[Any] = await asyncio.gather(
            *(info.context.get_by(LedgerRow.id, number) for number in row.evidence)
        )
        return [each for each in found if each is not None]


@from_row(health.Missing)
class HealthNeed:
    """Signal without fresh facts, and what would make it fresh."""

    key: Annotated[SignalKey, "Signal that lacks facts."]
    needed: Annotated[int, "Number of facts that it needs."]
    have: Annotated[int, "Number of them that there are."]
    window_days: Annotated[int | None, "Days within which they must lie; null for any time."]
    words: Annotated[str, "What the signal measures."]


@from_row(health.SignalChange)
class HealthSignalChange:
    """How much one signal moved the score, if it is fresh on both days."""

    key: Annotated[SignalKey, "Signal that moved the score."]

    @resolver(float)
    @staticmethod
    def before(row: SignalChangeRow) -> float:
        """Value on the earlier day, in points."""
        return points(row.before) or 0.0

    @resolver(float)
    @staticmethod
    def after(row: SignalChangeRow) -> float:
        """Value on the later day, in points."""
        return points(row.after) or 0.0

    @resolver(float)
    @staticmethod
    def moved(row: SignalChangeRow) -> float:
        """Part of the change of the score, in points."""
        return points(row.moved) or 0.0


@from_row(health.HealthChange)
class HealthChange:
    """Change of a score between two days; `signals` and `coverageChange` add up to it."""

    signals: Annotated[list[HealthSignalChange], "Signals that are fresh on both days."]

    @resolver(float)
    @staticmethod
    def before(row: ChangeRow) -> float:
        """Score on the earlier day, in points."""
        return points(row.before) or 0.0

    @resolver(float)
    @staticmethod
    def after(row: ChangeRow) -> float:
        """Score on the later day, in points."""
        return points(row.after) or 0.0

    @resolver(float)
    @staticmethod
    def moved(row: ChangeRow) -> float:
        """Change of the score, in points."""
        return points(row.moved) or 0.0

    @resolver(float)
    @staticmethod
    def coverage_change(row: ChangeRow) -> float:
        """Part of the change because signals became fresh, stale or weighed otherwise, in points."""
        return points(row.coverage_change) or 0.0

    @resolver(float)
    @staticmethod
    def common_coverage(row: ChangeRow) -> float:
        """Share of the weight that belongs to signals which are fresh on both days."""
        return share(row.common_coverage)


@from_row(health.Counterfactual)
class HealthCounterfactual:
    """Lowest value of one signal with which the score reaches the next band, all others unchanged."""

    key: Annotated[SignalKey, "Signal that would change."]
    figure: Annotated[float | None, "Figure with that value; null where no figure has it."]
    unit: Annotated[str, "Unit of the figure."]
    band: Annotated[HealthBand, "Band that is reached."]

    @resolver(float)
    @staticmethod
    def value(row: CounterRow) -> float:
        """Value of the signal, in points."""
        return points(row.value) or 0.0
