"""Grade what a phone states once about where it is, such as at a clock-in: pure rules.

One position proves less than several in a row: B at best. Positions of the guard's device can prove more later.
"""

from dataclasses import dataclass
from datetime import datetime

from domain.evidence.rules import (
    PROVING,
    REPORTED,
    Assessment,
    EvidenceReason,
    EvidenceSource,
    Grade,
    ReasonCode,
    worst,
)
from domain.evidence.thresholds import DEFAULT_THRESHOLDS, EvidenceThresholds


@dataclass(frozen=True, slots=True)
class StatedPosition:
    """Position that a phone states, with what is known about it; None is unknown.

    `measured_at` and `sent_at` are by the phone's clock. `outside_m` is the distance outside the geofence (negative:
    inside); None: the site has no geofence.
    """

    outside_m: float | None
    accuracy_m: float | None = None
    measured_at: datetime | None = None
    sent_at: datetime | None = None
    mock: bool | None = None


def grade_statement(
    instant: datetime,
    stated: StatedPosition | None,
    *,
    received_at: datetime,
    limits: EvidenceThresholds = DEFAULT_THRESHOLDS,
) -> Assessment:
    """Grade an instant that a phone reported with its position; without one it is what a person reported."""
    if stated is None:
        return REPORTED
    reasons = (
        EvidenceReason(ReasonCode.SINGLE_POSITION, None, Grade.B),
        *_place(stated, limits),
        *_clock(stated, received_at, limits),
        _mock(stated.mock),
    )
    grade = worst(each.allows for each in reasons)
    proven = {each: instant for each in PROVING if each >= grade}
    return Assessment(EvidenceSource.POSITION, grade, reasons, proven)


def stronger(known: Assessment, further: Assessment) -> Assessment:
    """Return what two assessments of one instant say together: what contradicts it, else the better grade.

    Each grade is proven from when either proves it.
    """
    if further.contradicted or known.contradicted:
        return further if further.contradicted else known
    proven = {
        grade: min(
            each.proven_from[grade] for each in (known, further) if grade in each.proven_from
        )
        for grade in PROVING
        if grade in known.proven_from or grade in further.proven_from
    }
    best = further if further.grade < known.grade else known
    return Assessment(best.source, best.grade, best.reasons, proven)


def _place(stated: StatedPosition, limits: EvidenceThresholds) -> list[EvidenceReason]:
    accuracy = stated.accuracy_m
    if accuracy is None:
        found = [EvidenceReason(ReasonCode.ACCURACY_UNKNOWN, None, Grade.C)]
    else:
        allowed = zip(limits.accuracy_m, (Grade.A, Grade.B), strict=True)
        allows = next((grade for most, grade in allowed if accuracy <= most), Grade.C)
        found = [EvidenceReason(ReasonCode.ACCURACY, round(accuracy, 1), allows)]
    if stated.outside_m is None:
        return [*found, EvidenceReason(ReasonCode.NO_GEOFENCE, None, Grade.C)]
    if stated.outside_m <= 0:
        return [*found, EvidenceReason(ReasonCode.INSIDE, None, Grade.A)]
    allows = Grade.C if stated.outside_m <= (accuracy or 0.0) else Grade.D
    return [*found, EvidenceReason(ReasonCode.OUTSIDE, float(round(stated.outside_m)), allows)]


def _clock(
    stated: StatedPosition, received_at: datetime, limits: EvidenceThresholds
) -> list[EvidenceReason]:
    found = []
    if stated.sent_at is not None:
        wrong = abs((received_at - stated.sent_at).total_seconds())
        for_a, for_b = limits.skew_s
        if wrong > for_a:
            allows = Grade.B if wrong <= for_b else Grade.D
            found.append(EvidenceReason(ReasonCode.CLOCK_SKEW, round(wrong, 1), allows))
    if stated.measured_at is None:
        return [*found, EvidenceReason(ReasonCode.AGE_UNKNOWN, None, Grade.B)]
    age = ((stated.sent_at or received_at) - stated.measured_at).total_seconds()
    allowed = zip(limits.position_age_s, (Grade.A, Grade.B, Grade.C), strict=True)
    allows = next((grade for most, grade in allowed if age <= most), Grade.D)
    return [*found, EvidenceReason(ReasonCode.STALE, round(max(0.0, age), 1), allows)]


def _mock(mock: bool | None) -> EvidenceReason:
    if mock is None:
        return EvidenceReason(ReasonCode.MOCK_UNKNOWN, None, Grade.B)
    if mock:
        return EvidenceReason(ReasonCode.MOCK, 1.0, Grade.D)
    return EvidenceReason(ReasonCode.NOT_SIMULATED, None, Grade.A)
