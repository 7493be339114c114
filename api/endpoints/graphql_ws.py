"""graphql-transport-ws: queries, mutations and subscriptions over one socket, which closes when its token expires.

The meaning of each close code, and whether to reconnect, is in `docs/reference/realtime.md`.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog
from graphql import OperationType
from starlette.websockets import WebSocket

from api.endpoints.graphql_http import decoded
from api.execution.document_cache import Invalid, Operation
from api.execution.executor import GraphQLRequest, Result
from api.identity.authenticator import Identity, bearer, traced
from api.live.connections import TooManyConnections
from api.live.subscribers import Subscriber
from api.live.websocket_transport import EXTENSION, WebSocketTransport, text_frame
from api.state import AppState
from api.support.errors import HttpRefusal, error_payloads, plain
from api.support.telemetry import CLOSED, EVENTS, LET_GO, OPERATIONS, SOCKETS, SUBSCRIPTIONS
from domain.access import Actor

PROTOCOL = "graphql-transport-ws"
INIT_S = 9.0  # clients and their test suites give up after 10 s
STALLED_S = 20.0  # without taking anything, while there is something to take
SILENT_S = (
    20.0  # before a silent client is asked whether it is there; it has as long again to answer
)
MOST_WAITING = (
    32  # messages of one client that wait their turn, before it is not listened to for a while
)

log = structlog.get_logger()
_json = msgspec.json.Decoder().decode
_encode = msgspec.json.encode


class Closing(Exception):
    """The socket is to be closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def allowed_origin(socket: WebSocket, allowed: tuple[str, ...]) -> bool:
    """Whether a page may connect: programs (no Origin), our own pages, and those on the list."""
    origin = socket.headers.get("origin")
    if origin is None:
        return True
    own = origin.partition("://")[2] == socket.headers.get("host")
    return own or origin in allowed


async def connect(socket: WebSocket) -> None:
    """Shake hands; then the connection is a conversation's own, and uvicorn and Starlette let go of it."""
    state: AppState = socket.app.state.waarborg
    if not allowed_origin(socket, state.settings.allowed_origins):
        await socket.close(1008)  # before it is accepted: the handshake is answered with 403
        return
    if PROTOCOL not in socket.scope["subprotocols"]:
        await socket.accept()
        await socket.close(4406, f"Only {PROTOCOL} is spoken here")
        return
    await socket.accept(subprotocol=PROTOCOL)
    wire: WebSocketTransport = socket.scope["extensions"][EXTENSION](
        state.settings.socket_message_bytes
    )
    socket.scope["log"]["handed_over"] = True
    SocketConnection(wire, state, socket.scope["trace_id"], socket.headers.get("authorization"))


