"""Whether a forecast may be shown: with too little evidence there is no number, but what would be needed."""

from dataclasses import dataclass
from enum import StrEnum

from domain.churn.conformal import Thresholds
from domain.churn.hazard import HazardForecast

LEAST_COVERAGE = 0.5
"""Share of the weight of health signals that must be known."""
YOUNGEST_DAYS = 90
WIDEST = 0.30
"""Widest 90 % interval of the probability of 180 days."""


class AbstentionReason(StrEnum):
    """Why no probability is shown."""

    LITTLE_COVERAGE = "little_coverage"
    NEW_CLIENT = "new_client"
    WIDE_INTERVAL = "wide_interval"
    BOTH_POSSIBLE = "both_possible"


@dataclass(frozen=True, slots=True)
class Abstention:
    """A reason for which no probability is shown, with what is there and what is needed."""

    reason: AbstentionReason
    value: float
    needed: float


def abstentions(
    half_year: HazardForecast,
    *,
    coverage: float,
    age_days: int,
    thresholds: Thresholds | None = None,
) -> list[Abstention]:
    """Return the reasons not to show the forecast of 180 days; none means that it may be shown."""
    found = []
    if coverage < LEAST_COVERAGE:
        found.append(Abstention(AbstentionReason.LITTLE_COVERAGE, coverage, LEAST_COVERAGE))
    if age_days < YOUNGEST_DAYS:
        found.append(Abstention(AbstentionReason.NEW_CLIENT, age_days, YOUNGEST_DAYS))
    width = half_year.high - half_year.low
    if width > WIDEST:
        found.append(Abstention(AbstentionReason.WIDE_INTERVAL, width, WIDEST))
    if thresholds is not None:
        leaves, stays = thresholds.possible(half_year.probability)
        if leaves == stays:
            possible = half_year.probability
            found.append(Abstention(AbstentionReason.BOTH_POSSIBLE, possible, thresholds.stays))
    return found
