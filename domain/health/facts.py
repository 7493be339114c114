"""The facts of one account that its health is computed from, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from domain.health.observed import ObservationKind

DAY = timedelta(days=1)


class HealthFact(NamedTuple):
    """One fact of the ledger; `number` is its place in the ledger's table."""

    number: int
    kind: str
    at: datetime
    subject_id: UUID
    actor: str
    body: Mapping[str, Any]


class KnownContact(NamedTuple):
    """What was known of a contact from an instant on, until the next one of the same contact."""

    at: datetime
    id: UUID
    decision_power: int
    relationship_strength: int
    fact: int | None  # the fact that said so; None for a contact from before there were facts


class Point(NamedTuple):
    """One dated number that a signal is computed from, and the fact it comes from."""

    at: datetime
    fact: int
    number: float
    weight: float = 1.0
    about: UUID | None = None


@dataclass(frozen=True)
class AccountFacts:
    """The facts of one account up to an instant, by kind, each kind by time; and the history of its contacts.

    `scales` are the kinds of questions by survey and key.
    """

    at: datetime
    by_kind: Mapping[str, Sequence[HealthFact]] = field(default_factory=dict)
    history: Sequence[KnownContact] = ()
    scales: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def contacts(self) -> list[KnownContact]:
        """The contacts as they were at the instant."""
        found = {each.id: each for each in sorted(self.history, key=_when) if each.at <= self.at}
        return [*found.values()]

    def of(self, *kinds: str) -> list[HealthFact]:
        """Return the facts of these kinds by time."""
        found = [fact for kind in kinds for fact in self.by_kind.get(kind, ())]
        return sorted(found, key=lambda fact: (fact.at, fact.number)) if len(kinds) > 1 else found

    def observed(self, *kinds: ObservationKind) -> list[HealthFact]:
        """Return the observations of these kinds by time, without withdrawn ones."""
        gone = {fact.subject_id for fact in self.of("observation.withdrawn")}
        return [
            fact
            for fact in self.of("observation.recorded")
            if fact.body["observed"] in kinds and fact.subject_id not in gone
        ]

    def until(self, at: datetime) -> "AccountFacts":
        """Return the facts up to an earlier instant."""
        early = {
            kind: [fact for fact in facts if fact.at <= at] for kind, facts in self.by_kind.items()
        }
        return replace(self, at=at, by_kind=early)


def _when(each: KnownContact) -> tuple[datetime, int]:
    return each.at, each.fact or 0


def points_of(
    facts: Sequence[HealthFact], name: str = "value", among: str | None = None
) -> list[Point]:
    """Return a point per fact: the number in its body, with another number of it as its weight."""
    return [
        Point(
            fact.at,
            fact.number,
            float(fact.body[name] or 0),
            1.0 if among is None else float(fact.body[among] or 0),
            None if fact.body.get("contact_id") is None else UUID(fact.body["contact_id"]),
        )
        for fact in facts
    ]
