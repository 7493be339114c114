"""Values, intervals, bands, statuses and trends of KPIs, at their edges."""

from fractions import Fraction

import pytest

from domain.kpis import (
    CATALOGUE,
    KpiBand,
    KpiFigure,
    KpiKey,
    KpiLimits,
    KpiMeasure,
    KpiStatus,
    KpiTally,
    KpiTrend,
)
from domain.kpis.rules import band_of, figure_of, status_of, trend_of

CSAT, RESOLUTION = CATALOGUE[KpiKey.CSAT], CATALOGUE[KpiKey.RESOLUTION_TIME]
SLA = CATALOGUE[KpiKey.PROMISES_KEPT]
HOUR_US = 3_600_000_000


def share(hits: int, n: int) -> KpiFigure | None:
    """A CSAT."""
    return figure_of(CSAT, KpiTally(n, hits, n))


def exactly(value: Fraction | int) -> KpiFigure:
    """A figure of this value."""
    return KpiFigure(float(value), Fraction(value))


@pytest.mark.parametrize("key", KpiKey)
def test_below_the_least_number_there_is_no_value_never_0_or_100(key: KpiKey) -> None:
    kpi = CATALOGUE[key]
    if kpi.measure is KpiMeasure.COUNT:
        assert figure_of(kpi, KpiTally()) == KpiFigure(0.0, Fraction(0))
        return
    for n in range(kpi.n_min):
        for hits in {0, n}:
            assert figure_of(kpi, KpiTally(n, hits, n, hits, 0.0)) is None
    assert status_of(kpi, None, None, KpiLimits(0, 0)) is KpiStatus.NO_DATA
    assert figure_of(kpi, KpiTally(max(kpi.n_min, 1), 1, max(kpi.n_min, 1), 1, 1.0)) is not None


def test_a_share_has_the_interval_of_surveys() -> None:
    found = share(87, 100)
    assert found is not None
    assert (found.value, found.low is not None) == (87.0, True)
    assert found.low == pytest.approx(78.44, abs=0.01)
    assert found.high == pytest.approx(92.63, abs=0.01)
    all_of_five = share(5, 5)
    assert all_of_five is not None
    assert (all_of_five.value, all_of_five.exact, all_of_five.high) == (100.0, Fraction(100), 100.0)
    assert all_of_five.low == pytest.approx(46.29, abs=0.01)


def test_a_net_share_and_a_mean_have_the_values_of_surveys() -> None:
    nps = figure_of(CATALOGUE[KpiKey.NPS], KpiTally(10, 3, 10, 7))
    assert nps is not None
    assert nps.value == 30.0
    assert nps.low == pytest.approx(-30.4, abs=0.1)
    assert nps.high == pytest.approx(76.5, abs=0.1)
    ces = figure_of(CATALOGUE[KpiKey.CES], KpiTally(6, 30, 6, 156))
    assert ces is not None
    # Mean 5 with a sample deviation of √(6 / 5): 5 ± 2.571 · √(1.2 / 6).
    assert ces.value == 5.0
    assert ces.low == pytest.approx(3.850, abs=0.001)


def test_a_duration_has_its_median_beside_the_mean() -> None:
    found = figure_of(RESOLUTION, KpiTally(5, 20 * HOUR_US, 5, 0, 1.5 * HOUR_US))
    assert found is not None
    assert (found.value, found.median, found.low) == (4 * 3_600.0, 5_400.0, None)
    # Below four hours, not at four hours.
    assert status_of(RESOLUTION, found, None, KpiLimits(4 * 3_600)) is KpiStatus.MISSED
    under = figure_of(RESOLUTION, KpiTally(5, 20 * HOUR_US - 1, 5))
    assert status_of(RESOLUTION, under, None, KpiLimits(4 * 3_600)) is KpiStatus.MET


@pytest.mark.parametrize(
    ("value", "before", "status"),
    [
        (90, 95, KpiStatus.MET),  # at the target no improvement is asked
        (100, 100, KpiStatus.MET),
        (Fraction(899, 10), 89, KpiStatus.FLOOR),
        (Fraction(899, 10), Fraction(899, 10), KpiStatus.MISSED),  # not better than before
        (Fraction(899, 10), 91, KpiStatus.MISSED),
        (Fraction(899, 10), None, KpiStatus.FLOOR),  # nothing to improve on
        (85, 70, KpiStatus.MISSED),  # above the floor, not at it
        (Fraction(8_501, 100), 70, KpiStatus.FLOOR),
    ],
)
def test_csat_reaches_90_or_improves_above_85(
    value: Fraction | int, before: Fraction | int | None, status: KpiStatus
) -> None:
    earlier = None if before is None else exactly(before)
    assert status_of(CSAT, exactly(value), earlier, KpiLimits(90, 85)) is status


def test_a_comparison_is_exact() -> None:
    found = figure_of(SLA, KpiTally(10**15, 99 * 10**13, 10**15))
    above = figure_of(SLA, KpiTally(10**15, 99 * 10**13 + 1, 10**15))
    assert status_of(SLA, found, None, KpiLimits(99)) is KpiStatus.MISSED
    assert status_of(SLA, above, None, KpiLimits(99)) is KpiStatus.MET
    assert status_of(SLA, found, None, KpiLimits()) is KpiStatus.NO_TARGET
    assert trend_of(above, found) is KpiTrend.UP
    assert trend_of(found, above) is KpiTrend.DOWN
    assert trend_of(found, found) is KpiTrend.SAME
    assert trend_of(found, None) is None


@pytest.mark.parametrize(
    ("hits", "band"),
    [
        (0, KpiBand.POOR),
        (499, KpiBand.POOR),
        (500, KpiBand.GOOD),
        (799, KpiBand.GOOD),
        (800, KpiBand.EXCELLENT),
        (870, KpiBand.EXCELLENT),
        (1_000, KpiBand.EXCELLENT),
    ],
)
def test_bands_are_half_open(hits: int, band: KpiBand) -> None:
    assert band_of(CSAT, share(hits, 1_000)) is band


def test_only_percentages_that_should_be_high_have_bands() -> None:
    assert band_of(CSAT, None) is None
    assert band_of(CATALOGUE[KpiKey.REOPENED], exactly(10)) is None
    assert band_of(CATALOGUE[KpiKey.NPS], exactly(60)) is None
