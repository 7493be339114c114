"""Fences of sites: a circle or a polygon, measured on a plane that touches the earth at the site.

The plane is wrong by less than 0.1 % within 50 km, which is less than any fix knows.
"""

from collections.abc import Sequence
from datetime import datetime
from math import cos, hypot, radians
from typing import NamedTuple

from domain.errors import Code, Refused

METRES_A_DEGREE = 111_195.0  # of a great circle on a sphere of 6,371,009 m
CORNERS = 200
FURTHEST_M = 50_000.0


class Fence(NamedTuple):
    """A circle (no corners) or a polygon around an origin; corners are x, y in metres east and north of it."""

    lat: float
    lon: float
    radius_m: float
    corners: tuple[tuple[float, float], ...] = ()

    def distance_m(self, lat: float, lon: float) -> float:
        """How far outside the fence a place is; negative is inside."""
        x, y = self.place(lat, lon)
        return _to_outline(self.corners, x, y) if self.corners else hypot(x, y) - self.radius_m

    def place(self, lat: float, lon: float) -> tuple[float, float]:
        """Metres east and north of the origin."""
        east = (
            lon - self.lon + 540.0
        ) % 360.0 - 180.0  # a fence on the date line is as good as another
        return east * METRES_A_DEGREE * cos(radians(self.lat)), (lat - self.lat) * METRES_A_DEGREE


class Drawn(NamedTuple):
    """What was a site's fence from when on; None: always, and no fence."""

    from_at: datetime | None
    fence: Fence | None


def fenced_now(drawn: Sequence[Drawn]) -> bool:
    """Whether there is a fence in the end."""
    return bool(drawn) and drawn[-1].fence is not None


def unfenced(
    drawn: Sequence[Drawn], from_at: datetime, until_at: datetime
) -> list[tuple[datetime, datetime]]:
    """The stretches between two instants in which there was no fence."""
    starts = [from_at if each.from_at is None else each.from_at for each in drawn]
    return [
        (max(start, from_at), min(end, until_at))
        for each, start, end in zip(drawn, starts, [*starts[1:], until_at], strict=True)
        if each.fence is None and max(start, from_at) < min(end, until_at)
    ]


def fence_of(
    lat: float | None, lon: float | None, radius_m: float | None, outline: Sequence[float] | None
) -> Fence | None:
    """A site's fence: its outline (lat, lon, lat, lon …) if it has one, else the circle around it."""
    if outline:
        return polygon(outline)
    if lat is None or lon is None or radius_m is None:
        return None
    return Fence(lat, lon, radius_m)


def polygon(outline: Sequence[float]) -> Fence:
    """The fence with these corners, measured from the first."""
    origin = Fence(outline[0], outline[1], 0.0)
    corners = zip(outline[::2], outline[1::2], strict=True)
    return origin._replace(corners=tuple(origin.place(*corner) for corner in corners))


def check_outline(outline: Sequence[float]) -> None:
    """Refuse what is no polygon: too few or too many corners, no such places, too large, crossing itself."""
    if len(outline) % 2 or not 3 <= len(outline) // 2 <= CORNERS:
        raise Refused(Code.INVALID, f"An outline has 3 to {CORNERS} corners.", argument="outline")
    if any(not -90 <= lat <= 90 for lat in outline[::2]) or any(
        not -180 <= lon <= 180 for lon in outline[1::2]
    ):
        raise Refused(Code.INVALID, "A corner is a latitude and a longitude.", argument="outline")
    corners = polygon(outline).corners
    if any(hypot(x, y) > FURTHEST_M for x, y in corners):
        raise Refused(Code.INVALID, "A site is not wider than 50 km.", argument="outline")
    if _crosses_itself(corners):
        raise Refused(Code.INVALID, "The outline crosses itself.", argument="outline")


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
    def turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    count = len(corners)
    edges = [(corners[i], corners[(i + 1) % count]) for i in range(count)]
    for i, (a, b) in enumerate(edges):
        for c, d in edges[i + 2 : count - (i == 0)]:
            if turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0:
                return True
    return False
