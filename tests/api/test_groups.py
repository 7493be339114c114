"""Sharing: one execution for all who ask the same with the same authority, and for nobody else."""

from typing import Any

import pytest
from sqlalchemy import select

from api.identity import authenticator
from api.live import connections
from api.support.telemetry import EVENTS as TOLD
from api.support.telemetry import EXECUTIONS
from domain import accounts
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.core.settings import Settings
from schema.core import ids
from tests import build, facts
from tests.api import asking
from tests.api.asking import Office, Server
from tests.api.test_sockets import EVENTS, listening

OPENED = {"kinds": ["incident.opened"]}


@pytest.fixture
async def office(server: Server) -> Office:
    """A new company whose beginnings are told already."""
    made = await asking.office(server.api)
    numbered = await facts.number_all(server.api.make)
    await facts.until(lambda: server.api.state.hub.position >= numbered.seq)
    return made


async def colleague(
    server: Server, office: Office, role: Role = Role.CLIENT_ADMIN
) -> tuple[Any, str]:
    """Another user of the same client, and a token."""
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(server.api.make) as session:
        user = await accounts.add_user(
            Tx(session, system, build.T0),
            email=f"{role}2@example.org",
            name="x",
            role=role,
            accounts=[office.world.account.id],
        )
    return user.id, server.api.token(user.id)


async def happen(server: Server, office: Office) -> None:
    """A ticket is opened, and numbered."""
    await build.incident(server.api.make, office.world)
    await facts.number_all(server.api.make)


async def test_an_event_is_executed_once_however_many_follow_it(
    server: Server, office: Office
) -> None:
    async with server.socket(office.client) as one, server.socket(office.client) as other:
        for n in range(40):
            await one.subscribe(f"a{n}", EVENTS, account=office.account, **OPENED)
            await other.subscribe(f"b{n}", EVENTS, account=office.account, **OPENED)
        await listening(server, 80)
        executed, told = EXECUTIONS._value.get(), TOLD._value.get()
        await happen(server, office)
        heard = [await socket.hear() for socket in (one, other) for _ in range(40)]
        assert {each["id"] for each in heard} == {f"{s}{n}" for s in "ab" for n in range(40)}
        assert len({each["payload"]["data"]["accountEvents"]["cursor"] for each in heard}) == 1
        assert (EXECUTIONS._value.get() - executed, TOLD._value.get() - told) == (1, 80)
    await facts.until(lambda: len(server.api.state.groups) == 0)
    assert server.api.state.hub.listeners == 0


async def test_what_is_followed_without_arguments_is_followed(
    server: Server, office: Office
) -> None:
    async with server.socket(office.manager) as socket:
        await socket.subscribe("1", "subscription { breaches { kind } }")
        await socket.subscribe("2", "subscription { credits { kind } }")
        await socket.subscribe("3", "subscription { fleet { count } }")
        assert (await socket.hear())["id"] == "3"
        await listening(server, 3)


async def test_another_authority_variable_or_selection_is_another_group(
    server: Server, office: Office
) -> None:
    _, admin = await colleague(server, office)
    _, user = await colleague(server, office, Role.CLIENT_USER)
    shorter = "subscription ($account: ID!, $kinds: [String!]) { accountEvents(accountId: $account, kinds: $kinds) { kind } }"  # noqa: E501 - one line, as it is asked
    asked = [
        (office.client, EVENTS, OPENED),
        (admin, EVENTS, OPENED),  # another user with the same authority shares
        (user, EVENTS, OPENED),
        (office.manager, EVENTS, OPENED),
        (office.client, EVENTS, {}),
        (office.client, shorter, OPENED),
    ]
    sockets = []
    for n, (token, query, more) in enumerate(asked):
        socket = server.socket(token)
        sockets.append(socket)
        opened = await socket.__aenter__()
        await opened.subscribe(str(n), query, account=office.account, **more)
    await listening(server, 6)
    assert len(server.api.state.groups) == 5
    for socket in sockets:
        await socket.__aexit__(None, None, None)


async def test_whoever_is_disabled_leaves_the_group_and_the_others_stay(
    server: Server, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticator, "FRESH_S", 0.2)
    monkeypatch.setattr(connections, "ROUND_S", 0.1)
    other_id, other = await colleague(server, office)
    system = Actor.system(office.world.tenant.id, "test")
    async with server.socket(other) as leaving, server.socket(office.client) as staying:
        for socket in (
            leaving,
            staying,
        ):  # the one that leaves was first: the group was made for him
            await socket.subscribe("1", EVENTS, account=office.account, **OPENED)
            await listening(server)
        await listening(server, 2)
        assert len(server.api.state.groups) == 1
        async with transaction(server.api.make) as session:
            await accounts.disable_user(Tx(session, system, server.api.state.now()), other_id)
        assert (await leaving.closed())[0] == 4403
        await happen(server, office)
        assert (await staying.next())["accountEvents"]["kind"] == "incident.opened"


