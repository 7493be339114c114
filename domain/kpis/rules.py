"""Rules of KPIs: from the sums of facts to a value with its interval, band, status and trend. Pure functions."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import sqrt
from typing import NamedTuple

from domain.kpis.definitions import KpiComparator, KpiDefinition, KpiMeasure, KpiUnit
from domain.surveys import nps_interval, share, student_quantile

SECOND_US = 1_000_000
HIGHEST_EFFORT = 7


class KpiStatus(StrEnum):
    """Status of a value beside its target and floor."""

    MET = "met"
    FLOOR = "floor"
    MISSED = "missed"
    NO_TARGET = "no_target"
    NO_DATA = "no_data"


class KpiBand(StrEnum):
    """Band of a share of which higher values are better."""

    POOR = "poor"
    GOOD = "good"
    EXCELLENT = "excellent"


class KpiTrend(StrEnum):
    """Direction of a value since the window before."""

    UP = "up"
    DOWN = "down"
    SAME = "same"


class KpiTally(NamedTuple):
    """Sums over the facts of a KPI in a window.

    `n` is the number of facts with a denominator (of counts: of all facts), `squares` the sum of the squared
    numerators, `median` the median of the numerators; durations are in microseconds.
    """

    n: int = 0
    numerator: int = 0
    denominator: int = 0
    squares: int = 0
    median: float | None = None


@dataclass(frozen=True, slots=True)
class KpiFigure:
    """A value with the bounds of its 95 % interval, where there is one; the median beside the mean of durations."""

    value: float
    exact: Fraction
    low: float | None = None
    high: float | None = None
    median: float | None = None


class KpiLimits(NamedTuple):
    """Target and floor that apply, in the unit of the value."""

    target: int | None = None
    floor: int | None = None


def figure_of(kpi: KpiDefinition, tally: KpiTally) -> KpiFigure | None:
    """Return the value of a KPI; None below the least number of facts, which is never a 0 or a 100."""
    if kpi.measure is KpiMeasure.COUNT:
        return KpiFigure(float(tally.numerator), Fraction(tally.numerator))
    if tally.n < max(kpi.n_min, 1) or tally.denominator == 0:
        return None
    return _MEASURES[kpi.measure](tally)


def _share(tally: KpiTally) -> KpiFigure | None:
    found = share(tally.numerator, tally.denominator)
    exact = Fraction(100 * tally.numerator, tally.denominator)
    return None if found is None else KpiFigure(found.value, exact, found.low, found.high)


def _ratio(tally: KpiTally) -> KpiFigure:
    exact = Fraction(100 * tally.numerator, tally.denominator)
    return KpiFigure(float(exact), exact)


def _duration(tally: KpiTally) -> KpiFigure:
    exact = Fraction(tally.numerator, tally.denominator * SECOND_US)
    median = None if tally.median is None else tally.median / SECOND_US
    return KpiFigure(float(exact), exact, median=median)


def _net_share(tally: KpiTally) -> KpiFigure:
    # Numerators are 1, 0 and -1, so their squares count both ends, and their sum is the difference.
    promoters = (tally.squares + tally.numerator) // 2
    detractors = (tally.squares - tally.numerator) // 2
    low, high = nps_interval(promoters, detractors, tally.denominator)
    exact = Fraction(100 * tally.numerator, tally.denominator)
    return KpiFigure(float(exact), exact, low, high)


def _mean(tally: KpiTally) -> KpiFigure:
    n, exact = tally.denominator, Fraction(tally.numerator, tally.denominator)
    if n < 3:
        return KpiFigure(float(exact), exact, 1.0, float(HIGHEST_EFFORT))
    spread = float(Fraction(tally.squares, n) - exact * exact)
    half = student_quantile(n - 1) * sqrt(spread / (n - 1))
    value = float(exact)
    return KpiFigure(value, exact, max(1.0, value - half), min(float(HIGHEST_EFFORT), value + half))


_MEASURES = {
    KpiMeasure.SHARE: _share,
    KpiMeasure.RATIO: _ratio,
    KpiMeasure.DURATION: _duration,
    KpiMeasure.NET_SHARE: _net_share,
    KpiMeasure.MEAN: _mean,
}


def reaches(value: Fraction, comparator: KpiComparator, limit: int) -> bool:
    """Return whether a value reaches a target or floor, without rounding."""
    return {
        KpiComparator.AT_LEAST: value >= limit,
        KpiComparator.ABOVE: value > limit,
        KpiComparator.AT_MOST: value <= limit,
        KpiComparator.BELOW: value < limit,
    }[comparator]


def status_of(
    kpi: KpiDefinition, found: KpiFigure | None, before: KpiFigure | None, limits: KpiLimits
) -> KpiStatus:
    """Return the status: the target comes first, so that no improvement is asked of a value that reaches it."""
    if found is None:
        return KpiStatus.NO_DATA
    if limits.target is None and limits.floor is None:
        return KpiStatus.NO_TARGET
    if limits.target is not None and reaches(found.exact, kpi.comparator, limits.target):
        return KpiStatus.MET
    comparator = kpi.floor_comparator or kpi.comparator
    if limits.floor is None or not reaches(found.exact, comparator, limits.floor):
        return KpiStatus.MISSED
    if kpi.floor_improves and before is not None and not _better(kpi, found, before):
        return KpiStatus.MISSED
    return KpiStatus.FLOOR


def _better(kpi: KpiDefinition, found: KpiFigure, before: KpiFigure) -> bool:
    if kpi.comparator.higher_is_better:
        return found.exact > before.exact
    return found.exact < before.exact


def trend_of(found: KpiFigure | None, before: KpiFigure | None) -> KpiTrend | None:
    """Return the direction since the window before; None where either has no value."""
    if found is None or before is None:
        return None
    if found.exact == before.exact:
        return KpiTrend.SAME
    return KpiTrend.UP if found.exact > before.exact else KpiTrend.DOWN


def band_of(kpi: KpiDefinition, found: KpiFigure | None) -> KpiBand | None:
    """Return the band of a share: poor below 50, good from 50, excellent from 80; None where there is none."""
    higher = kpi.comparator.higher_is_better and kpi.unit is KpiUnit.PERCENT
    if found is None or not higher:
        return None
    if found.exact < 50:
        return KpiBand.POOR
    return KpiBand.GOOD if found.exact < 80 else KpiBand.EXCELLENT
