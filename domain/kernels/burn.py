"""How fast the error budget burns: several windows, compared in integers.

Factor of a pair of windows = share of the budget × period ÷ long window; a float comparison was
wrong in one of a hundred boundary cases. A pair speaks only from 20 parts in its long window on.
"""

from math import gcd
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.kernels.columns import Promises
from domain.kernels.jit import kernel
from domain.kernels.windows import Decided

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
    """Limits of every promise for a budget period; 14.4, 6 and 1 for 30 days."""
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


@kernel
def burning(done: Decided, limits: Limits, p_from: int, p_until: int) -> NDArray[np.uint8]:
    """PAGE | TICKET at each part of the run, over the trailing windows (τ - w, τ]; (parts,)."""
    says = np.zeros(done.tau.size, np.uint8)
    for p in range(p_from, p_until):
        a, b = done.first[p - p_from], done.first[p - p_from + 1]
        late = np.zeros(b - a + 1, np.int64)
        for i in range(b - a):
            late[i + 1] = late[i] + 1 - done.kept[a + i]
        for pair in range(limits.says.size):
            ours, theirs = limits.ours[p, pair], limits.theirs[p, pair]
            long_us, short_us = limits.long_us[pair], limits.short_us[pair]
            long = short = i = 0
            last_late = np.int64(-(1 << 62))
            while i < b - a:
                now, end = done.tau[a + i], i
                while end < b - a and done.tau[a + end] == now:
                    if done.kept[a + end] == 0:
                        last_late = now
                    end += 1
                if last_late <= now - short_us:  # most parts: nothing late in the short window
                    i = end
                    continue
                while done.tau[a + long] <= now - long_us:
                    long += 1
                while done.tau[a + short] <= now - short_us:
                    short += 1
                slow, fast = late[end] - late[long], late[end] - late[short]
                if (
                    end - long >= ENOUGH
                    and slow * ours >= (end - long) * theirs
                    and fast * ours >= (end - short) * theirs
                ):
                    for j in range(i, end):
                        says[a + j] |= limits.says[pair]
                i = end
    return says
