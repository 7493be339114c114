"""What the gate costs: a small query, answered in turns by the API as it is and by one whose gate is taken out.

`python -m tests.bench.gate`: authentication, weighing, budget, persisted documents and row-level security on one side,
none of them on the other; the application is called without a client or a network between. Medians of many rounds.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from api.embedded import servers
from api.identity.authenticator import Identity
from api.support import migrate
from schema.core.context import Context
from tests.api import asking
from tests.api.asking import Api

QUERY = "query ($id: ID!) { account(id: $id) { name segment sites { name city } } }"
ROUNDS, EACH = 60, 20


async def ask(api: Api, token: str, account: str) -> float:
    """Seconds that the application takes for one request."""
    body = json.dumps({"query": QUERY, "variables": {"id": account}}).encode()
    headers = [
        (b"host", b"bench"),
        (b"content-type", b"application/json"),
        (b"accept", b"application/graphql-response+json"),
        (b"authorization", f"Bearer {token}".encode()),
    ]
    scope = {
        "type": "http", "method": "POST", "path": "/graphql", "raw_path": b"/graphql", "query_string": b"",
        "headers": headers, "http_version": "1.1", "scheme": "http", "server": ("bench", 80),
        "client": ("127.0.0.1", 1), "root_path": "", "app": api.app,
    }  # fmt: skip
    told: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        told.append(message)

    began = time.perf_counter()
    await api.app(scope, receive, send)
    took = time.perf_counter() - began
    assert told[0]["status"] == 200, told
    assert b'"errors"' not in told[1]["body"]
    return took


async def take_out(api: Api, token: str) -> None:
    """Leave out every part of the gate that a request passes."""
    identity = await api.state.authenticator.identify(token)
    assert identity is not None
    actor = identity.actor

    async def known(_presented: str) -> Identity:
        return Identity(actor, None)

    async def admitted(*_given: object) -> None:
        return None

    looked: dict[str, Any] = {}

    async def seen(ask: Any) -> Any:
        if ask.query not in looked:
            looked[ask.query] = api.state.engine.documents.operation(
                ask.query, ask.operation_name, ask.variables or {}
            )
        return looked[ask.query]

    state: Any = api.state
    state.authenticator.identify, state.gate.admit, state.gate.look = known, admitted, seen
    vars_of = {"__slots__": (), "context": _unfenced}
    state.__class__ = type("Open", (type(state),), vars_of)


def _unfenced(state: Any, actor: Any) -> Context:
    return Context(state.requests, actor, state.now, state.cursor_secret, state.hub, state.live)


async def main(app_url: str, system_url: str, redis_url: str, data: Path) -> None:
    """Print medians and the share."""
    configured = asking.settings(app_url, redis_url, data, log_level="ERROR")
    opened = configured.model_copy(update={"database_url": system_url})
    async with asking.running(configured) as gated, asking.running(opened) as bare:
        office = await asking.office(gated)
        await take_out(bare, office.client)
        took: dict[str, list[float]] = {"gate": [], "none": []}
        for _ in range(ROUNDS):
            for name, api in (("gate", gated), ("none", bare)):
                times = [await ask(api, office.client, office.account) for _ in range(EACH)]
                took[name].append(statistics.median(times) * 1000)
    gate, none = (statistics.median(took[name][5:]) for name in ("gate", "none"))
    sys.stdout.write(
        f"with the gate {gate:.2f} ms, without {none:.2f} ms: it takes {(gate - none) / gate:.1%}\n"
    )


if __name__ == "__main__":
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with (
        tempfile.TemporaryDirectory(prefix="wb-") as place,
        servers(Path(place), durable=False) as pair,
    ):
        migrate.upgrade(pair.owner_url)
        system = make_url(pair.system_url).render_as_string(hide_password=False)
        asyncio.run(main(pair.database_url, system, pair.redis_url, Path(place)))
