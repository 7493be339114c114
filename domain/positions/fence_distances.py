"""Distances of fixes from a geofence, each from the geofence that was in force at its time."""

from collections.abc import Sequence

import numpy as np

from domain.evaluator.kernels import geofence
from domain.positions.geofences import GeofencePeriod
from domain.positions.tracks import Floats, plane, slices


def outside_fence(
    drawn: Sequence[GeofencePeriod], t: Floats, lat: Floats, lon: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return each fix on the plane of its geofence, its distance outside (inf: no geofence), and that size."""
    x, y, size = np.zeros(t.size), np.zeros(t.size), np.zeros(t.size)
    outside = np.full(t.size, np.inf)
    for each, part in zip(drawn, slices(t, [each.from_at for each in drawn]), strict=True):
        if each.fence is None or part.start >= part.stop:
            continue
        corners = np.array(each.fence.corners, np.float64).reshape(-1, 2)
        x[part], y[part] = plane(each.fence.lat, each.fence.lon, lat[part], lon[part])
        outside[part] = geofence.outside_m(
            x[part], y[part], corners[:, 0].copy(), corners[:, 1].copy(), each.fence.radius_m
        )
        size[part] = each.fence.size_m
    return x, y, outside, size
