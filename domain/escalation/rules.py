"""Rules: when each step of an escalation is due, and which policies are valid."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from domain.access import CLIENTS, Role
from domain.core.errors import Code, Refused

THRESHOLDS = (50, 75, 90)
"""Percents by which policies name the warnings of a promise: the first, second and third of `Promise.warned`."""
STEPS, LONGEST_MINUTES = 20, 7 * 24 * 60
NOBODY = frozenset({Role.SYSTEM, Role.PARTNER, Role.GUARD, *CLIENTS})
"""Roles that are never notified."""


class StepDraft(msgspec.Struct, frozen=True, kw_only=True):
    """One step: whom to notify, so many minutes after its cycle began. Urgent ones ignore quiet hours."""

    after_minutes: int
    roles: list[Role] = []
    user_ids: list[UUID] = []
    contact_ids: list[UUID] = []
    urgent: bool = False


DEFAULT_STEPS = (
    StepDraft(after_minutes=10, roles=[Role.DISPATCHER]),
    StepDraft(after_minutes=30, roles=[Role.RELATIONSHIP_MANAGER], urgent=True),
    StepDraft(after_minutes=60, roles=[Role.MANAGEMENT], urgent=True),
)
"""Steps of the policy that a new account gets."""


def check(
    steps: Sequence[StepDraft], repeat_minutes: int | None, warn_percents: Sequence[int]
) -> None:
    """Refuse steps without recipients, or in the wrong order."""
    if not 1 <= len(steps) <= STEPS:
        raise Refused(Code.INVALID, f"A policy must have 1 to {STEPS} steps.", argument="steps")
    minutes = [step.after_minutes for step in steps]
    if minutes != sorted(set(minutes)) or not 0 <= minutes[0] <= minutes[-1] <= LONGEST_MINUTES:
        raise Refused(
            Code.INVALID,
            "Each step must come after the one before, within a week.",
            argument="steps",
        )
    for step in steps:
        if not (step.roles or step.user_ids or step.contact_ids):
            raise Refused(Code.INVALID, "A step needs at least one recipient.", argument="steps")
        if NOBODY & set(step.roles):
            raise Refused(
                Code.INVALID,
                "Steps can notify roles of the security company only.",
                argument="steps",
            )
    if repeat_minutes is not None and not 1 <= repeat_minutes <= LONGEST_MINUTES:
        raise Refused(
            Code.INVALID, "The interval must be 1 minute to a week.", argument="repeatMinutes"
        )
    if set(warn_percents) - set(THRESHOLDS):
        raise Refused(
            Code.INVALID, f"warnPercents must be among {THRESHOLDS}.", argument="warnPercents"
        )


def due_at(
    steps: Sequence[StepDraft], repeat_minutes: int | None, since: datetime, number: int
) -> datetime | None:
    """Return when step `number` (0, 1, …) of a cycle is due; then its repeats; None when there is none."""
    if number < len(steps):
        return since + timedelta(minutes=steps[number].after_minutes)
    if not steps or repeat_minutes is None:
        return None
    repeats = number - len(steps) + 1
    return since + timedelta(minutes=steps[-1].after_minutes + repeats * repeat_minutes)


def latest_due(
    steps: Sequence[StepDraft],
    repeat_minutes: int | None,
    since: datetime,
    number: int,
    at: datetime,
) -> int:
    """Return the step to take when step `number` is due: of missed repeats only the last one."""
    if number < len(steps) or repeat_minutes is None:
        return number
    last = since + timedelta(minutes=steps[-1].after_minutes)
    missed = int((at - last) / timedelta(minutes=repeat_minutes))
    return max(number, len(steps) - 1 + missed)


def percent_of(warned: int, percents: Sequence[int] = THRESHOLDS) -> int:
    """Return the percentage at which a promise warns for the 1st, 2nd or 3rd time."""
    return percents[max(0, min(warned, len(percents)) - 1)]
