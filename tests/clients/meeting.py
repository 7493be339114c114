"""What every client does here: it meets a company whose facts get numbers meanwhile, and is held against its ledger."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from tests import facts
from tests.api.asking import Office, Server

Met = TypeVar("Met")

FEED = """subscription ($account: ID!, $after: String) {
  accountEvents(accountId: $account, after: $after) { cursor kind subjectId incident { id summary } } }"""
OPEN = """mutation ($input: OpenIncidentInput!) {
  openIncident(input: $input) { __typename ... on Incident { id } ... on Refusal { code message } } }"""
LEDGER = "query ($account: ID!) { ledger(accountId: $account, first: 100) { nodes { cursor kind subjectId } } }"


async def numbered(server: Server, meeting: Awaitable[Met]) -> Met:
    """What comes of a meeting during which facts are numbered, as a relay does all day."""
    task = asyncio.ensure_future(meeting)
    while not task.done():
        await facts.number_all(server.api.make)
        await asyncio.wait([task], timeout=0.05)
    return await task


async def ledger(server: Server, office: Office) -> list[dict[str, Any]]:
    """What the client sees in its ledger."""
    told = await server.api.data(office.client, LEDGER, account=office.account)
    nodes: list[dict[str, Any]] = told["ledger"]["nodes"]
    return nodes


def whole(heard: list[str], told: list[dict[str, Any]]) -> bool:
    """Whether what was heard is a stretch of the ledger without hole, repeat or swap."""
    cursors = [fact["cursor"] for fact in told]
    begin = cursors.index(heard[0])
    return heard == cursors[begin : begin + len(heard)]
