"""Evidence that stands on a unit: what its facts say about measured instants, after corrections and withdrawals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from domain.evidence.rules import (
    DoubtFavours,
    EvidenceReason,
    EvidenceSource,
    Grade,
    ReasonCode,
    at_least,
)


class EvidenceFacts(NamedTuple):
    """The kinds of facts about one sort of measured instant: measured, graded anew, withdrawn."""

    measured: str
    graded: str
    withdrawn: str


class MeasuredFact(Protocol):
    """A fact of the ledger."""

    @property
    def kind(self) -> str:
        """The kind of the fact."""

    @property
    def at(self) -> datetime:
        """When it happened."""

    @property
    def body(self) -> Mapping[str, Any]:
        """The fields of its kind."""


EvidenceKey = tuple[str | None, datetime]
"""What measured it (the id of a presence; None: a person), and the instant."""


@dataclass(frozen=True, slots=True)
class StandingEvidence:
    """What is known about a measured instant. `grade` is None for facts from before grades."""

    presence_id: str | None
    instant: datetime
    source: EvidenceSource
    grade: Grade | None
    reasons: tuple[EvidenceReason, ...] = ()
    proven_from: Mapping[Grade, datetime] = field(default_factory=dict)
    contradicted: bool = False
    measured: bool = True
    """Whether the unit's own instant was measured by it; false for what only supports it."""

    def counts_from(self, lowest: Grade, favours: DoubtFavours) -> datetime | None:
        """Return from when on the evidence counts; None: it does not.

        It counts from the time that is proven with the lowest grade or a better one. In favour of the company, what was
        measured or reported counts at once, unless something contradicts it.
        """
        if self.measured and lowest is Grade.D:
            return self.instant
        proven = [at for grade, at in self.proven_from.items() if at_least(grade, lowest)]
        if favours is DoubtFavours.COMPANY and not self.contradicted:
            proven += [self.instant] if self.measured else self.proven_from.values()
        return min(proven, default=None)

    @property
    def key(self) -> EvidenceKey:
        """What measured it, and the instant."""
        return self.presence_id, self.instant


def standing(facts: Iterable[MeasuredFact], kinds: EvidenceFacts) -> list[StandingEvidence]:
    """Return the evidence that stands, in the order in which it was first known; `facts` in ledger order."""
    found: dict[EvidenceKey, StandingEvidence] = {}
    for fact in facts:
        presence_id, instant = fact.body.get("presence_id"), fact.at
        if fact.kind == kinds.measured:
            found[presence_id, fact.at] = _of(presence_id, fact.at, fact.body, measured=True)
        elif fact.kind == kinds.graded:
            instant = datetime.fromisoformat(fact.body["instant"])
            known = found.get((presence_id, instant))
            measured = known is not None and known.measured
            found[presence_id, instant] = _of(presence_id, instant, fact.body, measured=measured)
        elif fact.kind == kinds.withdrawn:
            if (
                "was_at" in fact.body
            ):  # a correction is known later than the instant that it withdraws
                instant = datetime.fromisoformat(fact.body["was_at"])
            found.pop((presence_id, instant), None)
    return list(found.values())


def stops_at(
    stands: Iterable[StandingEvidence], lowest: Grade, favours: DoubtFavours
) -> datetime | None:
    """Return when evidence of the lowest grade or a better one stops a clock; None: it does not.

    Without an instant that was measured or reported, nothing supports it.
    """
    known = list(stands)
    if not any(each.measured for each in known):
        return None
    found = (each.counts_from(lowest, favours) for each in known)
    return min((at for at in found if at is not None), default=None)


def _of(
    presence_id: str | None, instant: datetime, body: Mapping[str, Any], *, measured: bool
) -> StandingEvidence:
    grade = body.get("grade")
    source = EvidenceSource.HAND if presence_id is None else EvidenceSource.GEOFENCE
    if "measured_by" in body or presence_id is not None or grade is not None:
        source = EvidenceSource(body.get("measured_by", body.get("source", source)))
    return StandingEvidence(
        presence_id=presence_id,
        instant=instant,
        source=source,
        grade=None if grade is None else Grade(grade),
        reasons=tuple(
            EvidenceReason(ReasonCode(each["code"]), each["figure"], Grade(each["allows"]))
            for each in body.get("reasons", ())
        ),
        proven_from={
            Grade(each): datetime.fromisoformat(at)
            for each, at in body.get("proven_from", {}).items()
        },
        contradicted=body.get("contradicted", False),
        measured=measured,
    )
