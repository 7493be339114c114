"""Everything that can be read or done has a row in the table of access; the table names nothing that does not exist."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from graphql import GraphQLObjectType, GraphQLSchema
from sqlalchemy import TableClause, select, true
from sqlalchemy.dialects import postgresql

from api.commands.visibility import PATH
from api.endpoints.downloads import routes
from domain import catalogue
from domain.access import Role, own_work, scopes, visible_to
from domain.access.actor import Actor
from domain.access.facts import RIGHT_OF_KIND
from domain.access.fields import FIELDS, RIGHT_OF_FIELD
from domain.access.operations import DOWNLOADS, MUTATIONS, QUERIES, SUBSCRIPTIONS
from domain.access.rights import RIGHTS, SCOPES, Right
from domain.access.rows import NEVER_SHOWN, ROWS
from domain.access.words import page
from domain.core.base import Base
from domain.core.ledger import Fact
from domain.metadata import metadata
from schema.build import build, nodes

SCHEMA: GraphQLSchema = build()._schema
DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def object_types() -> Iterator[GraphQLObjectType]:
    roots = {SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type}
    for name, kind in SCHEMA.type_map.items():
        if isinstance(kind, GraphQLObjectType) and kind not in roots and not name.startswith("__"):
            yield kind


@pytest.mark.parametrize(
    ("root", "table", "name"),
    [
        (SCHEMA.query_type, QUERIES, "QUERIES"),
        (SCHEMA.mutation_type, MUTATIONS, "_BY_RIGHT"),
        (SCHEMA.subscription_type, SUBSCRIPTIONS, "SUBSCRIPTIONS"),
    ],
    ids=["queries", "mutations", "subscriptions"],
)
def test_every_operation_has_a_row(
    root: GraphQLObjectType, table: dict[str, tuple[Right, ...]], name: str
) -> None:
    missing = sorted(root.fields.keys() - table.keys())
    assert missing == [], (
        f"Nobody may use {missing} yet. Add each beside the right that opens it to"
        f" `access.py` of its capability, or to `{name}` in domain/access/operations.py; then run"
        " `waarborg visibility`."
    )
    assert table.keys() - root.fields.keys() == set(), "rows of operations that do not exist"


def test_every_field_has_a_row() -> None:
    fields = {
        (kind.name, field)
        for kind in object_types()
        if kind.name in FIELDS or not kind.name.endswith(("Connection", "Edge"))
        for field in kind.fields
    }
    missing = sorted(f"{kind}.{field}" for kind, field in fields - RIGHT_OF_FIELD.keys())
    assert missing == [], (
        f"Nobody may read {missing} yet. Give each a second text on its line in the schema type:"
        " WITH_ROW when whoever sees the row may read it, else the name of the right that opens it; or"
        " add it to `fields` in `access.py` of its capability. Then run `waarborg visibility`."
    )
    assert RIGHT_OF_FIELD.keys() - fields == set(), "rows of fields that do not exist"


def test_every_table_has_a_row_or_is_never_shown() -> None:
    tables = metadata.tables.keys()
    missing = sorted(tables - ROWS.keys() - NEVER_SHOWN)
    assert missing == [], (
        f"Nobody sees a row of {missing} yet. Add each to `rows` in `access.py` of its capability with"
        " the right that opens it, or to `never_shown` when nobody reads it through the API."
    )
    assert (ROWS.keys() | NEVER_SHOWN) - tables == set()
    assert ROWS.keys() & NEVER_SHOWN == set()
    assert {model.__tablename__ for model in nodes()} <= ROWS.keys()


def kinds(fact: type[Fact] = Fact) -> set[str]:
    own = {fact.kind} if "kind" in vars(fact) and isinstance(vars(fact)["kind"], str) else set()
    return own.union(*(kinds(each) for each in fact.__subclasses__()))


def test_every_kind_of_fact_has_a_row() -> None:
    ours = {each for each in kinds() if not each.startswith(("test.", "probe"))}
    missing = sorted(ours - RIGHT_OF_KIND.keys())
    assert missing == [], (
        f"Only roles that read every fact see {missing}. Add each kind to `facts` in"
        " `access.py` of its capability beside the right that opens it."
    )
    assert RIGHT_OF_KIND.keys() - ours == set()


@pytest.mark.parametrize("role", [each for each in Role if each is not Role.PARTNER])
def test_a_fact_is_read_only_by_who_may_read_what_it_is_about(role: Role) -> None:
    tables = {model.__name__: model.__tablename__ for model in nodes()}
    rights, bodies = RIGHTS[role], catalogue.kinds()
    if Right.READ_EVERY_FACT in rights:
        return  # also clients and guards, from whom a fact is kept by itself (`internal`)
    found = []
    for kind, right in RIGHT_OF_KIND.items():
        about = catalogue.subject_type(kind) or ""
        if about in tables and right in rights:
            needed = set(ROWS[tables[about]].rights)
            if any(
                field.name == "after" and field.type == "Object" for field in bodies[kind].fields
            ):
                # It may hold the value of any field.
                needed |= {each for each in FIELDS[about] if each is not None}
            found += [f"{kind} ({right.name}): {about} needs {each}" for each in needed - rights]
    assert found == []


def test_every_download_has_a_row() -> None:
    paths = {route.path.replace("{row_id:uuid}", "{id}") for route in routes()}
    assert paths == DOWNLOADS.keys(), "see DOWNLOADS in domain/access/operations.py"


@pytest.mark.parametrize("role", Role)
def test_the_condition_of_every_row_is_sql_for_every_role(role: Role) -> None:
    models = {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}
    for accounts in (None, frozenset({uuid4()})):
        actor = Actor(uuid4(), role, f"user:{uuid4()}", accounts)
        for name in (*ROWS, "ledger"):
            query = select(models[name]).where(visible_to(actor, models[name]))
            assert str(query.compile(dialect=DIALECT))


def test_tables_that_conditions_name_without_their_models_have_those_columns() -> None:
    named = [
        each
        for module in (own_work, scopes)
        for each in vars(module).values()
        if isinstance(each, TableClause)
    ]
    assert len(named) > 5
    for each in named:
        assert {c.name for c in each.columns} <= {
            c.name for c in metadata.tables[each.name].columns
        }


def test_the_page_about_visibility_is_what_the_table_says() -> None:
    assert PATH.read_text() == page(), "run `waarborg visibility`"


def test_roles_and_scopes_are_whole() -> None:
    assert RIGHTS.keys() == set(Role)
    changing = {right for rights in MUTATIONS.values() for right in rights}
    assert RIGHTS[Role.AUDITOR] & changing == set(), "an auditor changes nothing"
    assert RIGHTS[Role.GUARD] & changing == {
        *(Right.REPORT, Right.REPORT_POSITIONS, Right.ATTEND, Right.CONFIRM_READING),
        Right.UPLOAD_FILES,
    }
    for scope, rights in SCOPES.items():
        if scope.endswith(":read"):
            assert rights & changing == set(), scope


@pytest.mark.parametrize("role", Role)
def test_conditions_hold_in_a_lateral_join_too(role: Role) -> None:
    models = {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}
    for accounts in (None, frozenset({uuid4()})):
        actor = Actor(uuid4(), role, f"user:{uuid4()}", accounts)
        for name in (*ROWS, "ledger"):
            model = models[name]
            inner = select(model).where(visible_to(actor, model)).limit(1).lateral()
            outer = select(models["tenant"].id, inner).join_from(models["tenant"], inner, true())
            assert str(outer.compile(dialect=DIALECT))
