"""Grades of evidence: how well a measured instant is proven, and the reasons with their figures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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


CONTRADICTIONS = frozenset(
    {ReasonCode.CLOCK_SKEW, ReasonCode.CLOCK_BEHIND, ReasonCode.MOCK, ReasonCode.JUMP}
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
}


@dataclass(frozen=True, slots=True)
class EvidenceReason:
    """One reason for a grade: its figure, and the best grade that it allows."""

    code: ReasonCode
    figure: float | None
    allows: Grade

    @property
    def text(self) -> str:
        """The reason in plain words."""
        return _TEXTS[self.code].format(self.figure)

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
