"""A mutation may take arguments together, as one value; on the wire each of them stands alone."""

from dataclasses import dataclass
from inspect import Parameter
from typing import Annotated, Any

from strawberry.types.unset import UNSET

from schema.core.argument_groups import ArgumentGroup, flattened, ungrouped


@dataclass(frozen=True, kw_only=True)
class Details(ArgumentGroup):
    """A name and a town."""

    name: Annotated[str, "A name."]
    city: Annotated[str | None, "A town."] = UNSET


async def change(ask: object, id: int, details: Details, version: int | None = None) -> None:
    """Take a group between two arguments."""


def test_the_fields_of_a_group_stand_in_its_place() -> None:
    found = [(each.name, each.default) for each in flattened(change)]
    assert found == [
        ("ask", Parameter.empty),
        ("id", Parameter.empty),
        ("name", Parameter.empty),
        ("city", UNSET),
        ("version", None),
    ]


def test_arguments_of_a_group_are_passed_on_together() -> None:
    def collect(ask: str, id: int, details: Details, version: int | None = None) -> tuple[Any, ...]:
        return ask, id, details, version

    whole = ungrouped(collect)("a request", id=1, name="Gate", version=2)
    assert whole == ("a request", 1, Details(name="Gate"), 2)


def test_what_was_left_out_is_not_given() -> None:
    assert Details(name="Gate").given() == {"name": "Gate"}
    assert Details(name="Gate", city=None).given() == {"name": "Gate", "city": None}
