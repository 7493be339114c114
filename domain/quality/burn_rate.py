"""Burn rates of budgets at a time, with the kernel's thresholds; also computed between verdicts."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.evaluator.kernels.burn_rate import ENOUGH, PAGE, limits_for
from domain.evaluator.kernels.windows import PPM
from domain.quality.model import Burn
from domain.quality.rules import Measuring

PERIOD_US = 30 * 86_400_000_000


class Burning(NamedTuple):
    """Burn rate of one promise's budget, and what is left of the budget of the last 30 days."""

    term: int  # row of the log's promise dimension
    burn: Burn
    n: int
    misses_left: int


def burns(measuring: Measuring, at_us: int) -> Iterator[Burning]:
    """Return the burn rate of every promise of the log at a time; windows are (T - w, T]."""
    limits = limits_for(measuring.log.promises)
    done = measuring.by_term
    for term, objective_ppm in enumerate(measuring.log.promises.objective_ppm.tolist()):
        a, b = done.first[term], done.first[term + 1]
        b = a + np.searchsorted(done.tau[a:b], at_us, "right")
        trailing = _Trailing(done.tau[a:b], done.kept[a:b], at_us)
        says = 0
        for pair in range(limits.says.size):
            n, slow = trailing.counts(int(limits.long_us[pair]))
            m, fast = trailing.counts(int(limits.short_us[pair]))
            ours, theirs = int(limits.ours[term, pair]), int(limits.theirs[term, pair])
            if n >= ENOUGH and fast and slow * ours >= n * theirs and fast * ours >= m * theirs:
                says |= int(limits.says[pair])
        n, late = trailing.counts(PERIOD_US)
        burn = Burn.PAGE if says & PAGE else Burn.TICKET if says else Burn.CALM
        yield Burning(term, burn, n, (PPM - objective_ppm) * n // PPM - late)


class _Trailing(NamedTuple):
    """Decided parts up to a time, by time of decision."""

    tau: NDArray[np.int64]
    kept: NDArray[np.uint8]
    at_us: int

    def counts(self, wide_us: int) -> tuple[int, int]:
        """Count the parts in the window, and how many of them are late."""
        begin = int(np.searchsorted(self.tau, self.at_us - wide_us, "right"))
        n = self.tau.size - begin
        return n, n - int(np.count_nonzero(self.kept[begin:]))
