"""What `tests.bench.hub` compares with: a Strawberry subscription server as its documentation has one written.

One async generator per subscriber, fed by a queue each; a background task reads the same Redis stream that feeds ours
and broadcasts. uvicorn with its default WebSocket implementation, graphql-transport-ws only, no authentication.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import msgspec
import strawberry
import uvicorn
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.scalars import JSON
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from domain.core.sequencing import SequencedEvent

_decode = msgspec.msgpack.Decoder(list[SequencedEvent]).decode
queues: set[asyncio.Queue["FeedEvent"]] = set()


@strawberry.type
class FeedEvent:
    """A fact as it happens."""

    cursor: str
    kind: str
    at: datetime
    actor: str
    subject_id: strawberry.ID
    body: JSON


@strawberry.type
class Query:
    """Nothing to ask."""

    ok: bool = True


@strawberry.type
class Subscription:
    """What can be followed."""

    @strawberry.subscription
    async def account_events(
        self,
        account_id: strawberry.ID,  # noqa: ARG002 - there is one
        kinds: list[str] | None = None,
    ) -> AsyncGenerator[FeedEvent, None]:
        """Everything that happens about one client."""
        queue: asyncio.Queue[FeedEvent] = asyncio.Queue()
        queues.add(queue)
        try:
            while True:
                event = await queue.get()
                if kinds is None or event.kind in kinds:
                    yield event
        finally:
            queues.discard(queue)


async def broadcast(redis: Redis, key: str) -> None:
    """Hand every fact of the stream to every subscriber."""
    last = b"$"
    while True:
        for _, entries in await redis.xread({key: last}, block=1000):
            for last, fields in entries:  # noqa: B007 - where to go on from
                for fact in _decode(fields[b"facts"]):
                    event = FeedEvent(
                        cursor=f"{fact.seq:054d}",
                        kind=fact.kind,
                        at=fact.at,
                        actor=fact.actor,
                        subject_id=strawberry.ID(str(fact.subject_id)),
                        body=fact.body,  # type: ignore[arg-type]
                    )
                    for queue in queues:
                        queue.put_nowait(event)


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[None]:
    """Read the stream as long as the process lives."""
    redis = Redis.from_url(os.environ["WAARBORG_REDIS_URL"])
    task = asyncio.create_task(broadcast(redis, os.environ["BENCH_STREAM"]))
    yield
    task.cancel()


graphql = GraphQL[None, None](
    strawberry.Schema(query=Query, subscription=Subscription),
    subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
)
app = Starlette(
    routes=[Route("/graphql", graphql), WebSocketRoute("/graphql", graphql)], lifespan=lifespan
)

if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["WAARBORG_PORT"]), log_level="warning", access_log=False)
