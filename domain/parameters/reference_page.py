"""The page of parameters: what the software declares, as a table."""

from domain.parameters.definitions import ParameterDefinition, Quantity
from domain.parameters.registry import definitions
from domain.parameters.rules import allowed_text

_HEAD = """# Parameters

Numbers of company policy that a company sets itself ([how](../how-to/parameters.md)). `waarborg parameters` writes this
page from the code: `domain/<capability>/parameters.py`.

The most specific value applies: that of the site, else of the account, else of the account's tier, else of the company,
else the default. A value applies from an instant on, which is never in the past.

| parameter | decides | takes | default | set for | readable with |
|---|---|---|---|---|---|
"""


def page() -> str:
    """Return the page as Markdown."""
    return _HEAD + "".join(map(_row, definitions().values()))


def value_text(quantity: Quantity | None) -> str:
    """Write a value with its unit, such as `240 MINUTES`."""
    if quantity is None:
        return "none"
    return f"{', '.join(map(str, quantity.numbers))} {quantity.unit.name}"


def default_text(definition: ParameterDefinition) -> str:
    """Write the default, and those of tiers that have their own."""
    found = [value_text(definition.default)]
    found += [f"{tier.name}: {value_text(it)}" for tier, it in definition.tier_defaults.items()]
    return "; ".join(found)


def _row(definition: ParameterDefinition) -> str:
    levels = ", ".join(each.name for each in definition.levels)
    tiers = ", ".join(each.name for each in definition.tiers)
    cells = (
        f"`{definition.name}`",
        definition.description,
        allowed_text(definition),
        default_text(definition),
        f"{levels} (tiers {tiers})" if "TIER" in levels else levels,
        "the account" if definition.right is None else f"`{definition.right}`",
    )
    return f"| {' | '.join(cells)} |\n"
