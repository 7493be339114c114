"""Rules of success plans: the share of a goal that is attained, its state, and value against cost. Pure functions."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple
from uuid import UUID

WHOLE = 1_000_000


class GoalState(StrEnum):
    """State of a goal of a success plan."""

    OPEN = "open"
    ATTAINED = "attained"
    MISSED = "missed"


class ValueLine(NamedTuple):
    """What a goal is worth to the client, and the part of it that is realised; the attained share in millionths."""

    goal_id: UUID
    attained_ppm: int | None
    value_cents: int
    realised_cents: int


class SuccessValue(NamedTuple):
    """Value of a plan against its cost, in cents of one currency; the return in millionths of the cost."""

    lines: Sequence[ValueLine]
    from_on: date
    until_on: date
    possible_cents: int
    realised_cents: int
    cost_cents: int
    credits_cents: int
    roi_ppm: int | None
    currency: str


def attained_share(baseline: int, target: int, value: int | None) -> Fraction | None:
    """Return the exact share of the way from baseline to target, from 0 to 1; None without a value."""
    if value is None:
        return None
    return max(Fraction(0), min(Fraction(1), Fraction(value - baseline, target - baseline)))


def attained_ppm(baseline: int, target: int, value: int | None) -> int | None:
    """Return the attained share in millionths, rounded down: it is whole only when the target is reached."""
    share = attained_share(baseline, target, value)
    return None if share is None else int(share * WHOLE)


def state_of(attained: int | None, due_on: date, today: date) -> GoalState:
    """Return the state of a goal: it can be attained late, and is missed when its day is over without that."""
    if attained == WHOLE:
        return GoalState.ATTAINED
    return GoalState.MISSED if due_on < today else GoalState.OPEN


def realised(value_cents: int | None, share: Fraction | None) -> int:
    """Return the realised part of a worth, rounded down to cents; nothing without a worth or a value."""
    return int((value_cents or 0) * (share or 0))


def value_of(
    lines: Sequence[ValueLine],
    days: tuple[date, date],
    cost_cents: int,
    credits_cents: int,
    currency: str,
) -> SuccessValue:
    """Return value against cost: (realised − cost) / cost; no return without a valued goal or a cost."""
    gained = sum(each.realised_cents for each in lines)
    roi = (gained - cost_cents) * WHOLE // cost_cents if lines and cost_cents > 0 else None
    return SuccessValue(
        lines,
        *days,
        possible_cents=sum(each.value_cents for each in lines),
        realised_cents=gained,
        cost_cents=cost_cents,
        credits_cents=credits_cents,
        roi_ppm=roi,
        currency=currency,
    )
