"""Every parameter has a default within its own limits, and the page says what the code declares."""

import pytest

from api.commands.parameters import PATH
from domain.parameters import (
    AllowedRange,
    ParameterDefinition,
    ParameterLevel,
    ParameterUnit,
    Quantity,
    definitions,
    including,
    page,
)
from domain.parameters.rules import checked


def test_the_page_of_parameters_is_what_the_code_says() -> None:
    assert PATH.read_text() == page(), "run `waarborg parameters`"


@pytest.mark.parametrize("name", definitions())
def test_a_parameter_is_declared_whole(name: str) -> None:
    definition = definitions()[name]
    assert definition.description.endswith(".")
    assert ParameterLevel.DEFAULT not in definition.levels
    assert set(definition.tier_defaults) <= set(definition.tiers)
    for quantity in (definition.default, *definition.tier_defaults.values()):
        if quantity is not None:
            assert checked(definition, quantity.numbers, quantity.unit) == quantity


def test_a_name_is_declared_once() -> None:
    known = next(iter(definitions().values()))
    with pytest.raises(ValueError, match="declared twice"), including(known):
        pass
    fresh = ParameterDefinition(
        name="tests.fresh",
        description="For this test.",
        default=Quantity((1,), ParameterUnit.COUNT),
        allowed=(AllowedRange(ParameterUnit.COUNT, 1, 2),),
    )
    with including(fresh):
        assert "tests.fresh" in definitions()
    assert "tests.fresh" not in definitions()
