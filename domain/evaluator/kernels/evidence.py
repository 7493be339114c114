"""Plausibility of fixes: which fixes of a track can be true together, by the speed between them."""

import numpy as np
from numpy.typing import NDArray

from domain.evaluator.kernels.compilation import kernel, step

Floats = NDArray[np.float64]

FASTEST_MPS = 70.0  # nobody on duty travels faster (252 km/h)
SLACK_M = 50.0  # possible error of a position besides its accuracy
BLUR_M = 200.0  # upper limit of the accuracy that is taken into account
UNSAID_M = 10.0  # assumed accuracy of a fix without one
# A position other than the known one is believed after so many fixes in a row over so long,
MOVED_FIXES, MOVED_S = 3, 120.0
MOST_SUPPORT = 10  # and more of them than support the known position, up to this.

METRES_A_DEGREE = 111_195.0


@kernel
def credible(
    t: Floats,  # (fixes,) seconds, ascending
    lat: Floats,  # (fixes,) degrees
    lon: Floats,  # (fixes,) degrees
    accuracy_m: Floats,  # (fixes,) NaN is unknown
    support: int,  # fixes in a row that support the first one, itself included
) -> tuple[NDArray[np.bool_], int, int]:
    """Return which fixes are believed, (fixes,); which is the last of them; and how many in a row support it."""
    found = np.zeros(t.size, np.bool_)
    if not t.size:
        return found, -1, 0
    found[0] = True
    last, waiting = 0, -1
    for i in range(1, t.size):
        if _reachable(t, lat, lon, accuracy_m, last, i):
            found[i] = True
            last, waiting = i, -1
            support += 1
            continue
        if waiting < 0 or not _reachable(t, lat, lon, accuracy_m, i - 1, i):
            waiting = i
        count = i - waiting + 1
        if (
            count >= MOVED_FIXES
            and count > min(support, MOST_SUPPORT)
            and t[i] - t[waiting] >= MOVED_S
        ):
            found[waiting : i + 1] = True
            last, waiting, support = i, -1, count
    return found, last, support


@step
def _reachable(t: Floats, lat: Floats, lon: Floats, accuracy_m: Floats, a: int, b: int) -> bool:
    east = (lon[b] - lon[a] + 540.0) % 360.0 - 180.0
    x = east * np.cos(np.radians((lat[a] + lat[b]) / 2))
    metres = METRES_A_DEGREE * np.hypot(x, lat[b] - lat[a])
    for each in (a, b):
        metres -= UNSAID_M if np.isnan(accuracy_m[each]) else min(accuracy_m[each], BLUR_M)
    return metres <= SLACK_M + FASTEST_MPS * (t[b] - t[a])
