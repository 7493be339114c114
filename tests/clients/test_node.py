"""The official JavaScript clients, graphql-ws and graphql-sse, against a real server."""

import asyncio
import json
from typing import Any

import pytest

from tests.api import asking
from tests.api.asking import Server
from tests.clients.meeting import FEED, OPEN, ledger, numbered, whole
from tests.gate import node


async def meet(
    server: Server, script: str, scheme: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What a script of `tests/node` met, and the ledger it should have been told."""
    await asyncio.to_thread(node.installed)
    office = await asking.office(server.api)
    told = {
        "url": f"{scheme}://127.0.0.1:{server.port}/graphql",
        "token": office.client,
        "account": office.account,
        "site": office.site,
        "feed": FEED,
        "open": OPEN,
    }
    said = await numbered(server, asyncio.to_thread(node.run, script, json.dumps(told), timeout=60))
    return json.loads(said), await ledger(server, office)


def code_of(errors: Any) -> str:
    """The code of the first error a client was given."""
    code: str = errors[0]["extensions"]["code"]
    return code


@pytest.mark.slow
async def test_graphql_ws(server: Server) -> None:
    met, told = await meet(server, "graphql_ws.mjs", "ws")
    assert met["viewer"] == {"data": {"viewer": {"role": "CLIENT_ADMIN"}}}
    assert [each["data"]["openIncident"]["__typename"] for each in met["opened"]] == [
        "Incident"
    ] * 3
    assert len(met["heard"]) == 6
    assert whole(met["heard"], told)
    assert met["connected"] == 3, "it came back after each cut"
    assert met["pongs"] > 0
    assert code_of(met["badCursor"]) == "CURSOR_INVALID"
    assert code_of(met["badDocument"]) == "BAD_REQUEST"
    assert met["badToken"]["code"] == met["forbidden"] == 4403


@pytest.mark.slow
async def test_graphql_sse(server: Server) -> None:
    met, told = await meet(server, "graphql_sse.mjs", "http")
    assert met["viewer"] == {"data": {"viewer": {"role": "CLIENT_ADMIN"}}}
    assert [each["data"]["openIncident"]["__typename"] for each in met["opened"]] == [
        "Incident"
    ] * 3
    assert len(met["heard"]) == 6
    assert whole(met["heard"], told)
    assert "CURSOR_INVALID" in json.dumps(met["badCursor"])
    assert "BAD_REQUEST" in json.dumps(met["badDocument"]) or met["badDocument"]["status"] == 400
    assert met["badToken"]["status"] == 401
