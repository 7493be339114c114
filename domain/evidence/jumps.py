"""Find impossible jumps between the fixes of a device."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from domain.evaluator.kernels import evidence

FASTEST_MPS, SLACK_M, BLUR_M, UNSAID_M = 70.0, 50.0, 200.0, 10.0  # as in the kernel `credible`

Floats = NDArray[np.float64]


def jumps(
    at: Floats,
    lat: Floats,
    lon: Floats,
    accuracy: Floats,
    believed: NDArray[np.bool_],
    out: NDArray[np.bool_],
) -> Floats:
    """Return for each fix the speed of the impossible jump that led to this position; 0 without one.

    A jump is forgotten with the next fix outside that was reached in a possible way.
    """
    found = np.zeros(at.size)
    blur = np.minimum(np.where(np.isnan(accuracy), UNSAID_M, accuracy), BLUR_M)
    speed = 0.0
    for a, b in pairwise(np.flatnonzero(believed).tolist()):
        east = ((lon[b] - lon[a] + 540.0) % 360.0 - 180.0) * np.cos(np.radians(lat[a]))
        metres = evidence.METRES_A_DEGREE * np.hypot(east, lat[b] - lat[a])
        taken = max(at[b] - at[a], 1.0)
        reached = (metres - blur[a] - blur[b] - SLACK_M) / taken
        if reached > FASTEST_MPS:
            speed = float(metres / taken)
        elif out[b]:
            speed = 0.0
        found[b] = speed
    return found