class SocketConnection:
    """Protocol of one socket."""

    __slots__ = (
        "_actor",
        "_began",
        "_inbox",
        "_initialising",
        "_members",
        "_state",
        "_tasks",
        "_trace_id",
        "_wire",
        "_working",
        "token",
    )

    def __init__(
        self, wire: WebSocketTransport, state: AppState, trace_id: str, authorization: str | None
    ) -> None:
        self._wire = wire
        self._state = state
        self._trace_id = trace_id
        self._actor: Actor | None = None
        self._initialising = bearer(authorization)
        self.token: str | None = None
        self._members: dict[str, Subscriber | None] = {}
        self._tasks: dict[str, asyncio.Task[None]] | None = None
        self._inbox: deque[dict[str, Any]] | None = None
        self._working: asyncio.Task[None] | None = None
        self._began = time.monotonic()
        wire.handler = self
        SOCKETS.inc()
        try:
            state.audience.admit(self)
        except TooManyConnections as full:
            wire.close(1013, str(full))

    def on_message(self, text: str) -> None:
        """A message came: at once when it needs no waiting, else in its turn."""
        try:
            message = _read(text)
            if self._working is None and self._answered_at_once(message):
                return
        except Closing as closing:
            self._wire.close(closing.code, closing.reason)
            return
        if self._inbox is None:
            self._inbox = deque()
        self._inbox.append(message)
        if self._working is None:
            self._working = asyncio.create_task(self._work(), name="socket")
        elif len(self._inbox) >= MOST_WAITING:
            self._wire.pause_messages()

    def on_close(self, code: int) -> None:
        """The socket is gone: nothing of it stays."""
        SOCKETS.dec()
        CLOSED.labels(str(code)).inc()
        self.token = None
        tasks = [*(self._tasks or {}).values()]
        current = asyncio.current_task()
        for task in [*tasks, self._working]:
            if task is not None and task is not current:
                task.cancel()
        for key in list(self._members):
            self._end(key)
        self._inbox = None
        self._state.audience.forget(self)
        log.info(
            "socket",
            path="/graphql",
            status=code,
            ms=round((time.monotonic() - self._began) * 1000, 1),
            trace_id=self._trace_id,
            actor=None if self._actor is None else self._actor.subject,
        )

    def check(self, now: float) -> None:
        """Close the socket when the client does not authenticate in time, stops reading, or does not respond."""
        wire = self._wire
        if self._actor is None and time.monotonic() - self._began > INIT_S:
            wire.close(4408, "Connection initialisation timeout")
        elif wire.stalled_at is not None and now - wire.stalled_at > STALLED_S:
            wire.give_up()
        elif wire.stalled_at is None and now - wire.received_at > SILENT_S:
            if now - wire.received_at > 2 * SILENT_S:
                wire.give_up()
            else:
                wire.ping()

    def reauthorize(self, identity: Identity | None) -> None:
        """Close as soon as the rights end or change."""
        if identity is None:
            self._wire.close(4403, "Forbidden: the token or key is no longer good")
        elif traced(identity.actor, self._trace_id) != self._actor:
            self._wire.close(4403, "Forbidden: rights have changed, connect again")

    def shut_down(self) -> None:
        """The process stops."""
        self._wire.shutdown()

    def _answered_at_once(self, message: dict[str, Any]) -> bool:
        payload = message.get("payload")
        match message:
            case {"type": "ping"} if payload is None or isinstance(payload, dict):
                self._say({"type": "pong"})
            case {"type": "pong"}:
                pass
            case {"type": "complete", "id": str(key)}:
                self._end(key)
            case {"type": "connection_init"} | {
                "type": "subscribe",
                "id": str(),
                "payload": dict(),
            }:
                return False
            case _:
                raise Closing(4400, "Not a message of this protocol")
        return True

    async def _work(self) -> None:
        """Answer what came, in order."""
        structlog.contextvars.bind_contextvars(trace_id=self._trace_id)
        try:
            while self._inbox:
                message = self._inbox.popleft()
                if not self._answered_at_once(message):
                    if message["type"] == "connection_init":
                        await self._init(message.get("payload"))
                    else:
                        await self._subscribe(message["id"], message["payload"])
            self._wire.resume_messages()
        except Closing as closing:
            self._wire.close(closing.code, closing.reason)
        except Exception as error:  # noqa: BLE001 - the socket ends with 1011, not the process
            self._bug(error)
        finally:
            self._working = None
            self._inbox = None

    async def _init(self, payload: Any) -> None:
        if self._actor is not None:
            raise Closing(4429, "Too many initialisation requests")
        if payload is not None and not isinstance(payload, dict):
            raise Closing(4400, "The payload of connection_init is an object")
        presented = _presented(payload or {}) or self._initialising
        identity = (
            None if presented is None else await self._state.authenticator.identify(presented)
        )
        if identity is None or identity.ingest_only:
            raise Closing(4403, "Forbidden")
        try:
            self._state.audience.bind_tenant(self, identity.actor.tenant_id)
        except TooManyConnections as full:
            raise Closing(4429, str(full)) from None
        self._actor = traced(identity.actor, self._trace_id)
        self.token, self._initialising = presented, None
        self._say({"type": "connection_ack"})

    async def _subscribe(self, key: str, payload: dict[str, Any]) -> None:
        if not key:
            raise Closing(4400, "An id is not empty")
        if self._actor is None:
            raise Closing(4401, "Unauthorized")
        if key in self._members:
            raise Closing(4409, f"Subscriber for {key[:80]} already exists")
        most = self._state.settings.subscriptions_per_socket
        if len(self._members) >= most:
            self._refuse(key, [plain(f"At most {most} operations at a time.", "TOO_MANY")])
            return
        try:
            ask = decoded(_encode(payload))
            async with self._state.turns.turn(self._actor):
                operation = await self._state.gate.look(ask, self._actor)
            await self._state.gate.admit(ask, operation, self._actor)
        except HttpRefusal as failed:
            raise Closing(4400, "The payload of subscribe is not a request") from failed
        except Invalid as invalid:
            OPERATIONS.labels("none", "refused").inc()
            self._refuse(key, error_payloads(invalid.errors, self._trace_id))
            return
        member = None
        if operation.type is OperationType.SUBSCRIPTION:
            try:
                self._state.audience.subscribe(self._actor.tenant_id)
            except TooManyConnections as full:
                self._refuse(key, [plain(f"{full}.", "TOO_MANY")])
                return
            SUBSCRIPTIONS.inc()
            member = Subscriber(
                self._wire,
                self._actor,
                head=b'{"id":%s,"type":"next","payload":' % _encode(key),
                tail=b"}",
                frame=text_frame,
                on_finish=self._over,
            )
        self._members[key] = member
        serving = asyncio.create_task(self._serve(key, operation, ask, self._actor, member))
        self._tasks = {**(self._tasks or {}), key: serving}

    async def _serve(
        self,
        key: str,
        operation: Operation,
        ask: GraphQLRequest,
        actor: Actor,
        member: Subscriber | None,
    ) -> None:
        """Run one operation to its end, or until it is a group's. What goes wrong in it does not touch the others."""
        structlog.contextvars.bind_contextvars(trace_id=self._trace_id)
        state, outcome = self._state, "ok"
        try:
            if member is not None:
                refused = await state.groups.serve(member, operation, ask, self._trace_id)
            else:
                refused = await self._answer(key, operation, ask, actor)
            if refused is not None:
                outcome = "refused"
                self._end(key)
                self._refuse(key, refused.answer["errors"])
        except Exception as error:  # noqa: BLE001 - the socket ends with 1011, not the process
            self._bug(error)
        finally:
            if self._tasks is not None and self._tasks.get(key) is asyncio.current_task():
                del self._tasks[key]
                self._tasks = self._tasks or None
            OPERATIONS.labels(operation.type.value, outcome).inc()

    async def _answer(
        self, key: str, operation: Operation, ask: GraphQLRequest, actor: Actor
    ) -> Result | None:
        state = self._state
        async with state.turns.turn(actor):
            done = await state.engine.answer(operation, ask, state.context(actor), self._trace_id)
        if done.refused:
            return done
        EVENTS.inc()
        self._members.pop(key, None)
        self._say({"type": "next", "id": key, "payload": done.answer})
        self._say({"type": "complete", "id": key})
        return None

    def _over(self, member: Subscriber, last: Sequence[bytes]) -> None:
        """A subscription came to its end, after these last answers."""
        key = next((k for k, each in self._members.items() if each is member), None)
        if key is None:
            return
        if last:
            LET_GO.inc()
            self._wire.say(member.framed(last))
        self._end(key)
        self._say({"type": "complete", "id": key})

    def _end(self, key: str) -> None:
        """Forget an operation, whatever it is at."""
        task = (self._tasks or {}).pop(key, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()
        member = self._members.pop(key, None)
        if member is not None:
            member.leave()
            SUBSCRIPTIONS.dec()
            self._state.audience.unsubscribe(member.actor.tenant_id)

    def _refuse(self, key: str, errors: list[dict[str, Any]]) -> None:
        self._say({"type": "error", "id": key, "payload": errors})

    def _say(self, message: dict[str, Any]) -> None:
        self._wire.say(text_frame(_encode(message)))

    def _bug(self, error: Exception) -> None:
        log.error("socket.failed", exc_info=error)
        self._wire.close(1011, "Something went wrong")


def _read(text: str) -> dict[str, Any]:
    """The JSON object in a text frame; anything else is not the protocol."""
    try:
        message = _json(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise Closing(4400, "Frames are JSON objects")
    return message


def _presented(payload: dict[str, Any]) -> str | None:
    """The token or key in a `connection_init` payload: `{"Authorization": "Bearer …"}` or `{"token": "…"}`."""
    for name, value in payload.items():
        if isinstance(value, str):
            if name.lower() == "authorization":
                return bearer(value)
            if name == "token":
                return value
    return None
