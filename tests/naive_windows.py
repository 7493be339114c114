"""The slow, obvious twin of windows, burn rates and scores: lists, sorting, fractions."""

from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from math import sqrt
from typing import NamedTuple
from zoneinfo import ZoneInfo

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


class Done(NamedTuple):
    """One decided part."""

    tau: int
    measure: int
    kept: bool
    quality: float


class Answer(NamedTuple):
    """What a window says."""

    kind: str
    from_us: int
    until_us: int
    n: int
    kept: int
    p50: int
    p90: int
    p95: int
    misses_left: int
    ratio: float
    wilson: float
    budget: float
    score: float


def edge(zone: str, day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()) * 10**6


def labels(day: date, year_starts: date) -> dict[str, object]:
    """Which window of each kind a local day belongs to."""
    contract_year = day.year - ((day.month, day.day) < (year_starts.month, year_starts.day))
    return {
        "DAY": day,
        "WEEK": day.isocalendar()[:2],
        "MONTH": (day.year, day.month),
        "QUARTER": (day.year, (day.month - 1) // 3),
        "YEAR": contract_year,
    }


def all_windows(zone: str, first_us: int, at: int, year_starts: date) -> list[tuple[str, int, int]]:
    """Every window, by walking through the days one by one."""
    first, last = (
        datetime.fromtimestamp(t // 10**6, ZoneInfo(zone)).date() for t in (first_us, at)
    )
    days = [first + timedelta(days=i) for i in range(-800, (last - first).days + 800)]
    found = []
    for kind in labels(first, year_starts):
        starts = [
            b
            for a, b in pairwise(days)
            if labels(a, year_starts)[kind] != labels(b, year_starts)[kind]
        ]
        for a, b in pairwise(starts):
            if b > first and a <= last:
                found.append((kind, edge(zone, a), edge(zone, b)))
    midnights = {edge(zone, day) for day in days if first < day <= last}
    for kind, width in (("LAST_24H", 1), ("LAST_7D", 7), ("LAST_28D", 28)):
        found += [(kind, e - width * DAY_US, e) for e in sorted(midnights | {at})]
    return found


def answers(
    done: list[Done], windows: list[tuple[str, int, int]], objective_ppm: int
) -> list[Answer]:
    found = []
    for kind, a, b in windows:
        inside = [d for d in done if a <= d.tau < b]
        if not inside:
            continue
        n, kept = len(inside), sum(d.kept for d in inside)
        measures = sorted(d.measure for d in inside)
        p50, p90, p95 = (measures[-(-p * n // 100) - 1] for p in (50, 90, 95))
        allowed = Fraction(10**6 - objective_ppm, 10**6) * n
        late = n - kept
        budget = float(1 - late / allowed) if allowed else (float("-inf") if late else 1.0)
        found.append(
            Answer(
                kind,
                a,
                b,
                n,
                kept,
                p50,
                p90,
                p95,
                allowed.__floor__() - late,
                kept / n,
                wilson(kept, n),
                budget,
                score(done, b),
            )
        )
    return found


def wilson(kept: int, n: int) -> float:
    z, p = 1.959963984540054, kept / n
    bound = (p + z * z / (2 * n) - z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (
        1 + z * z / n
    )
    return max(0.0, bound)


def score(done: list[Done], end: int) -> float:
    weights = [
        (float(2.0 ** ((d.tau - end) / (30 * DAY_US))), d.quality) for d in done if d.tau < end
    ]
    total: float = sum(w for w, _ in weights)
    return sum(w * q for w, q in weights) / total


def burn_says(done: list[Done], objective_ppm: int, period_days: int) -> list[tuple[bool, bool]]:
    """(page, ticket) at every decided part, exact."""
    free = 1 - Fraction(objective_ppm, 10**6)

    def burns(at: int, hours: Fraction, factor: Fraction) -> bool:
        inside = [d for d in done if at - hours * HOUR_US < d.tau <= at]
        late = sum(not d.kept for d in inside)
        return late > 0 and Fraction(late, len(inside)) >= factor * free

    def pair(at: int, share: Fraction, long: Fraction, short: Fraction) -> bool:
        inside = [d for d in done if at - long * HOUR_US < d.tau <= at]
        factor = share * period_days * 24 / long
        return len(inside) >= 20 and burns(at, long, factor) and burns(at, short, factor)

    f = Fraction
    return [
        (
            pair(d.tau, f(2, 100), f(1), f(5, 60)) or pair(d.tau, f(5, 100), f(6), f(1, 2)),
            pair(d.tau, f(10, 100), f(72), f(6)),
        )
        for d in done
    ]
