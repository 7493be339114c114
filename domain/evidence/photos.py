"""Grade a photo as evidence of a row at a site: when and where it was taken, and whether it is new and unchanged.

Camera data can be written by anybody, so a good grade says that nothing speaks against the photo, and that several
independent marks agree; a bad one always names what speaks against it.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.evidence.rules import EvidenceReason, Grade, ReasonCode, worst
from domain.evidence.thresholds import DEFAULT_THRESHOLDS, EvidenceThresholds

RETRY_WITHIN = timedelta(minutes=15)
"""The same file for the same row within this time is an upload that was tried again."""
NEAR_BITS = 5
"""Images whose 64-bit difference hashes differ in so many bits at most are nearly the same."""
THUMBNAIL_BITS = 16
"""The camera's small image differs from the large one in no more bits: it is small, and compressed on its own."""
AHEAD_S = 120.0
CLOCKS_DIFFER_S = 600.0  # the time of the last satellite fix may be minutes old
STATEMENT_DIFFERS_S = 120.0
_STEP_M = 10

_EDITORS = re.compile(
    r"photoshop|lightroom|gimp|snapseed|picsart|pixelmator|affinity photo|paint\.net|paint ?shop|acdsee|canva"
    r"|facetune|faceapp|pixlr|fotor|polarr|vsco|afterlight|capture one|darktable|rawtherapee|digikam|photoscape"
    r"|befunky|luminar|remini|photodirector|inshot|meitu|beautyplus|imagemagick|krita|photopea|photo editor",
    re.IGNORECASE,
)


class PhotoVerdict(StrEnum):
    """What speaks against a photo as evidence, or that nothing does."""

    OK = "ok"
    TIME = "time"
    PLACE = "place"
    SAME_FILE = "same_file"
    NEAR_DUPLICATE = "near_duplicate"
    NO_METADATA = "no_metadata"


class Thumbnail(StrEnum):
    """What is known about the small image that cameras write into a photo."""

    MISSING = "missing"
    SAME = "same"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """What is known about a photo, and about others of the company; None is unknown.

    `taken_at` is by the camera's clock, `satellite_at` the time of GPS in the photo, `stated_at` what the phone stated
    when it announced the photo, `skew_s` how far the phone's clock was behind then. `outside_m` is the distance
    outside the geofence (negative: inside).
    """

    received_at: datetime
    taken_at: datetime | None = None
    zone_known: bool = False
    satellite_at: datetime | None = None
    stated_at: datetime | None = None
    skew_s: float | None = None
    has_place: bool = False
    outside_m: float | None = None
    has_metadata: bool = False
    edited: bool = False
    thumbnail: Thumbnail | None = None
    thumbnail_bits: int = 0
    same_files: int = 0
    nearest_bits: int | None = None
    same_metadata: int = 0


@dataclass(frozen=True, slots=True)
class PhotoAssessment:
    """Grade of a photo with its verdicts and reasons; OK stands alone."""

    grade: Grade
    verdicts: tuple[PhotoVerdict, ...]
    reasons: tuple[EvidenceReason, ...]


def is_editor(software: str | None) -> bool:
    """Return whether the name of a program, as it wrote it into an image, is that of an image editor."""
    return software is not None and _EDITORS.search(software) is not None


def grade_photo(
    photo: PhotoFacts, limits: EvidenceThresholds = DEFAULT_THRESHOLDS
) -> PhotoAssessment:
    """Grade a photo; the grade is the worst that a reason allows."""
    reasons = (*_uses(photo), *_changes(photo), *_time(photo, limits), *_place(photo, limits))
    found = {_VERDICTS[each.code] for each in reasons if _speaks_against(each)}
    verdicts = tuple(each for each in PhotoVerdict if each in found) or (PhotoVerdict.OK,)
    return PhotoAssessment(worst(each.allows for each in reasons), verdicts, reasons)


_VERDICTS = {
    ReasonCode.PHOTO_DELAY: PhotoVerdict.TIME,
    ReasonCode.PHOTO_AHEAD: PhotoVerdict.TIME,
    ReasonCode.CLOCKS_DIFFER: PhotoVerdict.TIME,
    ReasonCode.CLOCK_SKEW: PhotoVerdict.TIME,
    ReasonCode.OUTSIDE: PhotoVerdict.PLACE,
    ReasonCode.SAME_FILE: PhotoVerdict.SAME_FILE,
    ReasonCode.NEAR_DUPLICATE: PhotoVerdict.NEAR_DUPLICATE,
    ReasonCode.NO_METADATA: PhotoVerdict.NO_METADATA,
    ReasonCode.NO_TIME: PhotoVerdict.NO_METADATA,
    ReasonCode.TIME_STATED: PhotoVerdict.NO_METADATA,
    ReasonCode.NO_PLACE: PhotoVerdict.NO_METADATA,
    ReasonCode.COPIED_METADATA: PhotoVerdict.NO_METADATA,  # there is some, but none to rely on
    ReasonCode.EDITED: PhotoVerdict.NO_METADATA,
    ReasonCode.THUMBNAIL_DIFFERS: PhotoVerdict.NO_METADATA,
}


