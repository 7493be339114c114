"""Rules of replacements: travel, the order of candidates with reasons, the size of a wave. Values in, values out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.shifts import OneMoreShift, WorkingTimeRule

KM_AN_HOUR = 35
PREPARING = timedelta(minutes=20)
"""From saying yes until leaving the house, and from the car park to the post."""
WAVE_EVERY = timedelta(minutes=10)
EVERYBODY_AT = timedelta(minutes=60)
"""With this much time left, everybody who fits gets an offer."""
PRIOR_RATE, PRIOR_OFFERS = 0.35, 10
"""Share of offers that guards accept, and the number of offers that this assumption counts as."""
MISSED = 0.1
"""Probability with which nobody of a wave accepts, at most."""
MINUTE = timedelta(minutes=1)
_METRES_A_DEGREE = 111_195.0
_UNKNOWN = 10_000  # the last step of a factor


class CandidateFactor(StrEnum):
    """What orders candidates, the most important first."""

    ARRIVAL = "arrival"
    REST = "rest"
    CONTRACT = "contract"
    COST = "cost"
    POST = "post"


class ExclusionRule(StrEnum):
    """Rule by which a guard is no candidate."""

    PASS = "pass"  # noqa: S105 - the name of a document
    QUALIFICATION = "qualification"
    BARRED = "barred"
    ABSENT = "absent"
    OVERLAP = "overlap"
    WORKING_TIME = "working_time"


class FactorReason(NamedTuple):
    """Why a candidate stands where it stands: the step of a factor, lower is better, and the figure in words."""

    kind: CandidateFactor
    step: int
    text: str


@dataclass(frozen=True, slots=True)
class CandidateGuard:
    """A guard who may take the shift. `place` is the order, from 1."""

    user_id: UUID
    travel_minutes: int | None
    arrives_at: datetime | None
    late_minutes: int | None
    rest_minutes: int | None
    contract_minutes_left: int | None
    hour_cost_cents: int | None
    shifts_at_post: int
    place: int = 0

    @property
    def factors(self) -> list[FactorReason]:
        """The steps by which candidates are ordered, with their figures."""
        steps = dict(zip(CandidateFactor, steps_of(self), strict=True))
        texts = {
            CandidateFactor.ARRIVAL: _arrival(self),
            CandidateFactor.REST: "No earlier shift is planned."
            if self.rest_minutes is None
            else f"{self.rest_minutes / 60:.1f} hours of rest before the shift.",
            CandidateFactor.CONTRACT: "No contract hours are known."
            if self.contract_minutes_left is None
            else f"{self.contract_minutes_left / 60:.1f} contract hours left in the week.",
            CandidateFactor.COST: "No cost is known."
            if self.hour_cost_cents is None
            else f"Step {steps[CandidateFactor.COST]} of five euros an hour.",
            CandidateFactor.POST: f"{self.shifts_at_post} shifts at this post in sixteen weeks.",
        }
        return [FactorReason(kind, steps[kind], texts[kind]) for kind in CandidateFactor]


def _arrival(guard: CandidateGuard) -> str:
    if guard.travel_minutes is None:
        return "It is not known from where the guard travels."
    when = "in time" if not guard.late_minutes else f"{guard.late_minutes} minutes after the start"
    return f"{guard.travel_minutes} minutes to prepare and travel: {when}."


@dataclass(frozen=True, slots=True)
class ExcludedGuard:
    """A guard who may not take the shift, the rule, and the words that explain it."""

    user_id: UUID
    reason: ExclusionRule
    text: str
    rule: WorkingTimeRule | None = None


def steps_of(guard: CandidateGuard) -> tuple[int, int, int, int, int]:
    """Return the step of each factor: a quarter of an hour, four hours of rest or contract, five euros, a shift."""
    late = _UNKNOWN if guard.late_minutes is None else math.ceil(guard.late_minutes / 15)
    rest = 0 if guard.rest_minutes is None else max(0, 12 - guard.rest_minutes // 240)
    left = guard.contract_minutes_left
    contract = 0 if left is None else -(left // 240)
    cents = guard.hour_cost_cents
    cost = _UNKNOWN if cents is None else cents // 500
    return late, rest, contract, cost, -guard.shifts_at_post


def in_order(guards: Sequence[CandidateGuard]) -> list[CandidateGuard]:
    """Return candidates, the best first: step by step, then by travel."""
    return sorted(
        guards,
        key=lambda each: (
            *steps_of(each),
            _UNKNOWN if each.travel_minutes is None else each.travel_minutes,
            each.user_id,
        ),
    )


def travel(home: tuple[float, float] | None, site: tuple[float, float] | None) -> timedelta | None:
    """Return how long a guard needs to be at a site; None where either place is unknown."""
    if home is None or site is None:
        return None
    east = ((site[1] - home[1] + 540) % 360 - 180) * math.cos(math.radians((home[0] + site[0]) / 2))
    km = _METRES_A_DEGREE * math.hypot(east, site[0] - home[0]) / 1_000
    return PREPARING + timedelta(hours=km / KM_AN_HOUR)


def acceptance_rate(offers: int, accepted: int) -> float:
    """Return the share of offers that guards accept: the company's own, with the prior as so many more offers."""
    return (accepted + PRIOR_RATE * PRIOR_OFFERS) / (offers + PRIOR_OFFERS)


def wave_size(rate: float) -> int:
    """Return to how many guards a wave goes, so that somebody accepts with nine in ten."""
    if rate >= 1:
        return 1
    return max(1, math.ceil(math.log(MISSED) / math.log(1 - rate)))


def starts_counting(known_at: datetime, from_at: datetime, target: timedelta) -> datetime:
    """Return when the clock starts: as the absence is known, but with its due time not before the shift begins."""
    return max(known_at, from_at - target)


def excluded(one: OneMoreShift, user_id: UUID) -> ExcludedGuard | None:
    """Return why planned work keeps a guard from one more shift; None: it does not."""
    if one.overlaps:
        return ExcludedGuard(user_id, ExclusionRule.OVERLAP, "The guard is on another shift then.")
    if one.finding is not None:
        words = f"The shift would break {one.finding.words}."
        return ExcludedGuard(user_id, ExclusionRule.WORKING_TIME, words, one.finding.rule)
    return None
