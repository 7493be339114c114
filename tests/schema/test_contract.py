"""The contract keeps its promises about itself: columns, words, the committed SDL."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
)
from sqlalchemy import inspect
from strawberry.types.base import StrawberryObjectDefinition

from api.commands.sdl import PATH
from domain.core.base import Base
from domain.core.errors import Code
from schema.build import build, nodes, sdl
from schema.core.scalars import WireNames
from schema.core.types import columns

SCHEMA: GraphQLSchema = build()._schema
OURS = [kind for name, kind in SCHEMA.type_map.items() if not name.startswith("__")]


def shown() -> Iterator[tuple[str, type[Any], Any]]:
    """Every GraphQL type that shows a row: its name, the row's model, the type."""
    for concrete in build().schema_converter.type_map.values():
        if not isinstance(concrete.definition, StrawberryObjectDefinition):
            continue
        origin = concrete.definition.origin
        model = getattr(origin, "__shows__", None)
        if isinstance(model, type) and issubclass(model, Base):
            yield concrete.definition.name, model, origin


@pytest.mark.parametrize(("name", "model", "origin"), [*shown()], ids=lambda v: str(v)[:40])
def test_every_plain_field_is_a_column_with_the_same_nullability(
    name: str, model: type[Base], origin: Any
) -> None:
    mapped = inspect(model).columns
    graphql_type = SCHEMA.type_map[name]
    assert isinstance(graphql_type, GraphQLObjectType)
    assert columns(origin), "a type that shows a row shows some of its columns"
    for column, field in columns(origin).items():
        if column not in mapped:
            assert isinstance(getattr(model, column), property), f"{name}.{column}"
            continue
        wire = graphql_type.fields[WireNames().apply_naming_config(column)]
        assert isinstance(wire.type, GraphQLNonNull) == (
            not mapped[column].nullable and not field.metadata["restricted"]
        ), f"{name}.{column}"


def test_every_row_with_a_global_id_is_found_by_node() -> None:
    interface = SCHEMA.type_map["Node"]
    assert isinstance(interface, GraphQLInterfaceType)
    named = {kind.name for kind in SCHEMA.get_possible_types(interface)}
    assert named == {model.__name__ for model in nodes()}


def test_everything_has_words() -> None:
    wordless = []
    for kind in OURS:
        if not kind.description:
            wordless.append(kind.name)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for field_name, field in kind.fields.items():
                if not field.description:
                    wordless.append(f"{kind.name}.{field_name}")
                for argument_name, argument in getattr(field, "args", {}).items():
                    if not argument.description:
                        wordless.append(f"{kind.name}.{field_name}({argument_name})")
        if isinstance(kind, GraphQLEnumType):
            wordless += [f"{kind.name}.{n}" for n, v in kind.values.items() if not v.description]
    assert wordless == []


def test_the_committed_sdl_is_what_the_code_says() -> None:
    assert PATH.read_text() == sdl(), "run `make sdl`"


def test_every_verb_takes_one_input_and_answers_with_a_row_or_a_refusal() -> None:
    mutation = SCHEMA.mutation_type
    assert mutation is not None
    for name, field in mutation.fields.items():
        title = name[0].upper() + name[1:]
        assert {n: str(a.type) for n, a in field.args.items()} == {"input": f"{title}Input!"}
        assert str(field.type) == f"{title}Result!"
        members = [kind.name for kind in SCHEMA.type_map[f"{title}Result"].types]  # type: ignore[attr-defined]
        assert len(members) == 2
        assert members[1] == "Refusal"
        given = SCHEMA.type_map[f"{title}Input"].fields  # type: ignore[attr-defined]
        assert "idempotencyKey" in given


def test_every_code_of_the_domain_is_on_the_wire() -> None:
    kind = SCHEMA.type_map["RefusalCode"]
    assert isinstance(kind, GraphQLEnumType)
    assert set(kind.values) == {code.name for code in Code}
