"""Grade scans: by what each carries, and by what scans of the same tag, device or photo say against it.

Values in, values out: the grades depend on the set of scans, not on the order in which they were uploaded.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import cos, hypot, radians
from typing import NamedTuple
from uuid import UUID

from domain.evidence import DEFAULT_THRESHOLDS, EvidenceThresholds, Grade
from domain.patrols.model import PointKind, ScanReason

R = ScanReason
FASTEST_MPS = 40.0
"""Faster between two points than a car at 144 km/h: one device at two places."""
APART = timedelta(hours=1)
"""Scans of one device are compared with the one before, if it is not longer ago."""
_METRES_A_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True)
class ScanFix:
    """The position that a device claims: distance from the edge of the point, accuracy, age and origin."""

    distance_m: float | None  # None: the point has no position
    accuracy_m: float | None
    age: timedelta
    is_mock: bool


def grade_alone(
    kind: PointKind,
    proof: ScanReason | None,
    fix: ScanFix | None,
    skew: timedelta,
    *,
    is_manual: bool = False,
    limits: EvidenceThresholds = DEFAULT_THRESHOLDS,
) -> tuple[Grade, list[ScanReason]]:
    """Grade a scan by what it carries; `proof` is what its tag, code or statement amounts to, None without one."""
    against = [*_against(proof, skew, limits, is_manual=is_manual), *_fix_against(fix, limits)]
    if against:
        return Grade.D, against
    is_inside = fix is not None and fix.distance_m is not None
    reasons = [proof or R.NO_PROOF, R.FIX_INSIDE if is_inside else R.NO_FIX]
    if proof is R.SIGNED_TAG:
        return (Grade.A if is_inside else Grade.C), reasons
    if not is_inside:
        return Grade.D, reasons
    return (Grade.B if kind is PointKind.NFC else Grade.C), reasons


def _against(
    proof: ScanReason | None, skew: timedelta, limits: EvidenceThresholds, *, is_manual: bool
) -> Iterable[ScanReason]:
    if is_manual:
        yield R.MANUAL
    if proof is None:
        yield R.NO_PROOF
    elif proof in (R.SIGNATURE_WRONG, R.TAG_UNKNOWN, R.TAG_REVOKED):
        yield proof
    if abs(skew).total_seconds() > limits.skew_s[1]:
        yield R.CLOCK_SKEW


def _fix_against(fix: ScanFix | None, limits: EvidenceThresholds) -> Iterable[ScanReason]:
    """Find what the position says against a scan; one that claims to be less accurate than B is believed to be B."""
    if fix is None:
        return
    if fix.is_mock:
        yield R.MOCK_FIX
    if abs(fix.age).total_seconds() > limits.position_age_s[0]:
        yield R.STALE_FIX
    believed = min(fix.accuracy_m or 0.0, limits.accuracy_m[1])
    if fix.distance_m is not None and fix.distance_m > believed:
        yield R.FIX_OUTSIDE


class Spot(NamedTuple):
    """Where a point is."""

    lat: float
    lon: float
    radius_m: float


@dataclass(frozen=True, slots=True)
class ComparedScan:
    """A scan as others are compared with it."""

    id: UUID
    device: tuple[UUID, str]  # the guard, and the guard's device
    sequence: int
    device_at: datetime
    spot: Spot | None
    tag_id: UUID | None
    counter: int | None
    photo_sha256: str | None
    is_clock_right: bool
    is_there: bool  # nothing that it carries speaks against it

    @property
    def order(self) -> tuple[datetime, UUID, str, int]:
        """Sort key: time, then device and sequence."""
        return self.device_at, *self.device, self.sequence


def repeated_counters(scans: Sequence[ComparedScan]) -> Iterator[UUID]:
    """Find taps whose counter does not rise above every earlier tap of the tag: recorded, and played again."""
    for group in _groups([each for each in scans if each.counter is not None], "tag_id").values():
        highest = -1
        for scan in sorted(group, key=lambda each: each.order):
            counter = -1 if scan.counter is None else scan.counter
            if counter <= highest:
                yield scan.id
            elif scan.is_clock_right:
                highest = counter


def two_places(scans: Sequence[ComparedScan]) -> Iterator[UUID]:
    """Find scans that a device cannot have made after the one before; that one is believed, this one is not."""
    for group in _groups(scans, "device").values():
        last: ComparedScan | None = None
        for scan in sorted(group, key=lambda each: each.sequence):
            if scan.spot is None or not scan.is_there:
                continue
            if last is not None and _too_far(last, scan):
                yield scan.id
            else:
                last = scan


def _too_far(before: ComparedScan, after: ComparedScan) -> bool:
    took = abs(after.device_at - before.device_at)
    if before.spot is None or after.spot is None or took > APART:
        return False
    apart = distance_m(before.spot, after.spot) - before.spot.radius_m - after.spot.radius_m
    return apart > FASTEST_MPS * max(took.total_seconds(), 1.0)


def reused_photos(scans: Sequence[ComparedScan]) -> Iterator[UUID]:
    """Find scans with a photo that an earlier scan had already."""
    with_photo = [each for each in scans if each.photo_sha256 is not None]
    for group in _groups(with_photo, "photo_sha256").values():
        yield from (each.id for each in sorted(group, key=lambda each: each.order)[1:])


def _groups(scans: Iterable[ComparedScan], by: str) -> Mapping[object, list[ComparedScan]]:
    found: dict[object, list[ComparedScan]] = {}
    for scan in scans:
        found.setdefault(getattr(scan, by), []).append(scan)
    return found


def distance_m(one: Spot, other: Spot) -> float:
    """Return the distance of two places, on a plane: wrong by less than 0.1 % within 50 km."""
    east = ((other.lon - one.lon + 540.0) % 360.0 - 180.0) * cos(radians(one.lat))
    return hypot(east, other.lat - one.lat) * _METRES_A_DEGREE
