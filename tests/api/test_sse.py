"""GraphQL over server-sent events, against a real server: framing, refusals before and in the stream, sharing, ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx2
import pytest

from api.endpoints import graphql_sse
from api.identity import authenticator
from api.live import connections
from api.support.telemetry import EXECUTIONS
from domain import accounts
from domain.access import Actor, Tx
from domain.core.db import transaction
from tests import build, facts
from tests.api import asking
from tests.api.asking import Office, Server
from tests.api.test_sockets import EVENTS, listening

STREAM = "text/event-stream"
URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, "
    "multipart/mixed"
)


@pytest.fixture
async def office(server: Server) -> Office:
    """A new company whose beginnings are told already."""
    made = await asking.office(server.api)
    numbered = await facts.number_all(server.api.make)
    await facts.until(lambda: server.api.state.hub.position >= numbered.seq)
    return made


@asynccontextmanager
async def streaming(
    server: Server, token: str, query: str, /, **variables: Any
) -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
    """The events of a stream as (event, data)."""
    headers = {"authorization": f"Bearer {token}", "accept": STREAM}
    body = {"query": query, "variables": variables}
    async with server.api.http.stream("POST", "/graphql", json=body, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith(STREAM)
        async with aclosing(parsed(response)) as events:
            yield events


async def parsed(response: httpx2.Response) -> Any:
    """The events in a body; comments are skipped."""
    rest = ""
    async for text in response.aiter_text():
        assert "\r" not in text
        *whole, rest = (rest + text).split("\n\n")
        for block in whole:
            lines = dict(line.partition(":")[::2] for line in block.split("\n"))
            if "event" in lines:
                data = lines["data"].strip()
                yield lines["event"].strip(), json.loads(data) if data else None


async def hear(events: AsyncIterator[tuple[str, Any]]) -> tuple[str, Any]:
    async with asyncio.timeout(60):
        return await anext(events)


async def test_facts_come_as_next_events_and_a_cursor_goes_on_where_it_was(
    server: Server, office: Office
) -> None:
    async with streaming(server, office.client, EVENTS, account=office.account) as events:
        await listening(server)
        await build.incident(server.api.make, office.world)
        await facts.number_all(server.api.make)
        event, answer = await hear(events)
        told = answer["data"]["accountEvents"]
        assert (event, told["kind"], told["incident"]["status"]) == (
            "next",
            "incident.opened",
            "NEW",
        )
        following = (await hear(events))[1]["data"]["accountEvents"]["cursor"]
    await facts.until(lambda: server.api.state.groups.followers == 0)
    async with streaming(
        server, office.client, EVENTS, account=office.account, after=told["cursor"]
    ) as events:
        assert (await hear(events))[1]["data"]["accountEvents"]["cursor"] == following


async def test_a_stream_shares_its_execution_with_sockets_that_ask_the_same(
    server: Server, office: Office
) -> None:
    async with (
        streaming(server, office.client, EVENTS, account=office.account, kinds=["incident.opened"]) as events,
        server.socket(office.client) as socket,
    ):  # fmt: skip
        same = {"account": office.account, "kinds": ["incident.opened"]}
        await socket.subscribe("1", EVENTS.replace("\n", "  "), **same)
        await socket.subscribe("2", EVENTS, **same, after=None)
        await listening(server, 3)
        assert len(server.api.state.groups) == 1
        before = EXECUTIONS._value.get()
        await build.incident(server.api.make, office.world)
        await facts.number_all(server.api.make)
        _, streamed = await hear(events)
        assert [await socket.next(), await socket.next()] == [streamed["data"]] * 2
        assert EXECUTIONS._value.get() - before == 1


async def test_a_query_that_wants_a_stream_is_one_event_and_the_end(
    server: Server, office: Office
) -> None:
    async with streaming(server, office.client, "{ viewer { role } }") as events:
        assert await hear(events) == ("next", {"data": {"viewer": {"role": "CLIENT_ADMIN"}}})
        assert await hear(events) == ("complete", None)


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{ nothing }", {}, "BAD_REQUEST"),
        ("{", {}, "BAD_REQUEST"),
        (EVENTS, {}, "BAD_REQUEST"),
        (EVENTS, {"account": "x"}, "NOT_FOUND"),
        ("subscription { breaches { kind } }", {}, "NOT_ALLOWED"),
    ],
)
async def test_an_operation_that_cannot_be_is_refused_in_the_stream(
    server: Server, office: Office, query: str, variables: dict[str, Any], code: str
) -> None:
    async with streaming(server, office.client, query, **variables) as events:
        event, answer = await hear(events)
        assert (event, answer["errors"][0]["extensions"]["code"]) == ("next", code)
        assert (await hear(events))[0] == "complete"


async def test_a_request_that_cannot_be_is_refused_before_the_stream(
    server: Server, office: Office
) -> None:
    http, own = server.api.http, {"authorization": f"Bearer {office.client}", "accept": STREAM}
    ask = {"query": EVENTS, "variables": {"account": office.account}}
    nobody = await http.post("/graphql", json=ask, headers={"accept": STREAM})
    wrong = await http.post(
        "/graphql", content=b"{", headers=own | {"content-type": "application/json"}
    )
    form = await http.post(
        "/graphql", content=b"query=x", headers=own | {"content-type": "text/plain"}
    )
    change = await http.get("/graphql", params={"query": "mutation { __typename }"}, headers=own)
    other = await http.post("/graphql", json=ask, headers=own | {"accept": "application/json"})
    assert [each.status_code for each in (nobody, wrong, form, change, other)] == [
        401,
        400,
        415,
        405,
        400,
    ]
    assert STREAM in other.json()["errors"][0]["message"]


async def test_only_who_really_wants_a_stream_gets_one(server: Server, office: Office) -> None:
    http, own = server.api.http, {"authorization": f"Bearer {office.client}"}
    for accept, streamed in (
        (URQL, False), (STREAM, True), (f"{STREAM};q=0.5, application/json", False), (f"{STREAM}, */*", False),
        (f"{STREAM};q=0, application/json", False), ("*/*", False), (f"application/json;q=0.9, {STREAM}", False),
    ):  # fmt: skip
        answer = await http.post(
            "/graphql", json={"query": "{ viewer { role } }"}, headers=own | {"accept": accept}
        )
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(STREAM) is streamed, accept


async def test_urql_gets_its_subscription_as_a_stream_over_get_too(
    server: Server, office: Office
) -> None:
    query = {"query": EVENTS, "variables": json.dumps({"account": office.account})}
    headers = {"authorization": f"Bearer {office.client}", "accept": URQL}
    async with server.api.http.stream("GET", "/graphql", params=query, headers=headers) as response:
        assert response.headers["content-type"].startswith(STREAM)
        await listening(server)
        await build.incident(server.api.make, office.world)
        await facts.number_all(server.api.make)
        async with aclosing(parsed(response)) as events:
            assert (await hear(events))[0] == "next"


async def test_a_quiet_stream_is_kept_alive_with_comments(
    server: Server, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphql_sse, "KEEP_ALIVE_S", 0.05)
    body = {"query": EVENTS, "variables": {"account": office.account}}
    headers = {"authorization": f"Bearer {office.client}", "accept": STREAM}
    async with server.api.http.stream("POST", "/graphql", json=body, headers=headers) as response:
        text = ""
        async with asyncio.timeout(60):
            async for some in response.aiter_text():
                text += some
                if text.count(":\n\n") >= 3:
                    break
    assert set(text) == {":", "\n"}


async def test_a_stream_ends_with_its_right_and_without_complete(
    server: Server, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticator, "FRESH_S", 0.2)
    monkeypatch.setattr(connections, "ROUND_S", 0.1)
    system = Actor.system(office.world.tenant.id, "test")
    async with streaming(server, office.client, EVENTS, account=office.account) as events:
        await listening(server)
        async with transaction(server.api.make) as session:
            await accounts.disable_user(
                Tx(session, system, server.api.state.now()), office.world.client_user.id
            )
        async with asyncio.timeout(60):
            assert [event async for event in events] == []
    await facts.until(lambda: len(server.api.state.groups) == 0)


async def blocks(response: httpx2.Response) -> AsyncIterator[dict[str, str]]:
    """The events in a body with all of their fields."""
    rest = ""
    async for text in response.aiter_text():
        *whole, rest = (rest + text).split("\n\n")
        for block in whole:
            fields = dict(line.partition(":")[::2] for line in block.split("\n"))
            if "event" in fields:
                yield {name: value.strip() for name, value in fields.items()}


NO_CURSOR = "subscription($account: ID!) { accountEvents(accountId: $account) { cursor kind } }"
LITERAL = """subscription($account: ID!) { ...All }
fragment All on Subscription { same: accountEvents(accountId: $account, after: "garbage") { cursor kind } }"""
VARIABLE = """query Other { viewer { role } } subscription Feed($account: ID!, $after: String) {
accountEvents(accountId: $account, after: $after) { cursor kind } }"""


@pytest.mark.parametrize(
    ("query", "name"), [(NO_CURSOR, None), (LITERAL, None), (VARIABLE, "Feed")]
)
async def test_every_event_has_its_cursor_as_its_id_and_the_last_one_is_where_a_reader_goes_on(
    server: Server, office: Office, query: str, name: str | None
) -> None:
    own = {"authorization": f"Bearer {office.client}", "accept": STREAM}
    first = {"query": NO_CURSOR, "variables": {"account": office.account}}
    again = {"query": query, "variables": {"account": office.account}, "operationName": name}
    async with server.api.http.stream("POST", "/graphql", json=first, headers=own) as response:
        await listening(server)
        await build.incident(server.api.make, office.world)
        await facts.number_all(server.api.make)
        async with aclosing(blocks(response)) as events, asyncio.timeout(60):  # type: ignore[type-var]
            heard = [await anext(events) for _ in range(2)]
    for each in heard:
        assert each["id"] == json.loads(each["data"])["data"]["accountEvents"]["cursor"]
    await facts.until(lambda: server.api.state.groups.followers == 0)
    await build.incident(server.api.make, office.world)  # while nobody listens
    await facts.number_all(server.api.make)
    back = own | {"last-event-id": heard[0]["id"]}
    async with (
        server.api.http.stream("POST", "/graphql", json=again, headers=back) as response,
        aclosing(blocks(response)) as events,  # type: ignore[type-var]
        asyncio.timeout(60),
    ):
        missed = [await anext(events) for _ in range(4)]
    assert missed[0]["id"] == heard[1]["id"]
    kinds = [next(iter(json.loads(each["data"])["data"].values()))["kind"] for each in missed]
    assert kinds.count("incident.opened") == 1
    assert len({each["id"] for each in missed}) == 4


async def test_an_id_that_is_no_cursor_is_refused_in_the_stream(
    server: Server, office: Office
) -> None:
    own = {"authorization": f"Bearer {office.client}", "accept": STREAM, "last-event-id": "garbage"}
    body = {"query": NO_CURSOR, "variables": {"account": office.account}}
    answer = await server.api.http.post("/graphql", json=body, headers=own)
    assert "CURSOR_INVALID" in answer.text


async def test_http_1_0_is_answered_without_chunks(server: Server, office: Office) -> None:
    own = f"authorization: Bearer {office.client}\r\ncontent-type: application/json\r\naccept: {STREAM}\r\n"
    for query, ends in (("{ viewer { role } }", True), (NO_CURSOR, False)):
        body = json.dumps({"query": query, "variables": {"account": office.account}})
        head = f"POST /graphql HTTP/1.0\r\n{own}content-length: {len(body)}\r\n\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write((head + body).encode())
        told = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        assert b" 200 " in told.split(b"\r\n")[0]
        assert b"transfer-encoding" not in told.lower()
        assert b"connection: close" in told.lower()
        if ends:
            rest = await asyncio.wait_for(reader.read(), 10)
            assert rest.startswith(b"event: next\ndata: {")
            assert rest.endswith(b"event: complete\ndata:\n\n")
        else:
            await listening(server)
            await build.incident(server.api.make, office.world)
            await facts.number_all(server.api.make)
            line = await asyncio.wait_for(reader.readuntil(b"event: next\n"), 10)
            assert line.startswith(b":\n\nid: ")
        writer.close()
