"""Check values of parameters against their definitions, and choose the most specific one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise

from domain.core.errors import Code, Refused
from domain.parameters.definitions import (
    ParameterDefinition,
    ParameterLevel,
    ParameterTier,
    ParameterUnit,
    Quantity,
)


def definition_of(
    known: Mapping[str, ParameterDefinition], name: str, *, argument: str = "name"
) -> ParameterDefinition:
    """Return the definition of a parameter; refuse an unknown name with the known ones."""
    if name not in known:
        raise Refused(
            Code.NOT_FOUND,
            f"No such parameter. There are: {', '.join(sorted(known))}.",
            argument=argument,
        )
    return known[name]


def checked(
    definition: ParameterDefinition, numbers: Sequence[int], unit: ParameterUnit
) -> Quantity:
    """Return the value; refuse numbers, or a unit, that the definition does not allow."""
    allowed = f"{definition.name} takes {allowed_text(definition)}."
    found = next((each for each in definition.allowed if each.unit is unit), None)
    if found is None:
        raise Refused(Code.INVALID, allowed, argument="unit")
    fits = all(found.minimum <= number <= found.maximum for number in numbers)
    if len(numbers) != definition.count or not fits or not _ascend(numbers):
        raise Refused(Code.INVALID, allowed, argument="numbers")
    return Quantity(tuple(numbers), unit)


def allowed_text(definition: ParameterDefinition) -> str:
    """Say in words which numbers and units a parameter takes."""
    numbers = "1 number" if definition.count == 1 else f"{definition.count} ascending numbers"
    ranges = (f"{each.minimum} to {each.maximum} {each.unit.name}" for each in definition.allowed)
    return f"{numbers} from {' or from '.join(ranges)}"


def _ascend(numbers: Sequence[int]) -> bool:
    return all(earlier < later for earlier, later in pairwise(numbers))


def check_level(
    definition: ParameterDefinition, level: ParameterLevel, tier: ParameterTier | None
) -> None:
    """Refuse a level or a tier that the parameter does not have."""
    argument = {ParameterLevel.SITE: "siteId", ParameterLevel.ACCOUNT: "accountId"}.get(level)
    if level not in definition.levels:
        levels = ", ".join(each.name for each in definition.levels)
        raise Refused(
            Code.INVALID,
            f"{definition.name} can be set for: {levels}.",
            argument=argument or "tier" if level is ParameterLevel.TIER else argument,
        )
    if tier is not None and tier not in definition.tiers:
        tiers = ", ".join(each.name for each in definition.tiers)
        raise Refused(
            Code.INVALID, f"{definition.name} can be set for the tiers {tiers}.", argument="tier"
        )


def default_of(
    definition: ParameterDefinition, tiers: Collection[ParameterTier]
) -> Quantity | None:
    """Return the default for an account of these tiers."""
    for tier, quantity in definition.tier_defaults.items():
        if tier in tiers:
            return quantity
    return definition.default


def most_specific(
    levels: Iterable[tuple[ParameterLevel, Quantity | None]],
) -> ParameterLevel | None:
    """Return the most specific level that has a value; None where all of them were reset."""
    order = list(ParameterLevel)
    found = [level for level, quantity in levels if quantity is not None]
    return max(found, key=order.index, default=None)
