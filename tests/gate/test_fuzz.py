"""Noise of every kind: whatever is sent, the answer is no bug of ours, and the next asker is served."""

import json
import os
from typing import Any

import anyio
import pytest
from graphql import GraphQLSchema, get_named_type
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries
from websockets.exceptions import ConnectionClosed

from schema.build import sdl
from tests.api import asking
from tests.api.asking import Api, Office, Server
from tests.gate import documents

EXAMPLES = int(os.environ.get("WAARBORG_FUZZ", "60"))
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


def bugs(answer: dict[str, Any]) -> list[Any]:
    """Errors that are ours."""
    codes = ("INTERNAL", "TIMEOUT", "UNAVAILABLE")
    return [e for e in answer.get("errors", ()) if e["extensions"].get("code") in codes]


def drawn(strategy: Any) -> list[Any]:
    """Examples of a strategy, the same ones each time, outside of any event loop."""
    found: list[Any] = []

    @BOUNDED
    @given(strategy)
    def collect(example: Any) -> None:
        found.append(example)

    collect()
    return found


class Generator:
    """Documents of our own schema that a client could have written: any fields, any depth up to five."""

    def __init__(self, schema: GraphQLSchema, owned: dict[str, str]) -> None:
        self.schema = documents.over(schema)
        self.owned = owned

    def document(self, draw: Any) -> tuple[str, dict[str, Any]]:
        """An operation with its variables."""
        root = draw(st.sampled_from([self.schema.query_type, self.schema.mutation_type]))
        name = draw(st.sampled_from(sorted(root.fields)))
        field = root.fields[name]
        variables = {
            argument: documents.value(argument, each.type, lambda *_: draw(self.text()))
            for argument, each in field.args.items()
            if str(each.type).endswith("!") or draw(st.booleans())
        }
        if "first" in field.args and "last" in variables:
            variables.pop("last")
        declared = ", ".join(f"${n}: {field.args[n].type}" for n in variables)
        used = ", ".join(f"{n}: ${n}" for n in variables)
        selected = documents.selection(get_named_type(field.type), draw(st.integers(0, 2)))
        kind = "query" if root is self.schema.query_type else "mutation"
        head = f"{kind}({declared})" if declared else kind
        return f"{head} {{ {name}{f'({used})' if used else ''} {selected} }}", variables

    def text(self) -> st.SearchStrategy[str]:
        """Ids of ours, near misses, and text that breaks things."""
        return st.one_of(
            st.sampled_from(sorted(self.owned.values())),
            st.sampled_from(
                ["", "\x00", "\ud7ff", "'; --", "%s", "A" * 300, "Tm9kZTox", "null", "-1"]
            ),
            st.text(max_size=20),
        )


@pytest.mark.slow
async def test_documents_of_our_own_schema_meet_no_bug(api: Api, office: Office) -> None:
    generator = Generator(
        api.state.engine.documents.schema, {"account": office.account, "site": office.site}
    )
    made = drawn(st.composite(generator.document)())
    failed, answered = [], 0
    for document, variables in made:
        answer = await api.ask(office.manager, document, **variables)
        answered += answer.get("data") is not None
        if bugs(answer):
            failed.append((document[:300], variables, answer["errors"]))
    assert len(made) >= EXAMPLES // 2
    assert answered > len(made) // 5, "most of what is made is worth making"
    assert failed == []


SCALARS: dict[str, Any] = {
    "DateTime": st.sampled_from(["2026-03-02T12:00:00Z", "9999-12-31T23:59:59Z", "no"]).map(
        nodes.String
    ),
    "Date": st.sampled_from(["2026-03-02", "0001-01-01", ""]).map(nodes.String),
    "Time": st.sampled_from(["12:00", "24:00:00", "x"]).map(nodes.String),
    "Long": st.integers(-(2**60), 2**60).map(nodes.Int),
    "JSON": st.text(max_size=9).map(nodes.String),
    "Base64": st.text(max_size=9).map(nodes.String),
}


@pytest.mark.slow
async def test_what_schemathesis_makes_of_our_schema_meets_no_bug(api: Api, office: Office) -> None:
    """Its GraphQL documents come from hypothesis-graphql, which writes every argument in the document itself."""
    import schemathesis

    loaded = schemathesis.graphql.from_file(sdl())
    assert len(list(loaded.get_all_operations())) > 40
    made = drawn(queries(sdl(), custom_scalars=SCALARS, allow_x00=True))
    failed = []
    for document in made:
        answer = await api.ask(office.manager, document)
        if bugs(answer):
            failed.append((document[:300], answer["errors"]))
    assert failed == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            [
                "connection_init",
                "ping",
                "pong",
                "subscribe",
                "complete",
                "next",
                "error",
                "start",
                "",
            ]
        )
        | JSON,
        "id": st.sampled_from(["1", "2", ""]) | JSON,
        "payload": JSON
        | st.fixed_dictionaries(
            {
                "query": st.sampled_from(
                    ["{ viewer { role } }", "{", "subscription { breaches { kind } }"]
                )
            },
            optional={"variables": JSON, "operationName": JSON, "extensions": JSON},
        ),
    },
)
FRAMES = st.lists(
    MESSAGE.map(json.dumps) | st.text(max_size=40) | st.binary(max_size=40), max_size=8
)
EXPECTED = {1000, 1001, 1005, 1006, 4400, 4401, 4403, 4409, 4429}


async def test_messages_of_any_kind_close_a_socket_with_a_code_of_the_protocol(
    server: Server,
) -> None:
    office = await asking.office(server.api)
    ends = set()
    for frames in drawn(FRAMES):
        async with server.socket(office.client) as socket:
            try:
                for frame in frames:
                    await socket.connection.send(frame)
                await socket.say(type="ping")
                with anyio.fail_after(5):
                    while (await socket.hear())["type"] != "pong":
                        pass
            except ConnectionClosed:
                pass
        ends.add(socket.connection.close_code)
    assert ends <= EXPECTED - {1006}, ends
    async with server.socket(office.client) as socket:
        await socket.subscribe("after", "{ viewer { role } }")
        assert (await socket.next())["viewer"]["role"] == "CLIENT_ADMIN"


async def test_bodies_of_any_kind_are_told_what_is_wrong_with_them(
    api: Api, office: Office
) -> None:
    bodies = st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode())
    headers = {"authorization": f"Bearer {office.client}", "content-type": "application/json"}
    for body in drawn(bodies):
        response = await api.http.post("/graphql", content=body, headers=headers)
        assert response.status_code in {200, 400}, (body, response.text)
        assert response.json()["errors"], body
