"""Curves: from the raw figure of a signal to its value, linear between points and clamped outside."""

from dataclasses import dataclass
from itertools import pairwise

from domain.health.scoring import POINT


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (figure, value in points) in the order of the figures."""

    points: tuple[tuple[float, float], ...]

    def value(self, figure: float) -> int:
        """Return the value of a figure, in millionths of a point."""
        first, last = self.points[0], self.points[-1]
        if figure <= first[0]:
            return round(first[1] * POINT)
        if figure >= last[0]:
            return round(last[1] * POINT)
        for (x0, y0), (x1, y1) in pairwise(self.points):
            if figure <= x1:
                return round((y0 + (y1 - y0) * (figure - x0) / (x1 - x0)) * POINT)
        raise AssertionError(figure)

    def figure(self, value: int) -> float | None:
        """Return the figure nearest to the first point of the curve that has at least this value; None for none."""
        points, wanted = self.points, value / POINT
        if points[0][1] >= wanted:
            return points[0][0]
        for (x0, y0), (x1, y1) in pairwise(points):
            if y0 < wanted <= y1:
                return x0 + (x1 - x0) * (wanted - y0) / (y1 - y0)
        return None


def linear(zero: float, hundred: float) -> Curve:
    """Make the curve that is 0 at one figure and 100 at another."""
    ends = ((zero, 0.0), (hundred, 100.0))
    return Curve(ends if zero < hundred else ends[::-1])


AS_IS = linear(0, 100)
"""The figure itself is the value."""
