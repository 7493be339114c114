"""Grade an instant by the fixes around it: pure, and the same for any order and split of the fixes.

Each fix has a best grade that it can support (accuracy, delay, clock, simulation, jumps). A grade is proven from the
first fix of a chain of fixes inside the geofence that support it: enough of them, long enough, without long gaps. So
a fix that supports no more than C can never help to prove A or B, and fixes marked as simulated support nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.evaluator.kernels import evidence, geofence
from domain.evidence.jumps import UNSAID_M, jumps
from domain.evidence.rules import (
    GRADES,
    NOT_PROVEN,
    PROVING,
    Assessment,
    EvidenceReason,
    EvidenceSource,
    Grade,
    ReasonCode,
    worst,
)
from domain.evidence.thresholds import DEFAULT_THRESHOLDS, EvidenceThresholds

BEFORE_S, AFTER_S = 1_800.0, 1_800.0
"""Fixes so long before and after an instant are taken into account."""
MOCK_NEAR_S = 300.0  # a simulated fix makes those around it worthless
CHAIN_FIXES = (3, 2, 2)  # for A, B and C
STEADY_FIXES, STEADY_S, STEADY_SPREAD_S = 3, 60.0, 30.0
"""So many fixes over so long with nearly the same delay: not a network, but a clock that is behind."""

Floats = NDArray[np.float64]
Ranks = NDArray[np.int64]  # of grades: 0 is A, 3 is D
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_A, _B, _C, _D = range(4)


@dataclass(frozen=True, slots=True)
class MeasuredFix:
    """One fix as the grade needs it; None is unknown.

    `outside_m` is the distance outside the geofence (negative: inside), `size_m` the size of the geofence, `skew_s`
    how far the device's clock was behind when it sent the fix. Times are seconds since 1970.
    """

    at_s: float
    received_s: float
    lat: float
    lon: float
    outside_m: float
    size_m: float
    accuracy_m: float | None = None
    skew_s: float | None = None
    mock: bool | None = None


class _Fixes(NamedTuple):
    """Fixes as columns in the order of their time, (fixes,) each."""

    at: Floats
    lag: Floats
    accuracy: Floats
    skew: Floats
    mock_unsaid: NDArray[np.bool_]
    near_mocks: Floats  # how many simulated fixes there are nearby
    jump_mps: Floats  # the speed of the jump that led here; 0: none
    believed: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    sure: NDArray[np.bool_]  # the whole circle of uncertainty is inside
    behind: NDArray[np.bool_]  # steadily late
    limits: EvidenceThresholds


def grade_by_fixes(
    instant: datetime,
    fixes: Sequence[MeasuredFix],
    *,
    from_at: datetime | None = None,
    until_at: datetime | None = None,
    limits: EvidenceThresholds = DEFAULT_THRESHOLDS,
) -> Assessment:
    """Grade the instant at which somebody was at a site, by the fixes of the device.

    Only fixes of the stay from `from_at` to `until_at` support it; the others show what happened before and after.
    """
    t = _s(instant)
    near = [fix for fix in fixes if t - BEFORE_S <= fix.at_s <= t + AFTER_S]
    columns = _columns(near, limits)
    if columns is None:
        return NOT_PROVEN
    stay = columns.inside & columns.believed
    if from_at is not None:
        stay &= columns.at >= _s(from_at)
    if until_at is not None:
        stay &= columns.at < _s(until_at)
    ranks = _ranks(columns)
    proven: dict[Grade, datetime] = {}
    for rank, grade in enumerate(PROVING):
        since = _proven_from(columns.at[stay & (ranks <= rank)], rank, t, limits)
        if since is not None:
            proven[grade] = _at(since)
    grade = next((each for each, since in proven.items() if since <= instant), Grade.D)
    reasons = _reasons(columns, stay, ranks, t, grade)
    return Assessment(EvidenceSource.GEOFENCE, grade, reasons, proven)


def _proven_from(at: Floats, rank: int, t: float, limits: EvidenceThresholds) -> float | None:
    """Return from when on, not before `t`, a chain of fixes proves a grade; None: none does."""
    for chain in _chains(at, limits.gap_s[rank]):
        enough = chain.size >= CHAIN_FIXES[rank] and chain[-1] - chain[0] >= limits.dwell_s[rank]
        if enough and chain[-1] >= t:
            return max(float(chain[0]), t)
    return None


def _chains(at: Floats, gap_s: float) -> list[Floats]:
    """Split the times of fixes where the gap is longer than a grade allows."""
    return np.split(at, np.flatnonzero(np.diff(at) > gap_s) + 1) if at.size else []


def _columns(fixes: Sequence[MeasuredFix], limits: EvidenceThresholds) -> _Fixes | None:
    """Return the real fixes as columns, each with what is known about those around it; None: there are none."""
    ordered = sorted(fixes, key=lambda fix: (fix.at_s, fix.received_s, fix.lat, fix.lon))
    mocks = np.array([fix.at_s for fix in ordered if fix.mock], np.float64)
    real = [fix for fix in ordered if not fix.mock]
    if not real:
        return None

    def floats(values: Sequence[float | None]) -> Floats:
        return np.array(values, np.float64)  # None becomes NaN

    at = floats([fix.at_s for fix in real])
    lat, lon = floats([fix.lat for fix in real]), floats([fix.lon for fix in real])
    accuracy = floats([fix.accuracy_m for fix in real])
    outside, size = floats([f.outside_m for f in real]), floats([f.size_m for f in real])
    lag = floats([fix.received_s for fix in real]) - at
    votes = geofence.votes(outside, size, accuracy)
    believed, _, _ = evidence.credible(at, lat, lon, accuracy, 1)
    near = np.searchsorted(mocks, at + MOCK_NEAR_S, "right") - np.searchsorted(
        mocks, at - MOCK_NEAR_S, "left"
    )
    return _Fixes(
        at=at,
        lag=lag,
        accuracy=accuracy,
        skew=floats([fix.skew_s for fix in real]),
        mock_unsaid=np.array([fix.mock is None for fix in real], np.bool_),
        near_mocks=near.astype(np.float64),
        jump_mps=jumps(at, lat, lon, accuracy, believed, votes == geofence.OUT),
        believed=believed,
        inside=votes == geofence.IN,
        sure=outside <= -np.where(np.isnan(accuracy), UNSAID_M, accuracy),
        behind=_steadily_late(at, lag, votes == geofence.IN, limits.delay_s[_A]),
        limits=limits,
    )


def _steadily_late(
    at: Floats, lag: Floats, inside: NDArray[np.bool_], prompt_s: float
) -> NDArray[np.bool_]:
    """Return which fixes are late, when all of those inside are late by nearly the same time, over a while."""
    t, late = at[inside], lag[inside]
    steady = (
        t.size >= STEADY_FIXES
        and t[-1] - t[0] >= STEADY_S
        and late.min() > prompt_s
        and late.max() - late.min() <= STEADY_SPREAD_S
    )
    return inside if steady else np.zeros(at.size, np.bool_)


def _ranks(fixes: _Fixes) -> Ranks:
    """Return the best grade that each fix can support, as its rank."""
    found = np.zeros(fixes.at.size, np.int64)
    for rule in (_accuracy, _delay, _skew, _mock, _jump):
        found = np.maximum(found, rule(fixes))
    return found


def _accuracy(fixes: _Fixes) -> Ranks:
    for_a, for_b = fixes.limits.accuracy_m
    accurate = np.where(fixes.accuracy <= for_b, _B, _C)
    return np.where(fixes.sure & (fixes.accuracy <= for_a), _A, accurate)


def _delay(fixes: _Fixes) -> Ranks:
    for_a, for_b = fixes.limits.delay_s
    said = np.select([fixes.lag <= for_a, fixes.lag <= for_b], [_A, _B], _C)
    return np.where(fixes.behind, _D, said)


def _skew(fixes: _Fixes) -> Ranks:
    wrong = np.nan_to_num(np.abs(fixes.skew))  # unknown: the delay shows what it can
    for_a, for_b = fixes.limits.skew_s
    return np.select([wrong <= for_a, wrong <= for_b], [_A, _B], _D)


def _mock(fixes: _Fixes) -> Ranks:
    return np.where(fixes.near_mocks > 0, _D, np.where(fixes.mock_unsaid, _B, _A))


def _jump(fixes: _Fixes) -> Ranks:
    return np.where(fixes.jump_mps > 0, _D, _A)


def _reasons(
    fixes: _Fixes, stay: NDArray[np.bool_], ranks: Ranks, t: float, grade: Grade
) -> tuple[EvidenceReason, ...]:
    """Return the reasons for a grade: figures of the first fix that counts, and of the chain it is part of."""
    there = np.flatnonzero(stay & (fixes.at >= t))
    supporting = there[ranks[there] <= GRADES.index(grade)]
    if not there.size:
        there = np.flatnonzero(stay)[-1:]
    if not there.size:
        return NOT_PROVEN.reasons
    first = int((supporting if supporting.size else there)[0])
    found = _of_fix(fixes, first)
    aim = max(GRADES.index(grade) - 1, 0)  # what was missing for the next better grade
    if ranks[first] <= aim:
        chain = _chain_at(fixes, stay & (ranks <= aim), first, aim)
        found = [*_of_chain(chain, fixes.limits, aim, grade), *found]
    elif grade is not Grade.D:
        held = GRADES.index(grade)
        chain = _chain_at(fixes, stay & (ranks <= held), first, held)
        found = [*_of_chain(chain, fixes.limits, held, grade), *found]
    if worst(each.allows for each in found) < grade:
        found = [*found, EvidenceReason(ReasonCode.NO_FIX, None, grade)]
    return tuple(found)


def _chain_at(fixes: _Fixes, which: NDArray[np.bool_], n: int, rank: int) -> Floats:
    """Return the chain of these fixes that fix `n` is part of."""
    chains = _chains(fixes.at[which], fixes.limits.gap_s[rank])
    return next(each for each in chains if each[0] <= fixes.at[n] <= each[-1])


def _of_chain(
    chain: Floats, limits: EvidenceThresholds, rank: int, grade: Grade
) -> list[EvidenceReason]:
    gap = float(np.diff(chain).max()) if chain.size > 1 else 0.0
    held = float(chain[-1] - chain[0])

    def reason(code: ReasonCode, figure: float, *, enough: bool) -> EvidenceReason:
        return EvidenceReason(code, round(figure, 1), Grade.A if enough else grade)

    found = [
        reason(ReasonCode.FIXES, chain.size, enough=chain.size >= CHAIN_FIXES[rank]),
        reason(ReasonCode.DWELL, held, enough=held >= limits.dwell_s[rank]),
    ]
    if chain.size > 1:
        found.append(reason(ReasonCode.GAP, gap, enough=gap <= limits.gap_s[_A]))
    return found


def _of_fix(fixes: _Fixes, n: int) -> list[EvidenceReason]:
    def allowed(rule: Ranks) -> Grade:
        return GRADES[int(rule[n])]

    known = not np.isnan(fixes.accuracy[n])
    code = ReasonCode.ACCURACY if known else ReasonCode.ACCURACY_UNKNOWN
    figure = round(float(fixes.accuracy[n]), 1) if known else None
    found = [EvidenceReason(code, figure, allowed(_accuracy(fixes)))]
    code = ReasonCode.CLOCK_BEHIND if fixes.behind[n] else ReasonCode.DELAY
    delay = round(max(0.0, float(fixes.lag[n])), 1)
    found.append(EvidenceReason(code, delay, allowed(_delay(fixes))))
    skew = float(np.nan_to_num(abs(fixes.skew[n])))
    if skew > fixes.limits.skew_s[_A]:
        found.append(EvidenceReason(ReasonCode.CLOCK_SKEW, round(skew, 1), allowed(_skew(fixes))))
    if fixes.near_mocks[n]:
        found.append(EvidenceReason(ReasonCode.MOCK, float(fixes.near_mocks[n]), Grade.D))
    elif fixes.mock_unsaid[n]:
        found.append(EvidenceReason(ReasonCode.MOCK_UNKNOWN, None, Grade.B))
    if fixes.jump_mps[n] > 0:
        speed = round(float(fixes.jump_mps[n]) * 3.6, 1)
        found.append(EvidenceReason(ReasonCode.JUMP, speed, Grade.D))
    return found


def _s(at: datetime) -> float:
    return (at - _EPOCH) / timedelta(seconds=1)


def _at(s: float) -> datetime:
    return _EPOCH + timedelta(milliseconds=round(s * 1000))
