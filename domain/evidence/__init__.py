"""Grades of evidence: how well an instant is proven, with reasons; pure rules, the same for any order of the input."""

from domain.evidence.fixes import AFTER_S, BEFORE_S, MeasuredFix, grade_by_fixes
from domain.evidence.rules import (
    CONTRADICTIONS,
    GRADES,
    NOT_PROVEN,
    PROVING,
    REPORTED,
    Assessment,
    DoubtFavours,
    EvidenceReason,
    EvidenceSource,
    Grade,
    ProvenGrade,
    ReasonCode,
    at_least,
    worst,
)
from domain.evidence.standing import (
    EvidenceFacts,
    EvidenceKey,
    MeasuredFact,
    StandingEvidence,
    standing,
    stops_at,
)

__all__ = [
    "AFTER_S",
    "BEFORE_S",
    "CONTRADICTIONS",
    "GRADES",
    "NOT_PROVEN",
    "PROVING",
    "REPORTED",
    "Assessment",
    "DoubtFavours",
    "EvidenceFacts",
    "EvidenceKey",
    "EvidenceReason",
    "EvidenceSource",
    "Grade",
    "MeasuredFact",
    "MeasuredFix",
    "ProvenGrade",
    "ReasonCode",
    "StandingEvidence",
    "at_least",
    "grade_by_fixes",
    "standing",
    "stops_at",
    "worst",
]