def _speaks_against(reason: EvidenceReason) -> bool:
    """Return whether a reason makes a verdict: those that allow A or B are small doubts at most."""
    return reason.allows > Grade.B and reason.code in _VERDICTS


def _uses(photo: PhotoFacts) -> list[EvidenceReason]:
    found = []
    if photo.same_files:
        found.append(EvidenceReason(ReasonCode.SAME_FILE, float(photo.same_files), Grade.D))
    if photo.nearest_bits is not None:
        bits = float(photo.nearest_bits)
        found.append(EvidenceReason(ReasonCode.NEAR_DUPLICATE, bits, Grade.D))
    if photo.same_metadata:
        found.append(
            EvidenceReason(ReasonCode.COPIED_METADATA, float(photo.same_metadata), Grade.D)
        )
    return found


def _changes(photo: PhotoFacts) -> list[EvidenceReason]:
    if not photo.has_metadata:
        edited = [EvidenceReason(ReasonCode.EDITED, None, Grade.D)] if photo.edited else []
        return [*edited, EvidenceReason(ReasonCode.NO_METADATA, None, Grade.C)]
    found = []
    if photo.edited:
        found.append(EvidenceReason(ReasonCode.EDITED, None, Grade.D))
    if photo.thumbnail is Thumbnail.DIFFERENT:
        bits = float(photo.thumbnail_bits)
        found.append(EvidenceReason(ReasonCode.THUMBNAIL_DIFFERS, bits, Grade.D))
    elif photo.thumbnail is Thumbnail.MISSING:
        found.append(EvidenceReason(ReasonCode.NO_THUMBNAIL, None, Grade.B))
    return found


def _time(photo: PhotoFacts, limits: EvidenceThresholds) -> list[EvidenceReason]:
    found = []
    skew = abs(photo.skew_s or 0.0)
    for_a, for_b = limits.skew_s
    if skew > for_a:
        allows = Grade.B if skew <= for_b else Grade.D
        found.append(EvidenceReason(ReasonCode.CLOCK_SKEW, round(skew, 1), allows))
    differ = _difference_s(photo)
    if differ is not None:
        found.append(EvidenceReason(ReasonCode.CLOCKS_DIFFER, round(differ, 1), Grade.D))
    taken_at, doubt = _taken(photo)
    if doubt is not None:
        found.append(doubt)
    if taken_at is None:
        return found
    delay = (photo.received_at - taken_at).total_seconds()
    if delay < -AHEAD_S:
        return [*found, EvidenceReason(ReasonCode.PHOTO_AHEAD, round(-delay, 1), Grade.D)]
    allowed = zip(limits.photo_delay_s, (Grade.A, Grade.B, Grade.C), strict=True)
    allows = next((grade for most, grade in allowed if delay <= most), Grade.D)
    return [*found, EvidenceReason(ReasonCode.PHOTO_DELAY, round(max(0.0, delay), 1), allows)]


def _taken(photo: PhotoFacts) -> tuple[datetime | None, EvidenceReason | None]:
    """Return when the photo was taken, by the best that states it, and the doubt that remains."""
    if photo.taken_at is not None and photo.zone_known:
        return photo.taken_at, None
    if photo.satellite_at is not None:
        return photo.satellite_at, None
    if photo.taken_at is not None:
        return photo.taken_at, EvidenceReason(ReasonCode.ZONE_ASSUMED, None, Grade.B)
    if photo.stated_at is not None:
        return photo.stated_at, EvidenceReason(ReasonCode.TIME_STATED, None, Grade.C)
    return None, EvidenceReason(ReasonCode.NO_TIME, None, Grade.D)


def _difference_s(photo: PhotoFacts) -> float | None:
    """Return by how much times in the photo contradict each other; None: they do not."""
    if photo.taken_at is None or not photo.zone_known:
        return None
    for other, most in (
        (photo.satellite_at, CLOCKS_DIFFER_S),
        (photo.stated_at, STATEMENT_DIFFERS_S),
    ):
        if other is not None:
            off = abs((photo.taken_at - other).total_seconds())
            if off > most:
                return off
    return None


def _place(photo: PhotoFacts, limits: EvidenceThresholds) -> list[EvidenceReason]:
    if not photo.has_place:
        return [EvidenceReason(ReasonCode.NO_PLACE, None, Grade.C)]
    if photo.outside_m is None:
        return [EvidenceReason(ReasonCode.NO_GEOFENCE, None, Grade.C)]
    if photo.outside_m <= 0:
        return [EvidenceReason(ReasonCode.INSIDE, None, Grade.A)]
    allows = Grade.B if photo.outside_m <= limits.photo_outside_m else Grade.D
    metres = float(-(-photo.outside_m // _STEP_M) * _STEP_M)
    return [EvidenceReason(ReasonCode.OUTSIDE, metres, allows)]
