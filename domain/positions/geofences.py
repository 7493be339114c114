"""Geofences of sites: a circle or a polygon, measured on a plane that touches the earth at the site.

The plane is wrong by less than 0.1 % within 50 km, which is less than the accuracy of any fix.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import cycle
from math import cos, hypot, isfinite, radians
from typing import NamedTuple

from domain.core.errors import Code, Refused

METRES_A_DEGREE = 111_195.0  # of a great circle on a sphere of 6,371,009 m
CORNERS = 200
FURTHEST_M = 50_000.0
FROM_SITE_M = 50_000.0  # maximum distance of a corner from the site
SMALLEST_M2 = 100.0  # 10 m by 10 m: the resolution of the best receivers
SAME_M = 0.5  # corners nearer than this are one


class Geofence(NamedTuple):
    """A circle (no corners) or a polygon around an origin; corners are x, y in metres east and north of it."""

    lat: float
    lon: float
    radius_m: float
    corners: tuple[tuple[float, float], ...] = ()

    def distance_m(self, lat: float, lon: float) -> float:
        """Return the distance of a position outside the geofence; negative is inside."""
        x, y = self.to_plane(lat, lon)
        return _to_outline(self.corners, x, y) if self.corners else hypot(x, y) - self.radius_m

    @property
    def size_m(self) -> float:
        """Return the approximate inner radius: a circle's radius, or twice a polygon's area by its length."""
        if not self.corners:
            return self.radius_m
        length = sum(
            hypot(bx - ax, by - ay)
            for (ax, ay), (bx, by) in zip(self.corners, _turned(self.corners), strict=True)
        )
        return 2 * area_m2(self.corners) / length

    def to_plane(self, lat: float, lon: float) -> tuple[float, float]:
        """Return metres east and north of the origin."""
        east = (lon - self.lon + 540.0) % 360.0 - 180.0  # a geofence may cross the date line
        return east * METRES_A_DEGREE * cos(radians(self.lat)), (lat - self.lat) * METRES_A_DEGREE


def area_m2(corners: Sequence[tuple[float, float]]) -> float:
    """Return the area of a polygon."""
    pairs = zip(corners, _turned(corners), strict=True)
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairs)) / 2


def _turned(corners: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    return [*corners[1:], corners[0]]


class GeofencePeriod(NamedTuple):
    """A site's geofence and its start; None: always, and no geofence."""

    from_at: datetime | None
    fence: Geofence | None


def fenced_now(drawn: Sequence[GeofencePeriod]) -> bool:
    """Return whether the site has a geofence after the last change."""
    return bool(drawn) and drawn[-1].fence is not None


def unfenced(
    drawn: Sequence[GeofencePeriod], from_at: datetime, until_at: datetime
) -> list[tuple[datetime, datetime]]:
    """Return the periods between two times in which there was no geofence."""
    starts = [from_at if each.from_at is None else each.from_at for each in drawn]
    return [
        (max(start, from_at), min(end, until_at))
        for each, start, end in zip(drawn, starts, [*starts[1:], until_at], strict=True)
        if each.fence is None and max(start, from_at) < min(end, until_at)
    ]


def fence_of(
    lat: float | None, lon: float | None, radius_m: float | None, outline: Sequence[float] | None
) -> Geofence | None:
    """Return a site's geofence: its outline (lat, lon, lat, lon …) if it has one, else the circle around it."""
    if outline:
        return polygon(outline)
    if lat is None or lon is None or radius_m is None:
        return None
    return Geofence(lat, lon, radius_m)


def polygon(outline: Sequence[float]) -> Geofence:
    """Return the geofence with these corners, measured from the first."""
    origin = Geofence(outline[0], outline[1], 0.0)
    corners = zip(outline[::2], outline[1::2], strict=True)
    return origin._replace(corners=tuple(origin.to_plane(*corner) for corner in corners))


