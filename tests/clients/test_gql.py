"""The Python client gql, over HTTP and over a socket: queries, verbs beside a feed, cursors and refusals."""

import asyncio
from typing import Any

import pytest
from gql import Client, gql
from gql.transport.exceptions import TransportConnectionFailed, TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport
from graphql import GraphQLError
from websockets.exceptions import ConnectionClosed

from tests import facts
from tests.api import asking
from tests.api.asking import Server
from tests.clients.meeting import FEED, OPEN, ledger, numbered, whole


def socket(server: Server, token: str) -> WebsocketsTransport:
    """A transport for graphql-transport-ws."""
    return WebsocketsTransport(
        url=f"ws://127.0.0.1:{server.port}/graphql",
        init_payload={"token": token},
        subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        ping_interval=0.1,
        pong_timeout=5,
    )


def http(server: Server, token: str) -> HTTPXAsyncTransport:
    """A transport for GraphQL over HTTP."""
    url = f"http://127.0.0.1:{server.port}/graphql"
    return HTTPXAsyncTransport(url, headers={"Authorization": f"Bearer {token}"})


def asked(document: str, **variables: Any) -> Any:
    """A request."""
    request = gql(document)
    request.variable_values = variables
    return request


async def test_a_query_a_verb_and_a_refusal_over_http_held_against_the_schema(
    server: Server,
) -> None:
    office = await asking.office(server.api)
    given = {
        "siteId": office.site, "priority": "HIGH", "summary": "Broken window", "source": "CLIENT", "reporter": "gql"
    }  # fmt: skip
    transport = http(server, office.client)
    async with Client(transport=transport, fetch_schema_from_transport=True) as session:
        done = (await session.execute(asked(OPEN, input=given)))["openIncident"]
        assert done["__typename"] == "Incident"
        story = asked("query ($id: ID!) { incident(id: $id) { summary status } }", id=done["id"])
        assert await session.execute(story) == {
            "incident": {"summary": "Broken window", "status": "NEW"}
        }
        refused = await session.execute(asked(OPEN, input=given | {"siteId": office.account}))
        assert refused["openIncident"]["code"] == "NOT_FOUND"
        with pytest.raises(GraphQLError, match="nothing"):  # it knows before it asks
            await session.execute(asked("{ nothing }"))


async def test_mistakes_and_a_bad_token_over_http(server: Server) -> None:
    office = await asking.office(server.api)
    async with Client(transport=http(server, office.client)) as session:
        with pytest.raises(TransportQueryError) as mistaken:
            await session.execute(asked("{ nothing }"))
        assert await session.execute(asked("{ viewer { role } }"))
    async with Client(transport=http(server, "wrong")) as session:
        with pytest.raises(TransportQueryError) as rejected:
            await session.execute(asked("{ viewer { role } }"))
    for failed, code in ((mistaken, "BAD_REQUEST"), (rejected, "UNAUTHENTICATED")):
        assert [error["extensions"]["code"] for error in failed.value.errors or []] == [code]


async def test_queries_and_mistakes_over_a_socket(server: Server) -> None:
    office = await asking.office(server.api)
    async with Client(transport=socket(server, office.client)) as session:
        assert await session.execute(asked("{ viewer { role } }")) == {
            "viewer": {"role": "CLIENT_ADMIN"}
        }
        with pytest.raises(TransportQueryError, match="BAD_REQUEST"):
            await session.execute(asked("{ nothing }"))
        await asyncio.sleep(0.3)  # some pings of the client's
        assert await session.execute(asked("{ viewer { role } }"))


async def test_a_socket_with_verbs_beside_a_feed_that_resumes(server: Server) -> None:
    office = await asking.office(server.api)
    heard: list[str] = []

    async def listen(session: Any, count: int) -> None:
        request = asked(FEED, account=office.account, after=heard[-1] if heard else None)
        feed = session.subscribe(request)
        async for told in feed:
            heard.append(told["accountEvents"]["cursor"])
            if len(heard) >= count:
                await feed.aclose()
                return

    async def meet() -> None:
        for count in (2, 4, 6):
            async with Client(transport=socket(server, office.client)) as session:
                listening = asyncio.create_task(listen(session, count))
                if not heard:  # without a cursor, it begins when it is there
                    await facts.until(lambda: server.api.state.groups.followers == 1)
                given = {
                    "siteId": office.site, "priority": "HIGH", "summary": "x", "source": "CLIENT", "reporter": "gql"
                }  # fmt: skip
                done = await session.execute(asked(OPEN, input=given))
                assert done["openIncident"]["__typename"] == "Incident"
                await listening

    async with asyncio.timeout(60):
        await numbered(server, meet())
    assert whole(heard, await ledger(server, office))


async def test_a_bad_cursor_is_told_and_a_bad_token_closes_with_4403(server: Server) -> None:
    office = await asking.office(server.api)
    async with Client(transport=socket(server, office.client)) as session:
        with pytest.raises(TransportQueryError) as refused:
            async for _ in session.subscribe(asked(FEED, account=office.account, after="garbage")):
                pass
    assert (refused.value.errors or [])[0]["extensions"]["code"] == "CURSOR_INVALID"
    with pytest.raises(TransportConnectionFailed) as failed:
        async with Client(transport=socket(server, "wrong")):
            pass
    closed = failed.value.__cause__
    assert isinstance(closed, ConnectionClosed)
    assert (closed.rcvd and closed.rcvd.code) == 4403
