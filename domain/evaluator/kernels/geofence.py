"""Detectors: distance from a geofence, stays inside it, and dwells (standing still)."""

import numpy as np
from numpy.typing import NDArray

from domain.evaluator.kernels.compilation import kernel, step

Floats = NDArray[np.float64]

BLURRED_M = 100.0  # a less accurate fix is ignored near the edge of a geofence
UNSAID_M = 10.0  # assumed accuracy of a fix without one
MARGIN_M = 10.0  # minimum distance outside that ends a stay
SURE_SHARE = (
    0.5  # of the geofence's size: a fix inside that is at least so accurate counts anywhere inside
)
ENTER_FIXES, ENTER_S = (
    2.0,
    5.0,
)  # minimum fixes inside, and their duration: one stray fix is no arrival
LEAVE_FIXES, LEAVE_S = 2.0, 20.0
SLOW_MPS, FAST_MPS = 3.0, 8.0  # slower: has stopped; faster: is passing through
RIDE_S = 60.0  # between the two: minimum time inside

# Standing still, chosen on every other day of real tracks with a diary (agreement there 0.903, on the other days
# 0.879; a speed below 0.5 m/s over 120 s: 0.885 and 0.868).
STILL_M, STILL_S = 35.0, 420.0  # within this distance of one spot for this time
AWAY_M, AWAY_S = 70.0, 30.0  # until farther than this for this time
WEIGHT = 60.0, 600.0  # fixes that the spot is a mean of, before and during a dwell

METRES_A_DEGREE = 111_195.0  # of a great circle on a sphere of 6,371,009 m
STAY = 11  # numbers in the state of a stay detector, and the positions of
LAST, BEFORE = (
    9,
    10,
)  # the last fix that supports the stay, and the last one with a vote
DWELL = 9  # numbers in the state of a dwell detector


@kernel
def outside_m(
    x: Floats,  # (fixes,) metres east
    y: Floats,  # (fixes,) metres north
    corner_x: Floats,  # (corners,) of the geofence; none: a circle around 0, 0
    corner_y: Floats,  # (corners,)
    radius_m: float,
) -> Floats:
    """Return the distance of each position outside the geofence, (fixes,); negative is inside."""
    found = np.empty(x.size)
    for i in range(x.size):
        if corner_x.size == 0:
            found[i] = np.hypot(x[i], y[i]) - radius_m
        else:
            found[i] = _outside_polygon(x[i], y[i], corner_x, corner_y)
    return found


@step
def _outside_polygon(x: float, y: float, corner_x: Floats, corner_y: Floats) -> float:
    inside = False
    nearest = np.inf
    ax, ay = corner_x[-1], corner_y[-1]
    for c in range(corner_x.size):
        bx, by = corner_x[c], corner_y[c]
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
        ex, ey = bx - ax, by - ay
        length = ex * ex + ey * ey
        t = 0.0
        if length > 0:
            t = min(1.0, max(0.0, ((x - ax) * ex + (y - ay) * ey) / length))
        nearest = min(nearest, np.hypot(x - ax - t * ex, y - ay - t * ey))
        ax, ay = bx, by
    return -nearest if inside else nearest


IN, NEAR, OUT, NOTHING = 1, 0, -1, 2  # vote of a fix about a geofence


def votes(outside: Floats, size_m: Floats, accuracy_m: Floats) -> NDArray[np.int8]:
    """Return the vote of each fix on a geofence of this size, (fixes,): `IN`, `NEAR` its edge, `OUT`, `NOTHING`."""
    blur = np.where(np.isnan(accuracy_m), UNSAID_M, accuracy_m)
    inside = (outside <= -blur) | ((outside <= 0) & (blur <= SURE_SHARE * size_m))
    says = np.where(
        outside > np.maximum(MARGIN_M, blur), OUT, np.where(blur > BLURRED_M, NOTHING, NEAR)
    )
    return np.where(inside, IN, says).astype(np.int8)


