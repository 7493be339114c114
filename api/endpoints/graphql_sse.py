"""GraphQL over server-sent events, one stream per operation (graphql-sse's "distinct connections mode").

It serves clients behind proxies that block WebSockets. Streams use the same shared subscriptions, limits and checks as
sockets. Errors of the request are answered with a status before the stream begins; errors of the operation are events
in the stream, as the protocol requires. When a stream ends without `complete`, the client should reconnect.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec
from graphql import OperationType
from starlette.responses import StreamingResponse

from api.execution.document_cache import Operation
from api.execution.executor import GraphQLRequest
from api.identity.authenticator import Identity, traced
from api.live.backpressure import OutboundBuffer
from api.live.shared_subscriptions import Subscriber
from api.live.websocket_transport import HIGH_WATER
from api.state import AppState
from api.support.telemetry import LET_GO, OPERATIONS, STREAMS, SUBSCRIPTIONS
from realtime.tasks import end

MEDIA_TYPE = "text/event-stream"
KEEP_ALIVE_S = 12.0  # between comments that keep proxies from closing a quiet stream
HEAD, TAIL = b"event: next\ndata: ", b"\n\n"
COMPLETE = b"event: complete\ndata:\n\n"
COMMENT = b":\n\n"

_encode = msgspec.json.encode


def once(answer: dict[str, Any]) -> StreamingResponse:
    """Make a stream of one response followed by `complete`."""

    async def body() -> AsyncGenerator[bytes]:
        yield HEAD + _encode(answer) + TAIL + COMPLETE

    return _response(body())


class Stream(OutboundBuffer):
    """The stream of one subscription. Raises `TooManyConnections` when a limit is reached."""

    def __init__(
        self,
        state: AppState,
        operation: Operation,
        query: GraphQLRequest,
        identity: Identity,
        trace_id: str,
        token: str,
    ) -> None:
        super().__init__()
        self.write = self._write
        self.token: str | None = token
        self._state, self._operation, self._query, self._trace_id = (
            state,
            operation,
            query,
            trace_id,
        )
        self._actor = traced(identity.actor, trace_id)
        self._parts: list[bytes] = [COMMENT]
        self._size = 0
        self._ready = asyncio.Event()
        self._ready.set()
        self._ended = False
        self._subscriber = Subscriber(
            self,
            self._actor,
            head=HEAD,
            tail=TAIL,
            frame=_unchanged,
            on_finish=self._end,
            with_ids=True,
        )
        state.audience.admit(self)
        try:
            state.audience.bind_tenant(self, self._actor.tenant_id)
            state.audience.subscribe(self._actor.tenant_id)
        except Exception:
            state.audience.forget(self)
            raise

    def response(self) -> StreamingResponse:
        """Return the HTTP response that sends the stream."""
        return _response(self._body())

    def check(self, now: float) -> None:
        """Do nothing: TCP_USER_TIMEOUT of the listening socket closes stalled streams."""

    def reauthorize(self, identity: Identity | None) -> None:
        """End the stream when the rights of its token end or change; a reconnect uses the new rights."""
        if identity is None or traced(identity.actor, self._trace_id) != self._actor:
            self.shut_down()

    def shut_down(self) -> None:
        """End the stream without `complete`, so that the client reconnects."""
        self._ended = True
        self._ready.set()

    def give_up(self) -> None:
        """End the stream of a client that has stopped reading."""
        self.shut_down()

    def _write(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size > HIGH_WATER:
            self.pause_writing()
        self._ready.set()

    def _end(self, subscriber: Subscriber, last: Sequence[bytes]) -> None:
        if last:
            LET_GO.inc()
            self.say(subscriber.framed(last))
        self.say(COMPLETE)
        self._ended = True
        self._ready.set()

    async def _serve(self) -> None:
        refused = await self._state.groups.serve(
            self._subscriber, self._operation, self._query, self._trace_id
        )
        if refused is not None:
            self._write(HEAD + _encode(refused.answer) + TAIL)
            self._end(self._subscriber, ())
        OPERATIONS.labels("subscription", "ok" if refused is None else "refused").inc()

    async def _body(self) -> AsyncGenerator[bytes]:
        STREAMS.inc()
        SUBSCRIPTIONS.inc()
        serving = asyncio.create_task(self._serve(), name="stream")
        serving.add_done_callback(self._failed)
        try:
            while True:
                try:
                    async with asyncio.timeout(KEEP_ALIVE_S):
                        await self._ready.wait()
                except TimeoutError:
                    yield COMMENT
                    continue
                self._ready.clear()
                parts, self._parts, self._size = self._parts, [], 0
                if parts:
                    yield b"".join(parts)  # continues when the client has read most of it
                if not self.flowing:
                    self.resume_writing()
                if self._ended and not self._parts:
                    return
        finally:
            self._subscriber.leave()
            self._state.audience.forget(self)
            self._state.audience.unsubscribe(self._actor.tenant_id)
            STREAMS.dec()
            SUBSCRIPTIONS.dec()
            await end(serving)

    def _failed(self, serving: asyncio.Task[None]) -> None:
        if not serving.cancelled() and serving.exception() is not None:
            self.shut_down()


async def stream(
    state: AppState,
    operation: Operation,
    query: GraphQLRequest,
    identity: Identity,
    trace_id: str,
    token: str,
) -> StreamingResponse:
    """Execute an operation and return its results as a stream."""
    if operation.type is OperationType.SUBSCRIPTION:
        return Stream(state, operation, query, identity, trace_id, token).response()
    ctx = state.context(traced(identity.actor, trace_id))
    return once((await state.engine.answer(operation, query, ctx, trace_id)).answer)


def _response(body: AsyncGenerator[bytes]) -> StreamingResponse:
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(body, headers=headers, media_type=f"{MEDIA_TYPE}; charset=utf-8")


def _unchanged(data: bytes) -> bytes:
    return data
