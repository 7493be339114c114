"""graphql-transport-ws: queries, mutations and subscriptions over one socket, whose life ends with its token's.

Close codes: 4400 not the protocol, 4401 not initialised, 4403 not (or no longer) allowed, 4406 no such
subprotocol, 4408 no `connection_init` in time, 4409 operation id in use, 4429 too many of something; 1011 a bug of
ours; 1012 restart, come back. After 4403, 4408, 1011 and 1012 reconnecting makes sense (with a fresh token, first).
"""

import asyncio
from contextlib import aclosing, suppress
from typing import Any

import msgspec
import structlog
from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from api.auth import FRESH_S, Identity, bearer, traced
from api.documents import Invalid, Operation
from api.engine import Answer, Ask
from api.errors import told
from api.graphql import Unanswerable, decoded
from api.state import State
from api.telemetry import CLOSED, EVENTS, OPERATIONS, SOCKETS, SUBSCRIPTIONS
from domain.actor import Actor

PROTOCOL = "graphql-transport-ws"
INIT_S = 10.0
SEND_S = 20.0
MOST_BYTES = 64 * 1024
MOST_OPERATIONS = 50
_RESTART = 1012

log = structlog.get_logger()
_json = msgspec.json.Decoder().decode


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
    """Serve one socket until either side ends it."""
    state: State = socket.app.state.waarborg
    if not allowed_origin(socket, state.settings.allowed_origins):
        await socket.close(1008)  # before it is accepted: the handshake is answered with 403
        return
    if PROTOCOL not in socket.scope["subprotocols"]:
        await socket.accept()
        await socket.close(4406, f"Only {PROTOCOL} is spoken here")
        return
    await socket.accept(subprotocol=PROTOCOL)
    SOCKETS.inc()
    try:
        await Conversation(socket, state).run()
    finally:
        SOCKETS.dec()


