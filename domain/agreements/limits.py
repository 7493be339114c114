"""Limits of a promise: the units it covers, and THE rule which of several promises applies to a unit.

Of each kind in an agreement the most specific promise applies (`PromiseLimits.rank`, `applicable`); two that are
equally specific and may meet are refused (`must_not_overlap`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import NamedTuple, Protocol, TypeVar
from uuid import UUID

from domain.agreements.model import PromiseKind
from domain.calendars import CalendarSpec, hours_overlap, is_open
from domain.core.errors import Code, Refused

MOST_HOURS = 24
"""How many calendars may limit the promises of one version of terms."""
MOST_SPECIFIC = 2
"""Rule of `applicable`. Terms signed under rule 1 keep it: there, only a category replaced other promises."""


class IncidentAttributes(NamedTuple):
    """The attributes of an incident, or of another unit, that decide which promises apply to it."""

    kind: str
    category: str | None
    site_id: UUID | None
    opened_at: datetime
    service: str | None = None


@dataclass(frozen=True, slots=True)
class PromiseLimits:
    """The incidents that a promise is limited to; an empty limit excludes none.

    `hours_id` is a calendar version: the promise applies to incidents opened during its hours.
    """

    ticket_kinds: frozenset[str] = frozenset()
    category: str | None = None
    site_ids: frozenset[UUID] = frozenset()
    hours_id: UUID | None = None
    services: frozenset[str] = frozenset()

    @property
    def rank(self) -> tuple[bool, ...]:
        """How specific the promise is: sites count before services, a category, hours and kinds, in this order."""
        return (
            bool(self.site_ids),
            bool(self.services),
            self.category is not None,
            self.hours_id is not None,
            bool(self.ticket_kinds),
        )

    def cover(self, incident: IncidentAttributes, hours: Mapping[UUID, CalendarSpec]) -> bool:
        """Return whether the incident is within every limit."""
        return (
            (not self.ticket_kinds or incident.kind in self.ticket_kinds)
            and self.category in (None, incident.category)
            and (not self.site_ids or incident.site_id in self.site_ids)
            and (not self.services or incident.service in self.services)
            and (self.hours_id is None or is_open(hours[self.hours_id], incident.opened_at))
        )

    def overlap(self, other: "PromiseLimits", hours: Mapping[UUID, CalendarSpec]) -> bool:
        """Return whether an incident may be within the limits of both."""
        return (
            _share(self.ticket_kinds, other.ticket_kinds)
            and (None in (self.category, other.category) or self.category == other.category)
            and _share(self.site_ids, other.site_ids)
            and _share(self.services, other.services)
            and (
                self.hours_id is None
                or other.hours_id is None
                or hours_overlap(hours[self.hours_id], hours[other.hours_id])
            )
        )


class Limited(Protocol):
    """A promise with limits, signed or proposed."""

    @property
    def name(self) -> str:
        """The name of the promise."""

    @property
    def kind(self) -> PromiseKind:
        """The kind of the promise."""

    @property
    def internal(self) -> bool:
        """Whether it is an objective of the company."""

    @property
    def limits(self) -> PromiseLimits:
        """The incidents that it is limited to."""


class Agreed(Limited, Protocol):
    """A promise in signed terms."""

    @property
    def agreement_id(self) -> UUID:
        """The agreement."""

    @property
    def rule(self) -> int:
        """The rule of its terms."""


A = TypeVar("A", bound=Agreed)


def applicable(
    terms: Sequence[A], unit: IncidentAttributes, hours: Mapping[UUID, CalendarSpec]
) -> list[A]:
    """Select the promises in force that apply to a unit: of each kind in an agreement, the most specific ones.

    Internal objectives and contractual promises never replace each other.
    """
    fitting = [term for term in terms if term.limits.cover(unit, hours)]
    most: dict[tuple[UUID, PromiseKind, bool], tuple[bool, ...]] = {}
    for term in fitting:
        key = (term.agreement_id, term.kind, term.internal)
        most[key] = max(most.get(key, ()), _rank(term))
    return [
        term for term in fitting if most[term.agreement_id, term.kind, term.internal] == _rank(term)
    ]


def _rank(term: Agreed) -> tuple[bool, ...]:
    return term.limits.rank if term.rule == MOST_SPECIFIC else (term.limits.category is not None,)


def must_not_overlap(promises: Sequence[Limited], hours: Mapping[UUID, CalendarSpec]) -> None:
    """Refuse two equally specific promises of one kind that may apply to the same incident; name both.

    Only promises with the same category and a common site and service are compared, because each pair of the others
    would make the check of 2,000 promises take 18 s. Comparing hours is slow, so few calendars may limit promises.
    """
    if len({each.limits.hours_id for each in promises}) > MOST_HOURS:
        raise Refused(
            Code.INVALID,
            f"Promises may be limited to the hours of at most {MOST_HOURS} calendars.",
            argument="promises",
        )
    groups: dict[object, list[Limited]] = {}
    for promise in promises:
        limits = promise.limits
        key = (promise.kind, promise.internal, limits.rank, limits.category)
        for place in product(limits.site_ids or (None,), limits.services or (None,)):
            others = groups.setdefault((*key, *place), [])
            for other in others:
                if limits.overlap(other.limits, hours):
                    raise _clash(other, promise)
            others.append(promise)


def _clash(one: Limited, other: Limited) -> Refused:
    return Refused(
        Code.TERMS_OVERLAP,
        f"The promises {one.name!r} and {other.name!r} are both {one.kind} and may apply to the same incident. "
        "Limit one of them further: to sites, services, a category, hours or kinds of incidents.",
        argument="promises",
    )


def _share(one: frozenset[object], other: frozenset[object]) -> bool:
    return not one or not other or not one.isdisjoint(other)
