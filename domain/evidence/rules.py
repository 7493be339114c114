"""Grades of evidence: how well a measured instant is proven, and the reasons with their figures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any


class Grade(StrEnum):
    """Grade of evidence, best first. D proves nothing."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


GRADES = tuple(Grade)
PROVING = GRADES[:-1]
"""The grades that prove something, best first."""


class EvidenceSource(StrEnum):
    """Source of evidence: what measured the instant."""

    GEOFENCE = "geofence"
    POSITION = "position"
    HAND = "hand"
    PHOTO = "photo"


class DoubtFavours(StrEnum):
    """Party that is favoured when evidence is worse than the lowest grade that counts."""

    CLIENT = "client"
    COMPANY = "company"


class ReasonCode(StrEnum):
    """Code of a reason for a grade. Kinds are only ever added, because facts hold them."""

    FIXES = "fixes"
    DWELL = "dwell"
    GAP = "gap"
    ACCURACY = "accuracy"
    ACCURACY_UNKNOWN = "accuracy_unknown"
    DELAY = "delay"
    CLOCK_SKEW = "clock_skew"
    CLOCK_BEHIND = "clock_behind"
    MOCK_UNKNOWN = "mock_unknown"
    MOCK = "mock"
    JUMP = "jump"
    NO_FIX = "no_fix"
    REPORTED = "reported"
    SINGLE_POSITION = "single_position"
    STALE = "stale"
    AGE_UNKNOWN = "age_unknown"
    NOT_SIMULATED = "not_simulated"
    PHOTO_DELAY = "photo_delay"
    PHOTO_AHEAD = "photo_ahead"
    CLOCKS_DIFFER = "clocks_differ"
    ZONE_ASSUMED = "zone_assumed"
    TIME_STATED = "time_stated"
    NO_TIME = "no_time"
    INSIDE = "inside"
    OUTSIDE = "outside"
    NO_PLACE = "no_place"
    NO_GEOFENCE = "no_geofence"
    SAME_FILE = "same_file"
    NEAR_DUPLICATE = "near_duplicate"
    COPIED_METADATA = "copied_metadata"
    EDITED = "edited"
    THUMBNAIL_DIFFERS = "thumbnail_differs"
    NO_THUMBNAIL = "no_thumbnail"
    NO_METADATA = "no_metadata"


CONTRADICTIONS = frozenset(
    {
        ReasonCode.CLOCK_SKEW,
        ReasonCode.CLOCK_BEHIND,
        ReasonCode.MOCK,
        ReasonCode.JUMP,
        ReasonCode.OUTSIDE,
    }
)
"""Codes that, at grade D, speak against what was reported; the others only fail to prove it."""

_TEXTS: dict[ReasonCode, str] = {
    ReasonCode.FIXES: "{0:.0f} positions inside the geofence in a row.",
    ReasonCode.DWELL: "Inside the geofence for {0:.0f} s without interruption.",
    ReasonCode.GAP: "At most {0:.0f} s between one position and the next.",
    ReasonCode.ACCURACY: "The position is accurate to {0:.0f} m.",
    ReasonCode.ACCURACY_UNKNOWN: "The device did not state how accurate the position is.",
    ReasonCode.DELAY: "The position was received {0:.0f} s after it was measured.",
    ReasonCode.CLOCK_SKEW: "The clock of the device was wrong by {0:.0f} s.",
    ReasonCode.CLOCK_BEHIND: "Every position was received about {0:.0f} s late: the device's clock was set back.",
    ReasonCode.MOCK_UNKNOWN: "The device did not state whether its positions are simulated.",
    ReasonCode.MOCK: "{0:.0f} simulated positions within five minutes.",
    ReasonCode.JUMP: "The position before was too far away: {0:.0f} km/h would have been needed.",
    ReasonCode.NO_FIX: "No position proves it.",
    ReasonCode.REPORTED: "A person reported it; nothing was measured.",
    ReasonCode.SINGLE_POSITION: "The phone stated one position; several in a row would prove more.",
    ReasonCode.STALE: "The position was {0:.0f} s old when the phone sent it.",
    ReasonCode.AGE_UNKNOWN: "The phone did not state when it measured the position.",
    ReasonCode.NOT_SIMULATED: "The phone states that the position is not simulated.",
    ReasonCode.PHOTO_DELAY: "The photo was received {0:.0f} s after it was taken.",
    ReasonCode.PHOTO_AHEAD: "The photo was taken {0:.0f} s after it was received, by the camera's clock.",
    ReasonCode.CLOCKS_DIFFER: "Two clocks that state when the photo was taken differ by {0:.0f} s.",
    ReasonCode.ZONE_ASSUMED: "The camera wrote no time zone: the client's was assumed.",
    ReasonCode.TIME_STATED: "The phone stated when the photo was taken; the camera did not write it.",
    ReasonCode.NO_TIME: "Nothing shows when the photo was taken.",
    ReasonCode.INSIDE: "The position is inside the geofence of the site.",
    ReasonCode.OUTSIDE: "The position is {0:.0f} m outside the geofence of the site.",
    ReasonCode.NO_PLACE: "The camera wrote no position.",
    ReasonCode.NO_GEOFENCE: "The site has no geofence.",
    ReasonCode.SAME_FILE: "The same file was used {0:.0f} times before.",
    ReasonCode.NEAR_DUPLICATE: "Nearly the same image was used before: {0:.0f} of 64 bits differ.",
    ReasonCode.COPIED_METADATA: "{0:.0f} other images have the same camera data.",
    ReasonCode.EDITED: "An image editor wrote the file.",
    ReasonCode.THUMBNAIL_DIFFERS: "The camera's small image shows something else: {0:.0f} of 64 bits differ.",
    ReasonCode.NO_THUMBNAIL: "The camera's small image is missing.",
    ReasonCode.NO_METADATA: "The file has no camera data.",
}
_WITHOUT_FIGURE: dict[ReasonCode, str] = {
    ReasonCode.PHOTO_DELAY: "The time between taking and receiving the photo was measured.",
    ReasonCode.PHOTO_AHEAD: "The camera's clock was ahead.",
    ReasonCode.CLOCKS_DIFFER: "Two clocks that state when the photo was taken differ.",
    ReasonCode.OUTSIDE: "The position is outside the geofence of the site.",
    ReasonCode.THUMBNAIL_DIFFERS: "The camera's small image shows something else.",
}
CAMERA_FIGURES = frozenset(_WITHOUT_FIGURE)
"""Codes whose figures tell what a camera wrote, which is not for clients."""


