"""GraphQL over server-sent events, one stream an operation (graphql-sse's "distinct connections mode").

For clients behind proxies that let no WebSocket through. Streams share the sockets' groups, bounds and rounds. What is
wrong with the request is said with a status before the stream begins; what is wrong with the operation is said in it,
as the protocol wants. A stream that ends without `complete` asks its client to reconnect.
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
from api.live.subscribers import Subscriber
from api.live.websocket_transport import HIGH_WATER
from api.state import AppState
from api.support.telemetry import LET_GO, OPERATIONS, STREAMS, SUBSCRIPTIONS
from realtime.tasks import end

MEDIA_TYPE = "text/event-stream"
KEEP_ALIVE_S = 12.0  # between comments that keep proxies from giving up on a quiet stream
HEAD, TAIL = b"event: next\ndata: ", b"\n\n"
COMPLETE = b"event: complete\ndata:\n\n"
COMMENT = b":\n\n"

_encode = msgspec.json.encode


def once(answer: dict[str, Any]) -> StreamingResponse:
    """One answer and the end, as a stream."""

    async def body() -> AsyncGenerator[bytes]:
        yield HEAD + _encode(answer) + TAIL + COMPLETE

    return _response(body())


class Stream(OutboundBuffer):
    """The stream of one subscription. Raises `TooManyConnections` when there is no room for one more."""

    def __init__(
        self,
        state: AppState,
        operation: Operation,
        ask: GraphQLRequest,
        identity: Identity,
        trace_id: str,
        token: str,
    ) -> None:
        super().__init__()
        self.write = self._write
        self.token: str | None = token
        self._state, self._operation, self._ask, self._trace_id = state, operation, ask, trace_id
        self._actor = traced(identity.actor, trace_id)
        self._parts: list[bytes] = [COMMENT]
        self._size = 0
        self._ready = asyncio.Event()
        self._ready.set()
        self._over = False
        self._member = Subscriber(
            self,
            self._actor,
            head=HEAD,
            tail=TAIL,
            frame=_as_it_is,
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
        """The response that carries it."""
        return _response(self._body())

    def check(self, now: float) -> None:
        """Do nothing: TCP_USER_TIMEOUT on the listening socket ends a stream that stalls."""

    def reauthorize(self, identity: Identity | None) -> None:
        """End as soon as the rights end or change; coming back is answered with what is the case now."""
        if identity is None or traced(identity.actor, self._trace_id) != self._actor:
            self.shut_down()

    def shut_down(self) -> None:
        """End without `complete`, so that the client reconnects."""
        self._over = True
        self._ready.set()

    def give_up(self) -> None:
        """The client takes nothing any more."""
        self.shut_down()

    def _write(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size > HIGH_WATER:
            self.pause_writing()
        self._ready.set()

    def _end(self, member: Subscriber, last: Sequence[bytes]) -> None:
        if last:
            LET_GO.inc()
            self.say(member.framed(last))
        self.say(COMPLETE)
        self._over = True
        self._ready.set()

    async def _serve(self) -> None:
        refused = await self._state.groups.serve(
            self._member, self._operation, self._ask, self._trace_id
        )
        if refused is not None:
            self._write(HEAD + _encode(refused.answer) + TAIL)
            self._end(self._member, ())
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
                    yield b"".join(parts)  # goes on when the client has taken most of it
                if not self.flowing:
                    self.resume_writing()
                if self._over and not self._parts:
                    return
        finally:
            self._member.leave()
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
    ask: GraphQLRequest,
    identity: Identity,
    trace_id: str,
    token: str,
) -> StreamingResponse:
    """Answer an operation as a stream."""
    if operation.type is OperationType.SUBSCRIPTION:
        return Stream(state, operation, ask, identity, trace_id, token).response()
    ctx = state.context(traced(identity.actor, trace_id))
    return once((await state.engine.answer(operation, ask, ctx, trace_id)).answer)


def _response(body: AsyncGenerator[bytes]) -> StreamingResponse:
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(body, headers=headers, media_type=f"{MEDIA_TYPE}; charset=utf-8")


def _as_it_is(data: bytes) -> bytes:
    return data
