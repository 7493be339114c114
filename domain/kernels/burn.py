"""How fast the error budget burns: several windows, compared in integers.

Factor of a pair of windows = share of the budget × period ÷ long window; a float comparison was
wrong in one of a hundred boundary cases. A pair speaks only from 20 parts in its long window on.
"""

from math import gcd
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.kernels.columns import Promises
from domain.kernels.jit import kernel, leaf
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
        late = np.zeros(b - a + 1, np.int32)
        for i in range(b - a):
            late[i + 1] = late[i] + 1 - done.kept[a + i]
        for pair in range(limits.says.size):
            _pair(
                done.tau[a:b],
                late,
                limits.long_us[pair],
                limits.short_us[pair],
                limits.ours[p, pair],
                limits.theirs[p, pair],
                limits.says[pair],
                says[a:b],
            )
    return says


@leaf
def _pair(
    tau: NDArray[np.int64],
    late: NDArray[np.int32],  # (parts + 1,) late parts before each
    long_us: int,
    short_us: int,
    ours: int,
    theirs: int,
    word: int,
    says: NDArray[np.uint8],
) -> None:
    long = short = 0
    for i in range(ENOUGH - 1, tau.size):
        now = tau[i]
        if tau[i - ENOUGH + 1] <= now - long_us:  # most parts: too few in the long window
            continue
        if i + 1 < tau.size and tau[i + 1] == now:  # the last of an instant speaks for all
            continue
        # Mostly 0, 1 or 2 steps, which a processor cannot foresee: two are taken without a branch.
        short += int(tau[short] <= now - short_us)
        short += int(tau[short] <= now - short_us)
        while tau[short] <= now - short_us:
            short += 1
        fast = int(late[i + 1]) - int(late[short])
        if fast == 0 or fast * ours < (i + 1 - short) * theirs:
            continue
        long += int(tau[long] <= now - long_us)
        long += int(tau[long] <= now - long_us)
        while tau[long] <= now - long_us:
            long += 1
        if (int(late[i + 1]) - int(late[long])) * ours >= (i + 1 - long) * theirs:
            j = i
            while j >= 0 and tau[j] == now:
                says[j] |= word
                j -= 1


@kernel
def alarms(
    says: NDArray[np.uint8], first: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many parts of each promise say PAGE and TICKET; `first` as in `Decided`."""
    pages, tickets = np.zeros(first.size - 1, np.int64), np.zeros(first.size - 1, np.int64)
    for p in range(first.size - 1):
        for said in says[first[p] : first[p + 1]]:
            pages[p] += said & PAGE
            tickets[p] += (said & TICKET) // TICKET
    return pages, tickets