class Conversation:
    """What is said on one socket."""

    def __init__(self, socket: WebSocket, state: State) -> None:
        self._socket = socket
        self._state = state
        self._trace_id: str = socket.scope["trace_id"]
        self._presented: str | None = None
        self._actor: Actor | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()
        self._ended = asyncio.Event()
        self._why: Closing | None = None

    async def run(self) -> None:
        """Listen, answer, watch the rights; whatever ends first ends all of it."""
        listening = asyncio.create_task(self._listen())
        watching = asyncio.create_task(self._watch())
        ending: asyncio.Task[Any] = asyncio.create_task(self._ended.wait())
        try:
            await asyncio.wait([listening, watching, ending], return_when=asyncio.FIRST_COMPLETED)
            for task in (listening, watching):
                if task.done() and not task.cancelled() and (error := task.exception()):
                    self._why = error if isinstance(error, Closing) else _bug(error)
        finally:
            tasks: list[asyncio.Task[Any]] = [listening, watching, ending, *self._running.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._why is not None:
            CLOSED.labels(str(self._why.code)).inc()
            with suppress(Exception):
                async with asyncio.timeout(5):
                    await self._socket.close(self._why.code, self._why.reason)

    async def _listen(self) -> None:
        try:
            while True:
                await self._hear(self._read(await self._socket.receive()))
        except WebSocketDisconnect:
            pass

    def _read(self, message: Any) -> dict[str, Any]:
        """The JSON object in a text frame; anything else is not the protocol."""
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        if text is None:
            raise Closing(4400, "Frames are text")
        if len(text) > MOST_BYTES:
            raise Closing(4400, f"Frames have at most {MOST_BYTES} characters")
        try:
            told_us = _json(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            told_us = None
        if not isinstance(told_us, dict):
            raise Closing(4400, "Frames are JSON objects")
        return told_us

    async def _hear(self, message: dict[str, Any]) -> None:
        payload = message.get("payload")
        match message:
            case {"type": "connection_init"}:
                await self._init(payload)
            case {"type": "ping"} if payload is None or isinstance(payload, dict):
                await self._say({"type": "pong"})
            case {"type": "pong"}:
                pass
            case {"type": "subscribe", "id": str(key), "payload": dict()} if key:
                await self._subscribe(key, message["payload"])
            case {"type": "complete", "id": str(key)}:
                if task := self._running.pop(key, None):
                    task.cancel()
            case _:
                raise Closing(4400, "Not a message of this protocol")

    async def _init(self, payload: Any) -> None:
        if self._actor is not None:
            raise Closing(4429, "Too many initialisation requests")
        if payload is not None and not isinstance(payload, dict):
            raise Closing(4400, "The payload of connection_init is an object")
        self._presented = _presented(payload or {}) or bearer(
            self._socket.headers.get("authorization")
        )
        identity = await self._identity()
        if identity is None or identity.ingest_only:
            raise Closing(4403, "Forbidden")
        self._actor = traced(identity.actor, self._trace_id)
        self._socket.scope["log"]["actor"] = identity.actor.subject
        await self._say({"type": "connection_ack"})

    async def _identity(self) -> Identity | None:
        if self._presented is None:
            return None
        return await self._state.authenticator.identify(self._presented)

    async def _watch(self) -> None:
        """Close when nobody introduces himself in time, and as soon as the rights end or change."""
        await asyncio.sleep(INIT_S)
        if self._actor is None:
            raise Closing(4408, "Connection initialisation timeout")
        while True:
            identity = await self._identity()
            if identity is None:
                raise Closing(4403, "Forbidden: the token or key is no longer good")
            if traced(identity.actor, self._trace_id) != self._actor:
                raise Closing(4403, "Forbidden: rights have changed, connect again")
            left = FRESH_S
            if identity.expires_at is not None:
                left = min(left, identity.expires_at - self._state.now().timestamp())
            await asyncio.sleep(max(0.05, left))

    async def _subscribe(self, key: str, payload: dict[str, Any]) -> None:
        if self._actor is None:
            raise Closing(4401, "Unauthorized")
        if key in self._running:
            raise Closing(4409, f"Subscriber for {key[:80]} already exists")
        if len(self._running) >= MOST_OPERATIONS:
            raise Closing(4429, f"At most {MOST_OPERATIONS} operations at a time")
        try:
            ask = decoded(msgspec.json.encode(payload))
            operation = await self._state.gate.look(ask)
            await self._state.gate.admit(ask, operation, self._actor)
        except Unanswerable as failed:
            raise Closing(4400, "The payload of subscribe is not a request") from failed
        except Invalid as invalid:
            OPERATIONS.labels("none", "refused").inc()
            errors = told(invalid.errors, self._trace_id)
            await self._say({"type": "error", "id": key, "payload": errors})
            return
        task = asyncio.create_task(self._serve(key, operation, ask, self._actor))
        self._running[key] = task

    async def _serve(self, key: str, operation: Operation, ask: Ask, actor: Actor) -> None:
        """Run one operation to its end. What goes wrong in it does not touch the others."""
        ctx = self._state.context(actor)
        engine, outcome = self._state.engine, "ok"
        try:
            if operation.type is OperationType.SUBSCRIPTION:
                with SUBSCRIPTIONS.track_inprogress():
                    stream = engine.stream(operation, ask, ctx, self._trace_id)
                    async with aclosing(stream) as answers:
                        async for done in answers:
                            if done.refused:
                                outcome = "refused"
                                await self._refuse(key, done.answer)
                                return
                            await self._next(key, done.answer)
            else:
                done = await engine.answer(operation, ask, ctx, self._trace_id)
                if done.refused:
                    outcome = "refused"
                    await self._refuse(key, done.answer)
                    return
                await self._next(key, done.answer)
            self._running.pop(key, None)
            await self._say({"type": "complete", "id": key})
        except (WebSocketDisconnect, Closing) as end:
            self._why = end if isinstance(end, Closing) else None
            self._ended.set()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - the socket ends with 1011, not the process
            self._why = _bug(error)
            self._ended.set()
        finally:
            self._running.pop(key, None)
            OPERATIONS.labels(operation.type.value, outcome).inc()

    async def _refuse(self, key: str, answer: Answer) -> None:
        self._running.pop(key, None)
        await self._say({"type": "error", "id": key, "payload": answer["errors"]})

    async def _next(self, key: str, answer: Answer) -> None:
        EVENTS.inc()
        await self._say({"type": "next", "id": key, "payload": answer})

    async def _say(self, message: dict[str, Any]) -> None:
        """Send a text frame; a peer that takes none for 20 s is let go, and disturbs nobody meanwhile."""
        frame = msgspec.json.encode(message).decode()
        try:
            async with self._sending, asyncio.timeout(SEND_S):
                if self._socket.application_state is not WebSocketState.CONNECTED:
                    raise WebSocketDisconnect(1006)
                await self._socket.send_text(frame)
        except TimeoutError:
            raise Closing(_RESTART, "Too slow, come back") from None
        except RuntimeError:  # the server had closed it already
            raise WebSocketDisconnect(1006) from None


def _presented(payload: dict[str, Any]) -> str | None:
    """The token or key in a `connection_init` payload: `{"Authorization": "Bearer …"}` or `{"token": "…"}`."""
    for name, value in payload.items():
        if isinstance(value, str):
            if name.lower() == "authorization":
                return bearer(value)
            if name == "token":
                return value
    return None


def _bug(error: BaseException) -> Closing:
    log.error("socket.failed", exc_info=error)
    return Closing(1011, "Something went wrong")
