"""Promises with a lowest grade of evidence: when evidence stops their clock, and what client and company read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from domain.agreements import Term
from domain.evidence import (
    EvidenceReason,
    EvidenceSource,
    Grade,
    MeasuredFact,
    ProvenGrade,
    standing,
    stops_at,
)
from domain.promises.registry import rule_of


@dataclass(frozen=True, slots=True)
class PromiseEvidence:
    """Evidence of an instant that may stop the clock of a promise; `grade` is None from before grades."""

    instant: datetime
    source: EvidenceSource
    grade: Grade | None
    reasons: tuple[EvidenceReason, ...]
    proven_from: tuple[ProvenGrade, ...]
    counts_from: datetime | None


def graded_stop(facts: Iterable[MeasuredFact], term: Term) -> datetime | None:
    """Return when evidence stops the clock of a promise with a lowest grade; None: it does not, or needs no grade."""
    kinds = rule_of(term.kind).evidence
    if term.lowest_grade is None or kinds is None:
        return None
    return stops_at(standing(facts, kinds), term.lowest_grade, term.doubt_favours)


def evidence_of(facts: Iterable[MeasuredFact], term: Term) -> list[PromiseEvidence]:
    """Return the evidence of a promise, the best first, with the time from which it counts; `facts` of its unit."""
    kinds = rule_of(term.kind).evidence
    if kinds is None:
        return []
    lowest = term.lowest_grade or Grade.D
    found = [
        PromiseEvidence(
            instant=each.instant,
            source=each.source,
            grade=each.grade,
            reasons=each.reasons,
            proven_from=tuple(ProvenGrade(*part) for part in each.proven_from.items()),
            counts_from=each.counts_from(lowest, term.doubt_favours),
        )
        for each in standing(facts, kinds)
    ]
    return sorted(found, key=lambda each: (each.grade or Grade.D, each.instant))
