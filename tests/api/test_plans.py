"""Plans answer what graphql-core answers, to the byte, and say when they do not cover a document."""

import tracemalloc
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from graphql import GraphQLObjectType, get_named_type, is_required_argument
from sqlalchemy import select

from api.execution.document_cache import Documents, Operation
from api.execution.executor import GraphQLRequest, Result
from domain.access import Actor, Role
from schema.build import build, nodes
from schema.core import ids
from tests import build as building
from tests.api.asking import Api, Office
from tests.gate import documents as made
from tests.gate import filled

INCIDENTS = """query ($account: ID, $first: Int = 2) {
  a: incidents(accountId: $account, first: $first) { ...Page }
  b: incidents(first: 1, accountId: $account) { edges { cursor node { ...Shown id } } totalCount }
  viewer { role __typename } }
fragment Page on IncidentConnection { nodes { ...Shown ... on Node { id } account { name ... { id } } }
  pageInfo { hasNextPage } }
fragment Shown on Incident { number summary openedAt promises { name state dueAt incident { number } } }"""
UNPLANNED = {
    "a directive": "query ($no: Boolean!) { viewer { role @skip(if: $no) } }",
    "introspection": "{ __schema { queryType { name } } }",
    "a mutation": 'mutation { touch: acknowledgeIncident(input: {id: "x"}) { __typename } }',
    "a subscription": "subscription { breaches { cursor } }",
}


async def both(
    api: Api, actor: Actor, query: str, **variables: Any
) -> tuple[Operation, bytes, bytes]:
    """The operation, what is answered, and what graphql-core answers alone."""
    engine = api.state.engine
    operation = engine.documents.operation(query, None, variables)
    ask = GraphQLRequest(query, variables)
    ctx = api.state.context(actor)
    again = ctx.fresh()
    again.at = ctx.at
    ours = await engine.answer(operation, ask, ctx, "0")
    theirs = await engine.answer(replace(operation, plan=None), ask, again, "0")
    return operation, encoded(ours), encoded(theirs)


def encoded(result: Result) -> bytes:
    return msgspec.json.encode(result.answer)


async def actor_of(api: Api, token: str) -> Actor:
    identity = await api.state.authenticator.identify(token)
    assert identity is not None
    return identity.actor


async def everybody(api: Api, office: Office) -> list[Actor]:
    """The manager, the client, and staff of other roles who are limited to the account or to their own work."""
    manager = await actor_of(api, office.manager)
    dispatcher = await actor_of(api, office.dispatcher)
    return [
        manager,
        dispatcher,
        await actor_of(api, office.client),
        replace(manager, role=Role.GUARD),
        replace(dispatcher, accounts=frozenset({office.world.account.id})),
        replace(manager, role=Role.FINANCE, accounts=frozenset({office.world.account.id})),
    ]


async def test_aliases_fragments_defaults_and_lists_are_answered_alike(
    api: Api, office: Office
) -> None:
    for _ in range(3):
        await building.incident(api.make, office.world)
    for actor in await everybody(api, office):
        operation, ours, theirs = await both(api, actor, INCIDENTS, account=office.account)
        assert operation.plan is not None
        assert ours == theirs
        assert (b"INC-" in ours) == (actor.role is not Role.GUARD)


async def test_errors_and_nulls_are_graphql_core_s(api: Api, office: Office) -> None:
    actor = await actor_of(api, office.client)
    for query, variables in (
        ("query ($id: ID!) { account(id: $id) { name sites(first: 101) { name } } }", {}),
        (
            'query ($id: ID!) { account(id: $id) { name } incidents(after: "no") { totalCount } }',
            {},
        ),
        ("query ($id: ID!, $n: Int!) { account(id: $id) { sites(first: $n) { id } } }", {"n": "x"}),
    ):
        operation, ours, theirs = await both(api, actor, query, id=office.account, **variables)
        assert operation.plan is not None
        assert ours == theirs
        assert b"errors" in ours


@pytest.mark.parametrize("query", UNPLANNED.values(), ids=UNPLANNED.keys())
def test_what_plans_do_not_cover_is_left_to_graphql_core(query: str) -> None:
    operation = Documents(build(), development=True).operation(query, None, {"no": True})
    assert operation.plan is None


async def test_every_type_is_answered_alike_two_levels_down(api: Api, office: Office) -> None:
    schema = made.over(api.state.engine.documents.schema)
    await building.incident(api.make, office.world)
    await filled.fill(api.make, schema)
    assert schema.query_type is not None
    queries = [
        f"{{ {name}(first: 3) {made.selection(get_named_type(field.type), 2)} }}"
        for name, field in schema.query_type.fields.items()
        if "first" in field.args and not any(map(is_required_argument, field.args.values()))
    ]
    for model in nodes():
        kind = schema.type_map[model.__name__]
        assert isinstance(kind, GraphQLObjectType)
        below = made.selection(kind, 1)
        queries.append(f"query ($id: ID!) {{ node(id: $id) {{ ... on {kind.name} {below} }} }}")
    planned = differing = 0
    actors = await everybody(api, office)
    shown = {model.__name__: await first_id(api, model) for model in nodes()}
    for actor in actors:
        for query in queries:
            name = query.partition("... on ")[2].partition(" ")[0]
            given = {"id": shown[name] or "none"} if name in shown and "$id" in query else {}
            operation, ours, theirs = await both(api, actor, query, **given)
            planned += operation.plan is not None
            differing += ours != theirs
    assert differing == 0
    assert planned > 0.8 * len(actors) * len(queries)
    assert api.state.reads.failures == 0


async def first_id(api: Api, model: Any) -> str | None:
    """The global id of a row."""
    async with api.make() as session:
        row_id = await session.scalar(select(model.id).limit(1))
    return None if row_id is None else ids.write(model.__name__, row_id)


def test_a_kept_plan_weighs_what_it_takes() -> None:
    documents = Documents(build(suggestions=False), development=False)
    texts = [
        f"query a{n} {{ incidents {{ nodes {{ id number account {{ id name }} }} }} }}"
        for n in range(40)
    ]
    documents.operation(texts[0], None, {})
    weighed = documents.kept_bytes
    tracemalloc.start()
    for text in texts[1:]:
        documents.operation(text, None, {})
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken / 2 < documents.kept_bytes - weighed < taken * 2
