"""GraphQL over HTTP as the specification has it: every audit of graphql-http, MUST, SHOULD and MAY."""

import asyncio
import json
import sys
from collections import Counter

from tests.api import asking
from tests.api.asking import Server
from tests.gate import node


async def test_every_audit_of_graphql_http_passes(server: Server) -> None:
    office = await asking.office(server.api)
    address = f"http://127.0.0.1:{server.port}/graphql"
    told = json.loads(await asyncio.to_thread(node.run, "audit.mjs", address, office.dispatcher))
    counts = Counter((each["name"].split()[0], each["status"]) for each in told)
    sys.stdout.write(f"graphql-http audits: {dict(counts)}\n")
    assert len(told) > 50
    assert [each for each in told if each["status"] != "ok"] == []
