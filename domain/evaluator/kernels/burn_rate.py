"""Burn rates of error budgets: several windows, compared in integers."""

from math import gcd
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.evaluator.kernels.columns import Promises

MINUTE = 60_000_000
PAGE, TICKET = 1, 2
PAIRS = ((2, 60, 5, PAGE), (5, 360, 30, PAGE), (10, 4320, 360, TICKET))  # %, long, short, says
ENOUGH = 20
PPM = 1_000_000


class Limits(NamedTuple):
    """A pair burns too fast when late · ours >= n · theirs[promise] in both of its windows."""

    long_us: NDArray[np.int64]  # (pairs,)
    short_us: NDArray[np.int64]  # (pairs,)
    says: NDArray[np.uint8]  # (pairs,) PAGE or TICKET
    ours: NDArray[np.int64]  # (promises, pairs)
    theirs: NDArray[np.int64]  # (promises, pairs)


def limits_for(promises: Promises, period_days: int = 30) -> Limits:
    """Return the limits of every promise for a budget period; 14.4, 6 and 1 for 30 days."""
    ours, theirs = [], []
    for objective_ppm in promises.objective_ppm.tolist():
        for share, long, _, _ in PAIRS:
            left = 100 * PPM * long
            right = share * period_days * 1440 * (PPM - objective_ppm)
            common = gcd(left, right)
            ours.append(left // common)
            theirs.append(right // common)
    shape = (promises.cls.size, len(PAIRS))
    return Limits(
        long_us=np.array([pair[1] * MINUTE for pair in PAIRS], np.int64),
        short_us=np.array([pair[2] * MINUTE for pair in PAIRS], np.int64),
        says=np.array([pair[3] for pair in PAIRS], np.uint8),
        ours=np.array(ours, np.int64).reshape(shape),
        theirs=np.array(theirs, np.int64).reshape(shape),
    )
