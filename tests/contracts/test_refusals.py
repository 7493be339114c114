"""A refusal names its argument as the input does: a client shows it beside the field it is about."""

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from types import FunctionType
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, get_named_type

from domain.core.errors import Code, Refused, naming_only
from schema.build import build
from schema.core.roots import RootType, marked_classes

Acts = dict[str, FunctionType]


def acts() -> Acts:
    """What each verb does, by the verb's name."""
    groups: list[Any] = list(marked_classes(RootType.MUTATION))
    fields = [field for group in groups for field in group.__strawberry_definition__.fields]
    found = (inspect.getclosurevars(field.base_resolver.wrapped_func).nonlocals for field in fields)
    return {each["name"]: inspect.unwrap(each["act"]) for each in found}


def input_names(verb: str) -> set[str]:
    """The names of a verb's input and of the inputs inside it."""
    mutation = build()._schema.mutation_type
    assert mutation is not None
    names: set[str] = set()
    waiting: list[Any] = [mutation.fields[verb].args["input"].type]
    while waiting:
        kind = get_named_type(waiting.pop())
        if isinstance(kind, GraphQLInputObjectType):
            names |= kind.fields.keys()
            waiting += [field.type for field in kind.fields.values()]
    return names


@cache
def code(function: FunctionType) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(function)))


@cache
def names_in(function: FunctionType) -> dict[str, Any]:
    """What names mean inside a function: the module's, and what it imports for itself."""
    found = dict(function.__globals__)
    for node in ast.walk(code(function)):
        if isinstance(node, ast.ImportFrom) and node.module:
            module = importlib.import_module(node.module)
            found |= {each.asname or each.name: getattr(module, each.name) for each in node.names}
    return found


def meant(node: ast.AST, names: dict[str, Any]) -> Any:
    """What a name, or a name of a module's, stands for; None for anything else."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    return (
        getattr(meant(node.value, names), node.attr, None)
        if isinstance(node, ast.Attribute)
        else None
    )


def nodes(function: FunctionType) -> Iterator[ast.AST]:
    """The nodes of a function, without what it does with values of its own."""
    waiting = [code(function)]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.With) and any(
            isinstance(each.context_expr, ast.Call)
            and meant(each.context_expr.func, names_in(function)) is naming_only
            for each in node.items
        ):
            waiting += [each.context_expr for each in node.items]
        else:
            waiting += ast.iter_child_nodes(node)


def reached(function: FunctionType, known: set[FunctionType]) -> None:
    """All functions of ours that a function names, and those that they name."""
    known.add(function)
    for node in nodes(function):
        other = meant(node, names_in(function))
        if (
            isinstance(other, FunctionType)
            and other not in known
            and other.__module__.split(".")[0] in {"domain", "schema"}
        ):
            reached(other, known)


def named(function: FunctionType) -> Iterator[str]:
    """The arguments that a function refuses by name, itself or by what it calls with the name."""
    for node in nodes(function):
        if not isinstance(node, ast.Call):
            continue
        called = meant(node.func, names_in(function))
        if called is naming_only:
            yield from (str(each.value) for each in node.args if isinstance(each, ast.Constant))
            continue
        if called is not Refused and not isinstance(called, FunctionType):
            continue
        parameters = list(inspect.signature(called).parameters)
        given = dict(zip(parameters, node.args, strict=False))
        given |= {word.arg: word.value for word in node.keywords if word.arg}
        told = given.get("argument")
        if isinstance(told, ast.Constant) and isinstance(told.value, str):
            yield told.value


@pytest.mark.parametrize("verb", sorted(acts()))
def test_a_verb_refuses_arguments_under_the_names_of_its_input(verb: str) -> None:
    functions: set[FunctionType] = set()
    reached(acts()[verb], functions)
    told = {
        (name, f"{each.__module__}.{each.__name__}") for each in functions for name in named(each)
    }
    assert len(functions) > 1
    known = input_names(verb)
    assert sorted(each for each in told if each[0] not in known) == []


@pytest.mark.parametrize(("argument", "shown"), [("reference", "reference"), ("name", None)])
def test_a_refusal_of_a_value_that_the_caller_did_not_give_names_no_argument(
    argument: str, shown: str | None
) -> None:
    with pytest.raises(Refused) as refused, naming_only("reference"):
        raise Refused(Code.INVALID, "It is taken.", argument=argument)
    assert (refused.value.refusal.argument, refused.value.refusal.message) == (
        shown,
        "It is taken.",
    )
