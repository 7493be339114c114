"""A series with one value a day. Days without a value are unknown, not zero."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class DailySeries:
    """Values of consecutive days from `first_on`; NaN where a day has none."""

    first_on: date
    values: NDArray[np.float64]  # (days,)

    @classmethod
    def of(cls, values: Mapping[date, float], *, until: date | None = None) -> Self:
        """Return the series of these days, as far as `until`; refuses an empty mapping with `ValueError`."""
        if not values:
            raise ValueError("A series needs at least one day.")
        first, last = min(values), max([*values, *([until] if until else [])])
        dense = np.full((last - first).days + 1, np.nan)
        for day, value in values.items():
            dense[(day - first).days] = value
        return cls(first, dense)

    @classmethod
    def of_counts(cls, counts: Mapping[date, int], *, first_on: date, until: date) -> Self:
        """Return a series of events that were all counted: a day without an entry had none."""
        dense = np.zeros(max(0, (until - first_on).days + 1))
        for day, count in counts.items():
            if first_on <= day <= until:
                dense[(day - first_on).days] = count
        return cls(first_on, dense)

    def __len__(self) -> int:
        return len(self.values)

    def day(self, index: int) -> date:
        """Return the date of a position."""
        return self.first_on + timedelta(days=index)

    def weekdays(self) -> NDArray[np.int64]:
        """Return the weekday of each day, Monday 0."""
        return (self.first_on.weekday() + np.arange(len(self))) % 7