@kernel
def stays(
    t: Floats,  # (fixes,) seconds, ascending
    x: Floats,  # (fixes,) metres east of any origin, the same for every call
    y: Floats,  # (fixes,) metres north of it
    accuracy_m: Floats,  # (fixes,) NaN is unknown
    speed_mps: Floats,  # (fixes,) as reported by the device, NaN is unknown
    says: NDArray[np.int8],  # (fixes,) from `votes`
    hole_s: float,  # a longer gap between fixes proves nothing
    memory: Floats,  # (STAY,) state, changed in place; zeros at first
) -> Floats:
    """Return stays inside a geofence, (stays, 4): from, proven at, until (-1: not ended), lapsed."""
    found = np.empty((t.size + 1, 4))
    rows = 0
    here, since, first_x, first_y, first_blur, count, proven, gone, against, last, before = memory
    if here:
        found[0] = since, proven, -1.0, 0.0
        rows = 1
    for i in range(t.size):
        if says[i] == NOTHING:
            continue
        if (here or count) and t[i] - before > hole_s:
            if here:
                found[rows - 1, 2], found[rows - 1, 3] = last, 1.0
            here, count, against = 0.0, 0.0, 0.0
        before = t[i]
        if says[i] == OUT:
            count = 0.0
            if here:
                if against == 0:
                    gone = t[i]
                against += 1
                if against >= LEAVE_FIXES and t[i] - gone >= LEAVE_S:
                    here, against = 0.0, 0.0
                    found[rows - 1, 2] = gone
            continue
        against = 0.0
        last = t[i]
        if here or says[i] == NEAR:
            continue
        blur = UNSAID_M if np.isnan(accuracy_m[i]) else accuracy_m[i]
        speed = 0.0 if np.isnan(speed_mps[i]) else speed_mps[i]
        if speed > FAST_MPS:
            count = 0.0
            continue
        if count:
            covered = np.hypot(x[i] - first_x, y[i] - first_y) - blur - first_blur
            speed = max(speed, covered / (t[i] - since))
        if not count or speed > FAST_MPS:
            since, first_x, first_y, first_blur, count = t[i], x[i], y[i], blur, 1.0
            continue
        count += 1
        held = t[i] - since
        if count >= ENTER_FIXES and ((held >= ENTER_S and speed <= SLOW_MPS) or held >= RIDE_S):
            here, proven, count = 1.0, t[i], 0.0
            found[rows] = since, proven, -1.0, 0.0
            rows += 1
    memory[:] = np.array(
        [here, since, first_x, first_y, first_blur, count, proven, gone, against, last, before]
    )
    return found[:rows]


@kernel
def dwells(
    t: Floats,  # (fixes,) seconds, ascending
    x: Floats,  # (fixes,) metres east of any origin, the same for every call
    y: Floats,  # (fixes,) metres north of it
    new: int,  # the first new fix; those from `memory[0]` on are included
    memory: Floats,  # (DWELL,) state, changed in place; zeros at first
) -> Floats:
    """Return periods of standing still, (dwells, 3): from, proven at, until (-1: not ended)."""
    found = np.empty((t.size + 1, 3))
    rows = 0
    _want, spot_x, spot_y, weight, since, still, gone, begun, proven = memory
    if still:
        found[0] = since, proven, -1.0
        rows = 1
    start = 0  # of the run that may become a dwell
    for i in range(new, t.size):
        if not begun:
            begun, spot_x, spot_y, weight, since, start = 1.0, x[i], y[i], 1.0, t[i], i
            continue
        away = np.hypot(x[i] - spot_x, y[i] - spot_y)
        if still:
            if away > AWAY_M:
                if gone < 0:
                    gone = t[i]
                if t[i] - gone >= AWAY_S:
                    found[rows - 1, 2] = gone
                    still, gone, start = 0.0, -1.0, i
                    spot_x, spot_y, weight, since = x[i], y[i], 1.0, t[i]
            else:
                gone = -1.0
                if away <= STILL_M:
                    weight = min(weight + 1, WEIGHT[1])
                    spot_x += (x[i] - spot_x) / weight
                    spot_y += (y[i] - spot_y) / weight
        elif away <= STILL_M:
            weight = min(weight + 1, WEIGHT[0])
            spot_x += (x[i] - spot_x) / weight
            spot_y += (y[i] - spot_y) / weight
            if t[i] - since >= STILL_S:
                still, gone, proven = 1.0, -1.0, t[i]
                found[rows] = since, proven, -1.0
                rows += 1
        else:
            while start < i and np.hypot(x[start] - x[i], y[start] - y[i]) > STILL_M:
                start += 1
            since, weight = t[start], float(i - start + 1)
            spot_x, spot_y = np.mean(x[start : i + 1]), np.mean(y[start : i + 1])
            weight = min(weight, WEIGHT[0])
    want = t[-1] if still and t.size else since
    memory[:] = np.array([want, spot_x, spot_y, weight, since, still, gone, begun, proven])
    return found[:rows]
