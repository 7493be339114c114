"""Documents made from the schema alone: a selection for any type, a value for any argument."""

from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_required_argument,
)

MANY = 60
"""Members of an abstract type of which only some leaves are asked about."""
Value = Callable[[str, GraphQLNamedType], Any]

PLAIN: dict[str, Any] = {
    "Int": 1,
    "Long": 1,
    "Float": 1.0,
    "Boolean": True,
    "DateTime": "2026-03-02T12:00:00+00:00",
    "Date": "2026-03-02",
    "Time": "12:00:00",
    "UUID": "00000000-0000-0000-0000-000000000000",
    "JSON": {},
}


HINTS: dict[str, Any] = {
    "elapsedSeconds": 900,
    "at": "2026-03-02T15:30:00+00:00",
    "window": "DAY",
    "dueAt": "2090-01-01T00:00:00+00:00",
    "rule": "FREQ=DAILY",
    "shared": False,
    "key": "probe",
    "currency": "EUR",
    "country": "NL",
    "billFromOn": "2026-03-01",
    "graceSeconds": 900,
    "silentAfterSeconds": 300,
    "fromAt": "2026-03-01T00:00:00+00:00",
    "untilAt": "2026-03-20T00:00:00+00:00",
    "url": "https://hooks.example.org/probe",
    "roles": ["MANAGEMENT"],
    "lowestGrade": None,
}
"""What fits better than any value of the type; given also where it could be left out. None leaves it out."""

AIMS: dict[str, str] = {
    "hoursId": "CalendarVersion",
    "internalOwnerId": "User",
    "subjectId": "Incident",
    "slaCompliance.promiseId": "PromiseTerm",
    "slaRestatement.promiseId": "PromiseTerm",
    "setSuccessGoal.id": "SuccessPlan",
    "correctAttendance.id": "Shift",
    "signOffTerms.id": "Simulation",
    "openRecovery.id": "Incident",
    "takeRecoveryStep.id": "RecoveryCase",
    "followUpRecovery.id": "RecoveryCase",
    "handOverRecoveryStep.id": "RecoveryCase",
    "retryConsequence.id": "Outbox",
    "versionId": "QuestionnaireVersion",
    "changeSurvey.id": "Survey",
    "sourceId": "ReviewSource",
    "changeReviewSource.id": "ReviewSource",
    "confirmReviewLink.id": "ReviewLink",
    "refuseReviewLink.id": "ReviewLink",
    "publishQuestionnaireVersion.id": "QuestionnaireVersion",
}
"""The type of an id where the names do not tell: by argument, or by field and argument."""


def selection(kind: GraphQLNamedType, depth: int, prefix: str = "") -> str:
    """Every field of a type that needs no argument, so many levels down; '' for a leaf.

    Fields of an abstract type's members are written under names of their own, so that they never clash.
    """
    if is_leaf_type(kind):
        return ""
    if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
        members = _members(kind)
        if len(members) > MANY:
            inside = [f"... on {m.name} {_first_leaves(m, prefix)}" for m in members]
            shared = "... on Node { " + f"{prefix}id: id" + " }"
            return "{ __typename " + " ".join([shared, *inside]) + " }"
        inside = [f"... on {m.name} {selection(m, depth, f'{prefix}{m.name}_')}" for m in members]
        return "{ __typename " + " ".join(inside) + " }"
    assert isinstance(kind, GraphQLObjectType), kind
    fields = ["__typename"]
    for name, field in kind.fields.items():
        if any(is_required_argument(a) for a in field.args.values()):
            continue
        below = get_named_type(field.type)
        alias = f"{prefix}{name}: " if prefix else ""
        if is_leaf_type(below):
            fields.append(f"{alias}{name}")
        elif depth > 0:
            fields.append(f"{alias}{name}{few(field)} {selection(below, depth - 1, prefix)}")
    return "{ " + " ".join(fields) + " }"


def _first_leaves(kind: GraphQLObjectType, prefix: str) -> str:
    """Three leaves of a type beside its id: all of a hundred types are more than a document may hold."""
    leaves = [
        name
        for name, field in kind.fields.items()
        if name != "id" and is_leaf_type(get_named_type(field.type)) and not field.args
    ]
    shown = leaves[:3] or ["__typename"]
    return "{ " + " ".join(f"{prefix}{kind.name}_{each}: {each}" for each in shown) + " }"


_schema_of: dict[int, GraphQLSchema] = {}


def over(schema: GraphQLSchema) -> GraphQLSchema:
    """Remember whose interfaces are asked about."""
    _schema_of[0] = schema
    return schema


def _members(kind: GraphQLUnionType | GraphQLInterfaceType) -> list[GraphQLObjectType]:
    return list(_schema_of[0].get_possible_types(kind))


def few(field: GraphQLField) -> str:
    """A small page, where a field takes a size."""
    return "(first: 3)" if "first" in field.args else ""


def value(name: str, kind: GraphQLInputType, given: Value, *, all_fields: bool = False) -> Any:
    """A value that fits; `given` makes those of ids and strings, and may answer None to leave one out."""
    inside = get_nullable_type(kind)
    if name in HINTS and not (
        isinstance(inside, GraphQLEnumType) and HINTS[name] not in (None, *inside.values)
    ):
        return HINTS[name]
    if isinstance(inside, GraphQLList):
        one = value(name, inside.of_type, given, all_fields=all_fields)
        return None if one is None else [one]
    if isinstance(inside, GraphQLEnumType):
        return next(iter(inside.values))
    if isinstance(inside, GraphQLInputObjectType):
        made: dict[str, Any] = {}
        for field_name, field in inside.fields.items():
            wanted = field_name in HINTS or isinstance(field.type, GraphQLNonNull)
            if not (wanted or all_fields or _is_id(field.type)):
                continue
            filled = value(field_name, field.type, given, all_fields=all_fields)
            if filled is not None:
                made[field_name] = filled
        return made
    named = get_named_type(kind)
    return PLAIN[named.name] if named.name in PLAIN else given(name, named)


def _is_id(kind: GraphQLInputType) -> bool:
    return get_named_type(kind).name == "ID"


def ids_in(arguments: dict[str, GraphQLArgument]) -> list[str]:
    """The names of arguments (and of fields of input objects) that take ids."""
    found: list[str] = []

    def walk(name: str, kind: GraphQLInputType) -> None:
        inside = get_named_type(kind)
        if inside.name == "ID":
            found.append(name)
        if isinstance(inside, GraphQLInputObjectType):
            for field_name, field in inside.fields.items():
                walk(field_name, field.type)

    for name, argument in arguments.items():
        walk(name, argument.type)
    return found
