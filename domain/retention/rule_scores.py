"""Scores of loyalty, expansion and advocacy by published rules: parts with weights; and the moment to propose."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

POINT = 1_000_000


class RuleScoreKind(StrEnum):
    """What a rule score is about."""

    LOYALTY = "loyalty"
    EXPANSION = "expansion"
    ADVOCACY = "advocacy"


class GoodMoment(StrEnum):
    """Moment at which a proposal is welcome."""

    AFTER_A_SUCCESS = "after_a_success"
    PLANNING_CYCLE = "planning_cycle"
    NEW_CHALLENGE = "new_challenge"
    RENEWAL_TIME = "renewal_time"
    NEW_STAKEHOLDER = "new_stakeholder"
    COMPETITOR_MOVES = "competitor_moves"


class BadMoment(StrEnum):
    """Moment at which no proposal is made."""

    PROBLEM_OPEN = "problem_open"
    UNDER_PRESSURE = "under_pressure"
    BUDGET_DISCUSSED = "budget_discussed"
    CHAMPION_AWAY = "champion_away"
    VALUE_NOT_PROVEN = "value_not_proven"


@dataclass(frozen=True, slots=True)
class ScorePart:
    """A part of a rule score: its weight, its value from 0 to 100 points in millionths, None where nothing is known."""

    key: str
    weight: int
    value: int | None
    words: str
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleScore:
    """A score of parts; those without facts count 0, so that silence never looks like loyalty."""

    kind: RuleScoreKind
    parts: tuple[ScorePart, ...]

    @property
    def coverage(self) -> float:
        """Share of the weight of which something is known."""
        whole = sum(each.weight for each in self.parts)
        return sum(each.weight for each in self.parts if each.value is not None) / whole

    @property
    def value(self) -> int | None:
        """Sum of weight times value, in millionths of a point; None with less than half of the weight known."""
        if self.coverage < LEAST_COVERAGE:
            return None
        return sum(self.contribution(each) for each in self.parts)

    def contribution(self, part: ScorePart) -> int:
        """Return what a part adds, in millionths of a point; the parts add up to the score exactly."""
        return 0 if part.value is None else part.weight * part.value // 100


LEAST_COVERAGE = 0.5


@dataclass(frozen=True, slots=True)
class ProposalGate:
    """Whether now is the moment to propose more: some good moment, and no bad one."""

    good: tuple[GoodMoment, ...]
    bad: tuple[BadMoment, ...]

    @property
    def is_open(self) -> bool:
        """Whether a proposal may be made."""
        return bool(self.good) and not self.bad


@dataclass(frozen=True, slots=True)
class LifetimeValue:
    """Value of a client for as long as it is expected to stay: a year's value × years, with the interval of leaving."""

    yearly_value_cents: int
    low_cents: int
    expected_cents: int
    high_cents: int
    words: str = (
        "12 × the period fees in force ÷ probability of leaving in a year, from the estimate of 180 days"
        " and its interval; at most 20 years."
    )


MOST_YEARS = 20.0


def lifetime_value(yearly_cents: int, shares: Sequence[float]) -> LifetimeValue:
    """Return the value from the low, expected and high probability of leaving within 180 days."""
    low, middle, high = (_years(each) for each in shares)
    return LifetimeValue(
        yearly_cents,
        round(yearly_cents * high),
        round(yearly_cents * middle),
        round(yearly_cents * low),
    )


def _years(half_year: float) -> float:
    """Return the expected years of a client that leaves within 180 days with this probability, at most 20."""
    yearly = 1 - (1 - half_year) ** (365 / 180)
    return min(MOST_YEARS, 1 / yearly) if yearly > 0 else MOST_YEARS


def linear(figure: float, zero: float, full: float) -> int:
    """Return 0 to 100 points, in millionths, between two figures."""
    share = (figure - zero) / (full - zero)
    return round(100 * POINT * min(1.0, max(0.0, share)))
