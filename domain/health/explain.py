"""Explain a score: what changed since a day, what would reach the next band, and what evidence is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

import msgspec
import numpy as np

from domain.health.actions import SignalContent, signals_of
from domain.health.curves import Curve
from domain.health.model import (
    BANDS,
    AccountHealth,
    HealthBand,
    HealthSnapshot,
    HealthTrend,
    SnapshotPeriod,
)
from domain.health.registry import BY_KEY
from domain.health.scoring import (
    CEILING,
    EDGES,
    ONE,
    POINT,
    TOP,
    Ints,
    SignalFreshness,
    band_of,
    change,
    needed,
)
from domain.health.signals import SignalKey
from domain.parameters import ParameterLevel


@dataclass(frozen=True, slots=True)
class SignalChange:
    """How much a signal that is fresh on both days moved the score, in millionths of a point."""

    key: SignalKey
    before: int
    after: int
    moved: int


@dataclass(frozen=True, slots=True)
class HealthChange:
    """The change of a score between two days: the parts add up to it."""

    before: int
    after: int
    signals: Sequence[SignalChange]
    coverage_change: int
    common_coverage: int

    @property
    def moved(self) -> int:
        """The change of the score."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The lowest value of one signal with which the score reaches the next band, and its figure."""

    key: SignalKey
    value: int
    figure: float | None
    unit: str
    band: HealthBand


class CurvePoint(NamedTuple):
    """A point of a curve: a figure, and its value in points; linear between points, constant outside."""

    figure: float
    value: float


@dataclass(frozen=True, slots=True)
class ShownSignal:
    """A signal as people see it: without value, figure and contribution where there is no score."""

    key: SignalKey
    state: int
    value: int | None
    weight: int
    contribution: int | None
    figure: float | None
    n: int
    as_of: datetime | None
    evidence: tuple[int, ...]
    curve: tuple[CurvePoint, ...]
    weight_source: ParameterLevel
    curve_source: ParameterLevel


@dataclass(frozen=True, slots=True)
class Missing:
    """A signal without fresh facts, how many facts it needs in which time, and how many there are."""

    key: SignalKey
    needed: int
    have: int
    window_days: int | None
    words: str


def shown_signals(row: AccountHealth | HealthSnapshot) -> list[ShownSignal]:
    """Return the signals of a score; without enough evidence their states and facts, and no number that rates them."""
    return [
        _shown(each, is_scored=row.score_millionths is not None) for each in signals_of(row.content)
    ]


def drivers(row: AccountHealth, most: int) -> list[ShownSignal]:
    """Return the signals that keep a score from 100 points, those that cost the most points first."""
    if row.score_millionths is None:
        return []
    weighed = [(_lost(each), each) for each in signals_of(row.content) if each.weight > 0]
    costly = sorted((each for each in weighed if each[0] > 0), key=lambda pair: -pair[0])
    return [_shown(each, is_scored=True) for _lost_points, each in costly[:most]]


def _lost(each: SignalContent) -> int:
    """Return weight times the points by which the counted value is below 100; 0 for a signal that does not count."""
    if each.state == SignalFreshness.MISSING or (
        each.state == SignalFreshness.LAPSED and each.contribution == 0 and each.value > 0
    ):
        return 0
    counted = each.value if each.state == SignalFreshness.FRESH else min(each.value, CEILING)
    return each.weight * (TOP - counted)


def _shown(each: SignalContent, *, is_scored: bool) -> ShownSignal:
    return ShownSignal(
        each.key,
        each.state,
        each.value if is_scored else None,
        each.weight,
        each.contribution if is_scored else None,
        each.figure if is_scored else None,
        each.n,
        each.as_of,
        each.evidence,
        tuple(CurvePoint(*point) for point in each.curve),
        each.weight_source,
        each.curve_source,
    )


def arrays_of(signals: Sequence[SignalContent]) -> tuple[Ints, Ints, Ints]:
    """Return values, states and weights of stored signals."""
    return (
        np.array([each.value for each in signals], np.int64),
        np.array([each.state for each in signals], np.int64),
        np.array([each.weight for each in signals], np.int64),
    )


