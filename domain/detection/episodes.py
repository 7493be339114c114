"""What a scan finds: episodes of unusual days, and how much of the series could be judged."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum


class Detector(StrEnum):
    """Method that found something unusual."""

    DAILY = "daily"
    RARE = "rare"
    LEVEL = "level"
    SCORE = "score"


class Direction(StrEnum):
    """Side on which values are unusual."""

    HIGH = "high"
    LOW = "low"


class DayStanding(StrEnum):
    """Whether a day could be judged by a detector."""

    JUDGED = "judged"
    TOO_LITTLE_HISTORY = "too_little_history"
    TOO_FEW_A_DAY = "too_few_a_day"
    NO_VALUE = "no_value"


@dataclass(frozen=True, slots=True)
class Episode:
    """One unusual period: raised once, on `found_on`, and extended while it lasts.

    `value`, `base`, `scale` and `z` are those of its most unusual day, `peak_on`: what was counted, what the series'
    own history leads to expect, the usual deviation from it, and the deviation of this day in such units. `probability`
    is that of so many events by chance, for rare events. `days` are the unusual days from `first_on` to `last_on`.
    """

    detector: Detector
    direction: Direction
    found_on: date
    first_on: date
    last_on: date
    peak_on: date
    value: float
    base: float
    scale: float
    z: float
    days: tuple[date, ...]
    probability: float | None = None

    def joined(self, other: "Episode") -> "Episode":
        """Return this episode extended by a later one."""
        peak = other if abs(other.z) > abs(self.z) else self
        return replace(
            peak,
            found_on=self.found_on,
            first_on=self.first_on,
            last_on=other.last_on,
            days=(*self.days, *other.days),
        )


@dataclass(frozen=True, slots=True)
class Scan:
    """Result of a detector over a series: its episodes, and the number of days by whether they could be judged."""

    episodes: tuple[Episode, ...]
    standings: dict[DayStanding, int]