async def test_each_reader_of_personal_data_is_written_down_though_one_execution_read_it(
    server: Server, office: Office
) -> None:
    _, other = await colleague(server, office)
    query = """subscription ($account: ID!, $kinds: [String!]) {
      accountEvents(accountId: $account, kinds: $kinds) { kind account { contacts { name } } } }"""
    async with server.socket(other) as one, server.socket(office.client) as two:
        for socket in (one, two):
            await socket.subscribe("1", query, account=office.account, **OPENED)
        await listening(server, 2)
        await happen(server, office)
        answers = [await socket.next() for socket in (one, two)]
    assert answers[0]["accountEvents"]["account"]["contacts"]
    async with server.api.make() as session:
        readers = set(
            await session.scalars(
                select(LedgerRow.actor).where(
                    LedgerRow.tenant_id == office.world.tenant.id,
                    LedgerRow.kind == "account.contacts_read",
                )
            )
        )
    assert len(readers) == 2
    assert not any("group" in reader for reader in readers)


async def test_who_comes_back_with_a_cursor_joins_the_group_where_he_left_it(
    server: Server, office: Office
) -> None:
    async with server.socket(office.client) as steady, server.socket(office.client) as first:
        for socket in (steady, first):
            await socket.subscribe("1", EVENTS, account=office.account, **OPENED)
        await listening(server, 2)
        await happen(server, office)
        cursor = (await first.next())["accountEvents"]["cursor"]
    async with server.socket(office.client) as steady:
        await steady.subscribe("1", EVENTS, account=office.account, **OPENED)
        await listening(server)
        for _ in range(3):
            await happen(server, office)
        missed = [(await steady.next())["accountEvents"]["cursor"] for _ in range(3)]
        async with server.socket(office.client) as back:
            await back.subscribe("1", EVENTS, account=office.account, after=cursor, **OPENED)
            heard = [(await back.next())["accountEvents"]["cursor"] for _ in range(3)]
            await listening(server, 2)
            assert len(server.api.state.groups) == 1
            await happen(server, office)
            news = [(await each.next())["accountEvents"]["cursor"] for each in (steady, back)]
    assert heard == missed
    assert news[0] == news[1] not in heard


@pytest.mark.parametrize("comes_back", [False, True], ids=["begins", "comes back"])
async def test_what_the_hub_has_yet_to_catch_up_with_is_no_news_to_who_is_further(
    server: Server, office: Office, comes_back: bool
) -> None:
    hub, make = server.api.state.hub, server.api.make
    place = hub.position
    await happen(server, office)
    await facts.until(lambda: hub.position > place)
    place = hub.position  # it has just looked at the ledger; it looks again a second later
    await happen(server, office)
    last = await server.api.data(office.client, "{ ledger(last: 1) { pageInfo { endCursor } } }")
    after = last["ledger"]["pageInfo"]["endCursor"] if comes_back else None
    async with server.socket(office.client) as socket:
        await socket.subscribe("1", EVENTS, account=office.account, after=after, **OPENED)
        await listening(server)
        await facts.until(lambda: hub.position > place)
        news = await build.incident(make, office.world)
        await facts.number_all(make)
        told = (await socket.next())["accountEvents"]
    assert told["incident"]["id"] == ids.write("Incident", news.id)


@pytest.mark.parametrize(
    ("limit", "code"),
    [({"connections": 1}, 1013), ({"connections_per_company": 1}, 4429)],
    ids=["process", "company"],
)
async def test_one_connection_too_many_is_told_so(
    database_url: str, redis_url: str, tmp_path: Any, limit: dict[str, int], code: int
) -> None:
    configured: Settings = asking.settings(database_url, redis_url, tmp_path, **limit)
    async with asking.serving(configured) as server:
        office = await asking.office(server.api)
        async with server.socket(office.client), server.socket() as second:
            if code == 4429:
                payload = {"token": office.manager}
                await second.say(type="connection_init", payload=payload)
            assert (await second.closed())[0] == code


async def test_one_subscription_too_many_of_a_company_is_refused_and_leaves_the_others(
    database_url: str, redis_url: str, tmp_path: Any
) -> None:
    configured = asking.settings(database_url, redis_url, tmp_path, subscriptions_per_company=2)
    async with asking.serving(configured) as server:
        office = await asking.office(server.api)
        async with server.socket(office.client) as socket:
            for n in range(3):
                await socket.subscribe(str(n), EVENTS, account=office.account)
            error = await socket.hear()
            assert (error["type"], error["id"]) == ("error", "2")
            assert error["payload"][0]["extensions"]["code"] == "TOO_MANY"
            await socket.say(type="complete", id="0")
            await socket.subscribe("3", EVENTS, account=office.account, **OPENED)
            await facts.until(lambda: len(server.api.state.groups) == 2)
