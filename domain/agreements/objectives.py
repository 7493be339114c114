"""Internal objectives beside contractual targets: an objective of the company is at least as strict as its promise."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from domain.agreements.limits import PromiseLimits
from domain.agreements.rules import PromiseDraft, Target
from domain.calendars import CalendarSpec
from domain.core.errors import Code, Refused

_UNITS = ((86_400, "days"), (3_600, "hours"), (60, "minutes"))


def must_not_be_laxer(promises: Sequence[PromiseDraft], hours: Mapping[UUID, CalendarSpec]) -> None:
    """Refuse an internal objective that is laxer than the contractual target for the same unit; name both figures.

    Laxer is a longer time, or the same time for a smaller share. Two times are compared if they start alike and count
    on the same calendar, or the contractual one round the clock; others say nothing of each other. Where a more
    specific promise or objective applies instead, that one is compared.
    """
    internal = [each for each in promises if each.internal]
    contractual = [each for each in promises if not each.internal]
    strictest = [(min(map(_number, each.targets.values())), each) for each in contractual]
    for objective in internal:
        longest = max(map(_number, objective.targets.values()))
        for least, promise in strictest:
            if least > longest or objective.kind is not promise.kind:
                continue
            found = _laxer(objective, promise, hours)
            if (
                found is not None
                and objective.limits.overlap(promise.limits, hours)
                and not _is_replaced(objective, promise.limits, internal)
                and not _is_replaced(promise, objective.limits, contractual)
            ):
                raise Refused(
                    Code.INVALID,
                    f"The internal objective {objective.name!r} ({found[0]}) is laxer than the promise"
                    f" {promise.name!r} ({found[1]}): make it as strict, or limit it to other units.",
                    argument="promises",
                )


def _laxer(
    objective: PromiseDraft, promise: PromiseDraft, hours: Mapping[UUID, CalendarSpec]
) -> tuple[str, str] | None:
    """Return both figures of the first priority for which the objective is laxer; None: it is not."""
    contractual = hours[promise.calendar_version_id]
    if objective.clock_start is not promise.clock_start:
        return None
    if not contractual.always_open and contractual != hours[objective.calendar_version_id]:
        return None
    for priority, own in objective.targets.items():
        agreed = promise.targets.get(priority)
        if agreed is None or (own.elapsed_s is None) != (agreed.elapsed_s is None):
            continue
        times = (_number(own), _number(agreed))
        shares = (objective.objective_ppm, promise.objective_ppm)
        if times[0] > times[1]:
            return f"{_time_text(own)} for {priority}", _time_text(agreed)
        if times[0] == times[1] and shares[0] < shares[1]:
            return f"{_percent(shares[0])} for {priority}", _percent(shares[1])
    return None


def _is_replaced(
    promise: PromiseDraft, other: PromiseLimits, beside: Iterable[PromiseDraft]
) -> bool:
    """Return whether, for every unit within `other` too, a more specific promise applies instead."""
    return any(
        each.kind is promise.kind
        and each.limits.rank > promise.limits.rank
        and _contains(each.limits, promise.limits, other)
        for each in beside
    )


def _contains(limits: PromiseLimits, one: PromiseLimits, other: PromiseLimits) -> bool:
    """Return whether everything within both of two limits is within the first."""
    return (
        _within(one.ticket_kinds, other.ticket_kinds, limits.ticket_kinds)
        and limits.category in (None, one.category, other.category)
        and _within(one.site_ids, other.site_ids, limits.site_ids)
        and _within(one.services, other.services, limits.services)
        and limits.hours_id in (None, one.hours_id, other.hours_id)
    )


def _within(one: frozenset[object], other: frozenset[object], whole: frozenset[object]) -> bool:
    both = one & other if one and other else one or other
    return not whole or (bool(both) and both <= whole)


def _number(target: Target) -> int:
    return (target.business_days or 0) if target.elapsed_s is None else target.elapsed_s


def _time_text(target: Target) -> str:
    """Write a target in its largest whole unit, such as `90 minutes`."""
    if target.elapsed_s is None:
        return f"{target.business_days} business days"
    for seconds, name in _UNITS:
        if target.elapsed_s and target.elapsed_s % seconds == 0:
            return f"{target.elapsed_s // seconds} {name}"
    return f"{target.elapsed_s} seconds"


def _percent(ppm: int) -> str:
    return f"{ppm / 10_000:g} %"
