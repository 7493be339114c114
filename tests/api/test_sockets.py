"""graphql-transport-ws against a real server: the protocol, its close codes, resuming, and rights that end."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from api.endpoints import graphql_ws
from api.identity import authenticator
from api.live import connections
from domain import accounts, incidents
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from schema.core import ids
from tests import build, facts
from tests.api import asking
from tests.api.asking import Office, Server

EVENTS = """subscription ($account: ID!, $after: String, $kinds: [String!]) {
  accountEvents(accountId: $account, after: $after, kinds: $kinds) {
    cursor kind gap subjectId incident { id status } promise { name state } } }"""
BREACHES = """subscription ($after: String, $accounts: [ID!], $kinds: [PromiseKind!], $atRisk: Boolean! = false) {
  breaches(after: $after, accountIds: $accounts, kinds: $kinds, atRisk: $atRisk) {
    cursor kind account { id } incident { id } promise { name verdict } } }"""


@pytest.fixture
async def office(server: Server) -> Office:
    """A new company whose beginnings are told already: what is heard is what a test does."""
    made = await asking.office(server.api)
    numbered = await facts.number_all(server.api.make)
    await facts.until(lambda: server.api.state.hub.position >= numbered.seq)
    return made


async def listening(server: Server, count: int = 1) -> None:
    """Wait until so many follow something, so that what happens next is heard live."""
    await facts.until(lambda: server.api.state.groups.followers >= count)


@pytest.mark.parametrize(
    "frame",
    [
        "null", "1", '"x"', "[]", "{", "", "{}", '{"type": 3}', '{"type": "unknown"}',
        '{"type": "subscribe"}', '{"type": "subscribe", "id": 3, "payload": {}}',
        '{"type": "subscribe", "id": "", "payload": {}}', '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "ping", "payload": 3}', '{"type": "complete"}', "[" * 30_000, b"{}",
        '{"type": "connection_init", "payload": "x"}',
    ],
    ids=lambda frame: repr(frame)[:30],
)  # fmt: skip
async def test_what_is_not_the_protocol_closes_with_4400(
    server: Server, frame: str | bytes
) -> None:
    async with server.socket() as socket:
        await socket.connection.send(frame)
        assert (await socket.closed())[0] == 4400


async def test_a_message_that_is_too_big_closes_with_1009(server: Server) -> None:
    async with server.socket() as socket:
        await socket.connection.send("x" * 70_000)
        assert (await socket.closed())[0] == 1009


async def test_other_subprotocols_are_closed_with_4406(server: Server) -> None:
    async with server.socket(subprotocols=["graphql-ws"]) as socket:
        assert (await socket.closed())[0] == 4406


async def test_a_page_of_another_origin_is_not_let_in(server: Server) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        async with server.socket(origin="https://evil.example"):
            pass
    async with server.socket(origin=f"http://127.0.0.1:{server.port}"):
        pass


async def test_who_does_not_introduce_himself_is_closed_with_4408(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert graphql_ws.INIT_S < 10, "suites of clients wait for ten seconds"
    monkeypatch.setattr(graphql_ws, "INIT_S", 0.2)
    async with server.socket() as socket:
        assert (await socket.closed())[0] == 4408


async def test_a_bad_token_is_4403_a_second_introduction_4429_and_none_4401(
    server: Server, office: Office
) -> None:
    for payload in ({}, {"token": "bad"}, {"Authorization": "Basic x"}, {"Authorization": 3}):
        async with server.socket() as socket:
            await socket.say(type="connection_init", payload=payload)
            assert (await socket.closed())[0] == 4403
    async with server.socket(office.client) as socket:
        await socket.say(type="connection_init")
        assert (await socket.closed())[0] == 4429
    async with server.socket() as socket:
        await socket.subscribe("1", "{ viewer { role } }")
        assert (await socket.closed())[0] == 4401


async def test_pings_are_answered_before_and_after_the_introduction(
    server: Server, office: Office
) -> None:
    async with server.socket() as socket:
        await socket.say(type="ping")
        assert await socket.hear() == {"type": "pong"}
        await socket.init(office.client)
        await socket.say(type="ping", payload={})
        assert await socket.hear() == {"type": "pong"}


async def test_queries_and_verbs_go_over_the_socket_too(server: Server, office: Office) -> None:
    async with server.socket(office.client) as socket:
        await socket.subscribe("q", "{ viewer { role } }")
        assert await socket.next() == {"viewer": {"role": "CLIENT_ADMIN"}}
        assert await socket.hear() == {"type": "complete", "id": "q"}
        await socket.subscribe("q", "{ viewer { role } }")
        assert (await socket.hear())["type"] == "next"


async def test_one_bad_document_does_not_touch_the_others(server: Server, office: Office) -> None:
    async with server.socket(office.client) as socket:
        await socket.subscribe("live", EVENTS, account=office.account)
        await listening(server)
        for key, query in (
            ("a", "{"),
            ("b", "{ nothing }"),
            ("c", "subscription { accountEvents }"),
        ):
            await socket.subscribe(key, query)
            error = await socket.hear()
            assert (error["type"], error["id"]) == ("error", key)
            assert error["payload"][0]["message"]
        await build.incident(server.api.make, office.world)
        await facts.number_all(server.api.make)
        assert (await socket.next())["accountEvents"]["kind"] == "incident.opened"


async def test_an_id_in_use_is_4409(server: Server, office: Office) -> None:
    async with server.socket(office.client) as socket:
        await socket.subscribe("1", EVENTS, account=office.account)
        await socket.subscribe("1", EVENTS, account=office.account)
        assert (await socket.closed())[0] == 4409


async def test_one_operation_too_many_is_refused_and_the_others_go_on(
    server: Server, office: Office
) -> None:
    most = server.api.state.settings.subscriptions_per_socket
    async with server.socket(office.client) as socket:
        for n in range(most + 1):
            await socket.subscribe(str(n), EVENTS, account=office.account)
        error = await socket.hear()
        assert (error["type"], error["id"]) == ("error", str(most))
        assert error["payload"][0]["extensions"]["code"] == "TOO_MANY"
        await socket.say(type="complete", id="0")
        await socket.subscribe("again", "{ viewer { role } }")
        assert (await socket.next())["viewer"] == {"role": "CLIENT_ADMIN"}


async def test_everything_that_happens_about_a_client_is_told_in_order_with_fresh_rows(
    server: Server, office: Office
) -> None:
    async with server.socket(office.client) as socket:
        await socket.subscribe("1", EVENTS, account=office.account)
        await listening(server)
        incident = await build.incident(server.api.make, office.world)
        await facts.number_all(server.api.make)
        first = (await socket.next())["accountEvents"]
        assert first["kind"] == "incident.opened"
        assert first["incident"] == {"id": ids.write("Incident", incident.id), "status": "NEW"}
        started = (await socket.next())["accountEvents"]
        assert started["kind"] == "promise.started"
        assert started["promise"]["state"] == "RUNNING"
        async with transaction(server.api.make) as session:
            await incidents.acknowledge(
                Tx(session, office.world.staff, build.T0 + build.minutes(20)), incident.id
            )
        await facts.number_all(server.api.make)
        kinds = []
        while "promise.breached" not in kinds:
            told = (await socket.next())["accountEvents"]
            kinds.append(told["kind"])
            if told["kind"] == "incident.acknowledged":
                assert told["incident"]["status"] == "ACKNOWLEDGED"
        await socket.say(type="complete", id="1")
        await facts.until(lambda: server.api.state.hub.listeners == 0)


async def test_a_subscriber_that_comes_back_with_its_cursor_misses_nothing_and_hears_nothing_twice(
    server: Server, office: Office
) -> None:
    read = "query ($a: ID) { ledger(accountId: $a, first: 100) { nodes { cursor kind } } }"
    await facts.number_all(server.api.make)
    whole = await server.api.data(office.client, read, a=office.account)
    cursor = whole["ledger"]["nodes"][-1]["cursor"]
    heard: list[str] = []
    for round_ in range(3):
        await build.incident(server.api.make, office.world)
        await facts.number_all(server.api.make)
        async with server.socket(office.client) as socket:
            await socket.subscribe("1", EVENTS, account=office.account, after=cursor)
            for _ in range(2 + round_):  # cut in the middle of what there is to tell
                told = (await socket.next())["accountEvents"]
                heard.append(told["cursor"])
                cursor = told["cursor"]
    async with server.socket(office.client) as socket:
        await socket.subscribe("1", EVENTS, account=office.account, after=cursor)
        whole = await server.api.data(office.client, read, a=office.account)
        wanted = [fact["cursor"] for fact in whole["ledger"]["nodes"]]
        while heard[-1] != wanted[-1]:
            heard.append((await socket.next())["accountEvents"]["cursor"])
    assert heard == wanted[wanted.index(heard[0]) :]


@pytest.mark.parametrize("cursor", ["garbage", "é", "A" * 4000])
async def test_a_cursor_that_is_none_is_refused_with_its_code(
    server: Server, office: Office, cursor: str
) -> None:
    async with server.socket(office.client) as socket:
        await socket.subscribe("1", EVENTS, account=office.account, after=cursor)
        error = await socket.hear()
        assert error["type"] == "error"
        assert error["payload"][0]["extensions"]["code"] == "CURSOR_INVALID"


async def test_another_companys_account_or_cursor_is_refused(
    server: Server, office: Office
) -> None:
    stranger = await asking.office(server.api)
    await facts.number_all(server.api.make)
    page = await server.api.data(office.client, "{ ledger(first: 1) { nodes { cursor } } }")
    foreign = page["ledger"]["nodes"][0]["cursor"]
    async with server.socket(stranger.client) as socket:
        await socket.subscribe("1", EVENTS, account=office.account)
        assert (await socket.hear())["payload"][0]["extensions"]["code"] == "NOT_FOUND"
        await socket.subscribe("2", EVENTS, account=stranger.account, after=foreign)
        assert (await socket.hear())["payload"][0]["extensions"]["code"] == "CURSOR_INVALID"
        await socket.subscribe("3", BREACHES)
        assert (await socket.hear())["payload"][0]["extensions"]["code"] == "NOT_ALLOWED"


async def test_breaches_are_told_across_clients_and_filtered(
    server: Server, office: Office
) -> None:
    async with server.socket(office.dispatcher) as socket:
        await socket.subscribe("all", BREACHES)
        await socket.subscribe("answers", BREACHES, kinds=["RESOLUTION"])
        await socket.subscribe("mine", BREACHES, accounts=[office.account])
        await listening(server, 3)
        incident = await build.incident(server.api.make, office.world)
        async with transaction(server.api.make) as session:
            await incidents.acknowledge(
                Tx(session, office.world.staff, build.T0 + build.minutes(20)), incident.id
            )
        await facts.number_all(server.api.make)
        heard: dict[str, Any] = {}
        for _ in range(2):
            message = await socket.hear()
            heard[message["id"]] = message["payload"]["data"]["breaches"]
        assert set(heard) == {"all", "mine"}
        assert heard["all"]["promise"] == {"name": "first_response", "verdict": "LATE"}
        assert heard["all"]["account"] == {"id": office.account}
        assert heard["all"]["incident"] == {"id": ids.write("Incident", incident.id)}


async def test_a_socket_ends_with_its_token(server: Server, office: Office) -> None:
    short = server.api.token(office.world.client_user.id, lifetime=timedelta(seconds=1.5))
    async with server.socket(short) as socket:
        await socket.subscribe("1", EVENTS, account=office.account)
        code, reason = await socket.closed()
    assert code == 4403
    assert "no longer good" in (reason or "")


async def test_a_socket_ends_when_its_user_is_disabled_or_changed(
    server: Server, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticator, "FRESH_S", 0.2)
    monkeypatch.setattr(connections, "ROUND_S", 0.1)
    system = Actor.system(office.world.tenant.id, "test")
    async with server.socket(office.client) as socket:
        await socket.subscribe("1", EVENTS, account=office.account)
        await listening(server)
        async with transaction(server.api.make) as session:
            await accounts.disable_user(
                Tx(session, system, server.api.state.now()), office.world.client_user.id
            )
        assert (await socket.closed())[0] == 4403
    async with transaction(server.api.make) as session:
        user = await accounts.add_user(
            Tx(session, system, build.T0), email="x@example.org", name="x", role=Role.GUARD
        )
    async with server.socket(server.api.token(user.id)) as socket:
        async with transaction(server.api.make) as session:
            row = await session.get_one(accounts.User, user.id)
            row.role = Role.AUDITOR
        code, reason = await socket.closed()
    assert code == 4403
    assert "rights have changed" in (reason or "")


async def test_a_restart_closes_sockets_with_1012(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.serving(configured) as server:
        office = await asking.office(server.api)
        async with server.socket(office.client) as socket:
            await socket.subscribe("1", EVENTS, account=office.account)
            server.uvicorn.should_exit = True
            assert (await socket.closed())[0] == 1012


async def test_a_reader_that_stops_reading_disturbs_nobody(server: Server, office: Office) -> None:
    async with (
        server.socket(office.client, max_queue=1) as stalled,
        server.socket(office.client) as lively,
    ):
        for socket in (stalled, lively):
            await socket.subscribe("1", EVENTS, account=office.account)
        await listening(server, 2)
        for _ in range(20):
            await build.incident(server.api.make, office.world)
        await facts.number_all(server.api.make)
        kinds = [(await lively.next())["accountEvents"]["kind"] for _ in range(60)]
        assert kinds.count("incident.opened") >= 15
        stalled.connection.transport.abort()


async def test_frames_are_compact_json(server: Server, office: Office) -> None:
    async with server.socket(office.client) as socket:
        await socket.subscribe("1", "{ viewer { role } }")
        frame = await socket.connection.recv()
        assert frame == json.dumps(json.loads(frame), separators=(",", ":"))