@dataclass(frozen=True, slots=True)
class EvidenceReason:
    """One reason for a grade: its figure, and the best grade that it allows."""

    code: ReasonCode
    figure: float | None
    allows: Grade

    @property
    def text(self) -> str:
        """The reason in plain words."""
        if self.figure is None and self.code in CAMERA_FIGURES:
            return _WITHOUT_FIGURE[self.code]
        return _TEXTS[self.code].format(self.figure)

    @property
    def for_clients(self) -> "EvidenceReason":
        """The reason without a figure that tells what a camera wrote."""
        return replace(self, figure=None) if self.code in CAMERA_FIGURES else self

    def plain(self) -> dict[str, Any]:
        """Return the reason as it is stored in a fact."""
        return {"code": str(self.code), "figure": self.figure, "allows": str(self.allows)}


@dataclass(frozen=True, slots=True)
class ProvenGrade:
    """From when on there is proof of a grade."""

    grade: Grade
    from_at: datetime


@dataclass(frozen=True, slots=True)
class Assessment:
    """Grade of a measured instant with its reasons.

    `proven_from` holds, for each grade that proves something, from when on there is proof of that grade; a better
    grade is never proven earlier than a worse one. `contradicted`: something speaks against it.
    """

    source: EvidenceSource
    grade: Grade
    reasons: tuple[EvidenceReason, ...]
    proven_from: Mapping[Grade, datetime] = field(default_factory=dict)

    @property
    def contradicted(self) -> bool:
        """Return whether something speaks against it, beyond the lack of a proof."""
        return self.grade is Grade.D and any(
            each.code in CONTRADICTIONS and each.allows is Grade.D for each in self.reasons
        )

    def body(self) -> dict[str, Any]:
        """Return the fields of a fact that state the grade."""
        return {
            "source": str(self.source),
            "grade": str(self.grade),
            "reasons": [each.plain() for each in self.reasons],
            "proven_from": {str(grade): at for grade, at in self.proven_from.items()},
            "contradicted": self.contradicted,
        }


REPORTED = Assessment(
    EvidenceSource.HAND,
    Grade.D,
    (EvidenceReason(ReasonCode.REPORTED, None, Grade.D),),
)
"""What a person reports, without any measurement."""
NOT_PROVEN = Assessment(
    EvidenceSource.GEOFENCE,
    Grade.D,
    (EvidenceReason(ReasonCode.NO_FIX, None, Grade.D),),
)
"""An instant that no fix proves any longer."""


def worst(grades: Iterable[Grade]) -> Grade:
    """Return the worst of some grades; A without any."""
    return max(grades, default=Grade.A)


def at_least(grade: Grade, lowest: Grade) -> bool:
    """Return whether a grade is as good as the lowest that counts, or better."""
    return grade <= lowest