def changed_since(
    before: AccountHealth | HealthSnapshot, after: AccountHealth | HealthSnapshot
) -> HealthChange | None:
    """Split the change between two scores of an account; None when either has too little evidence."""
    if before.score_millionths is None or after.score_millionths is None:
        return None
    old, new = signals_of(before.content), signals_of(after.content)
    earlier = {each.key: each for each in old}
    paired = [(earlier.get(each.key, _absent(each)), each) for each in new]
    was, is_now = arrays_of([each for each, _ in paired]), arrays_of(new)
    found = change(
        (*was[:2], before.score_millionths), (*is_now[:2], after.score_millionths), is_now[2]
    )
    return HealthChange(
        before.score_millionths,
        after.score_millionths,
        [
            SignalChange(each.key, first.value, each.value, int(moved))
            for (first, each), moved in zip(paired, found.by_signal, strict=True)
            if first.state == each.state == SignalFreshness.FRESH and each.weight > 0
        ],
        found.coverage_change,
        found.common,
    )


def moved_on_common(before: HealthSnapshot, after: HealthSnapshot) -> int | None:
    """Return the change between two snapshots on the signals fresh in both; None with too little evidence in common."""
    found = changed_since(before, after)
    if found is None or found.common_coverage < LEAST_COMMON:
        return None
    return sum(each.moved for each in found.signals)


def _absent(each: SignalContent) -> SignalContent:
    return SignalContent(
        key=each.key, state=int(SignalFreshness.MISSING), value=0, weight=each.weight, contribution=0,
        figure=None, n=0, as_of=None,
    )  # fmt: skip


def counterfactuals(row: AccountHealth) -> list[Counterfactual]:
    """Return, for each signal that alone can reach the next band, the lowest value that does; nearest first."""
    if row.score_millionths is None or (band := band_of(row.score_millionths)) > len(EDGES):
        return []
    signals = signals_of(row.content)
    value, state, weight = arrays_of(signals)
    wanted = needed(value, state, weight, EDGES[band - 1])
    found = [
        Counterfactual(
            each.key,
            int(lowest),
            _curve_of(each).figure(int(lowest)),
            BY_KEY[each.key].unit,
            BANDS[band],
        )
        for each, lowest in zip(signals, wanted, strict=True)
        if lowest >= 0
    ]
    now = {each.key: each.value for each in signals}
    return sorted(found, key=lambda each: each.value - now[each.key])


def _curve_of(each: SignalContent) -> Curve:
    return Curve(each.curve) if each.curve else BY_KEY[each.key].curve


def policy_version(row: AccountHealth | HealthSnapshot) -> str | None:
    """Return a digest of the weights and curves of a score: the same digest, the same policy; None for old scores."""
    signals = signals_of(row.content)
    if not all(each.curve for each in signals):
        return None
    policy = [(each.key, each.weight, each.curve) for each in signals]
    return sha256(msgspec.json.encode(policy)).hexdigest()[:16]


def missing_of(row: AccountHealth) -> list[Missing]:
    """Return what each weighed signal without fresh facts needs, the heaviest first."""
    lacking = [
        each
        for each in signals_of(row.content)
        if each.state != SignalFreshness.FRESH and each.weight > 0
    ]
    lacking.sort(key=lambda each: -each.weight)
    found = []
    for each in lacking:
        signal = BY_KEY[each.key]
        days = None if signal.window is None else signal.window.days
        have = 0 if each.state != SignalFreshness.MISSING else each.n
        found.append(Missing(each.key, signal.fewest, have, days, signal.words))
    return found


TREND_OVER = timedelta(days=90)
CLEAR = 5 * POINT
LEAST_COMMON = 4 * ONE // 10


def trend_of(row: AccountHealth, snapshots: Sequence[HealthSnapshot]) -> HealthTrend:
    """Compare a score with the earliest weekly snapshot of the 90 days before, on the signals fresh on both days."""
    earlier = [
        each
        for each in snapshots
        if each.period is SnapshotPeriod.WEEK and row.as_of - TREND_OVER <= each.as_of < row.as_of
    ]
    found = changed_since(min(earlier, key=lambda each: each.as_of), row) if earlier else None
    if found is None or found.common_coverage < LEAST_COMMON:
        return HealthTrend.UNKNOWN
    moved = sum(each.moved for each in found.signals)
    if abs(moved) < CLEAR:
        return HealthTrend.STEADY
    return HealthTrend.RISING if moved > 0 else HealthTrend.FALLING