def check_outline(outline: Sequence[float], lat: float | None, lon: float | None) -> None:
    """Refuse an outline that is no valid geofence of a site at `lat`, `lon` (None: coordinates unknown)."""
    if len(outline) % 2 or not 3 <= len(outline) // 2 <= CORNERS:
        raise _not(f"An outline must have 3 to {CORNERS} corners, each a latitude and a longitude.")
    if not all(map(isfinite, outline)) or any(
        abs(each) > most for each, most in zip(outline, cycle((90, 180)), strict=False)
    ):
        raise _not("A corner is a latitude (within 90) and then a longitude (within 180 degrees).")
    if lat is not None and lon is not None:
        _check_nearness(outline, Geofence(lat, lon, 0.0))
    corners = polygon(outline).corners
    if any(hypot(x, y) > FURTHEST_M for x, y in corners):
        raise _not("The outline is wider than 50 km.")
    # A corner given twice in a row, or the first one again at the end, is one corner.
    ring = [
        each for each, other in zip(corners, _turned(corners), strict=True) if _far(each, other)
    ]
    if len(ring) < 3:
        raise _not("An outline needs at least three different corners.")
    if _crosses_itself(ring):
        raise _not("The outline crosses or touches itself.")
    if area_m2(ring) < SMALLEST_M2:
        raise _not(
            f"The outline encloses less than {SMALLEST_M2:.0f} m²; no receiver could show a guard inside."
        )


def _check_nearness(outline: Sequence[float], site: Geofence) -> None:
    """Refuse an outline far from the site; the error hints at swapped latitude and longitude if that fits."""

    def farthest_m(lats: Sequence[float], lons: Sequence[float]) -> float:
        return max(hypot(*site.to_plane(*each)) for each in zip(lats, lons, strict=True))

    lats, lons = outline[::2], outline[1::2]
    if farthest_m(lats, lons) <= FROM_SITE_M:
        return
    swapped = max(map(abs, lons)) <= 90 and farthest_m(lons, lats) <= FROM_SITE_M
    hint = " Latitude and longitude of its corners seem to be swapped." if swapped else ""
    raise _not(f"The outline lies farther than {FROM_SITE_M / 1000:.0f} km from the site.{hint}")


def _not(words: str) -> Refused:
    return Refused(Code.INVALID, words, argument="outline")


def _far(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return hypot(a[0] - b[0], a[1] - b[1]) > SAME_M


def _to_outline(corners: Sequence[tuple[float, float]], x: float, y: float) -> float:
    inside, nearest = False, float("inf")
    ax, ay = corners[-1]
    for bx, by in corners:
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
        ex, ey = bx - ax, by - ay
        length = ex * ex + ey * ey
        t = 0.0 if length == 0 else min(1.0, max(0.0, ((x - ax) * ex + (y - ay) * ey) / length))
        nearest = min(nearest, hypot(x - ax - t * ex, y - ay - t * ey))
        ax, ay = bx, by
    return -nearest if inside else nearest


def _crosses_itself(corners: Sequence[tuple[float, float]]) -> bool:
    """Return whether two edges that are not neighbours meet, even in a corner."""
    count = len(corners)
    edges = [(corners[i], corners[(i + 1) % count]) for i in range(count)]
    return any(
        _meet(*edge, *other)
        for i, edge in enumerate(edges)
        for other in edges[i + 2 : count - (i == 0)]
    )


Corner = tuple[float, float]


def _meet(a: Corner, b: Corner, c: Corner, d: Corner) -> bool:
    def turn(a: Corner, b: Corner, c: Corner) -> float:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    def apart(axis: int) -> bool:
        return max(a[axis], b[axis]) < min(c[axis], d[axis]) or max(c[axis], d[axis]) < min(
            a[axis], b[axis]
        )

    return (
        not (apart(0) or apart(1))
        and turn(a, b, c) * turn(a, b, d) <= 0
        and turn(c, d, a) * turn(c, d, b) <= 0
    )
