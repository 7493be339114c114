"""Client of graphql-transport-ws over websocket-client, which gevent makes cooperative."""

import itertools
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec
from websocket import (
    ABNF,
    WebSocket,
    WebSocketException,
    WebSocketTimeoutException,
    create_connection,
)

from loadtests.documents import DOCUMENTS

PROTOCOL = "graphql-transport-ws"
PATIENCE_S = 30.0


class Frame(msgspec.Struct):
    """A message of the protocol; the payload is parsed when its type is known."""

    type: str
    id: str | None = None
    payload: msgspec.Raw = msgspec.Raw(b"null")


class Named(msgspec.Struct):
    """An object of which only the id is read."""

    id: str


class Event(msgspec.Struct, rename="camel"):
    """An event of a subscription."""

    cursor: str
    kind: str
    gap: str | None = None
    recorded_at: datetime | None = None
    subject_id: str | None = None
    account: Named | None = None


class _Data(msgspec.Struct):
    event: Event


class _Answer(msgspec.Struct):
    data: _Data | None = None
    errors: list[dict[str, Any]] | None = None


class Ended(Exception):
    """Raised when the connection ended, with its close code or None."""

    def __init__(self, code: int | None, reason: str = "") -> None:
        super().__init__(f"closed with {code} {reason}".strip())
        self.code = code


class Refused(Exception):
    """Raised when the server answered an operation with errors; `code` is that of the first."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(str(errors[:1]))
        self.code: str | None = (errors[0].get("extensions") or {}).get("code") if errors else None


_frame = msgspec.json.Decoder(Frame).decode
_answer = msgspec.json.Decoder(_Answer).decode


class Conversation:
    """An initialised connection. Only one greenlet may read: `follow` and `ask` exclude each other."""

    def __init__(self, host: str, key: str) -> None:
        began = time.perf_counter()
        try:
            self._socket: WebSocket = create_connection(
                f"{host.replace('http', 'ws', 1)}/graphql",
                timeout=PATIENCE_S,
                subprotocols=[PROTOCOL],
                skip_utf8_validation=True,
            )
        except (OSError, WebSocketException) as error:
            raise Ended(None, repr(error)) from error
        self._ids = itertools.count(1)
        self._say(type="connection_init", payload={"token": key})
        if (frame := self._hear()).type != "connection_ack":
            raise Ended(None, f"no connection_ack but {frame.type}")
        self.took_ms = (time.perf_counter() - began) * 1000

    def follow(self, document: str, **variables: Any) -> Iterator[tuple[Event, int]]:
        """Yield events of a subscription with their sizes in bytes. Raises `Ended`, `Refused`."""
        key = self._start(document, variables)
        while True:
            frame = self._hear(key)
            if frame.type == "complete":
                return
            answer = _answer(frame.payload)
            if answer.errors or answer.data is None:
                raise Refused(answer.errors or [])
            yield answer.data.event, len(frame.payload)

    def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """Execute a query or mutation and return its data. Raises `Ended`, `Refused`."""
        key = self._start(document, variables)
        answer = msgspec.json.decode(self._hear(key).payload)
        if (end := self._hear(key)).type != "complete":
            raise Ended(None, f"no complete but {end.type}")
        if answer.get("errors"):
            raise Refused(answer["errors"])
        data: dict[str, Any] = answer["data"]
        return data

    def cut(self) -> None:
        """Drop the connection without a closing handshake, as a network failure does."""
        self._socket.abort()

    def close(self) -> None:
        """Close the connection without waiting for the server."""
        with suppress(OSError, WebSocketException):
            self._socket.close(timeout=0)

    def _start(self, document: str, variables: dict[str, Any]) -> str:
        key = str(next(self._ids))
        payload = {"query": DOCUMENTS[document], "variables": variables}
        self._say(type="subscribe", id=key, payload=payload)
        return key

    def _say(self, **message: Any) -> None:
        try:
            self._socket.send(msgspec.json.encode(message).decode())
        except (OSError, WebSocketException) as error:
            raise Ended(None, repr(error)) from error

    def _hear(self, key: str | None = None) -> Frame:
        """Receive the next message of this operation; ping a connection that was silent for long."""
        pinged = False
        while True:
            try:
                opcode, data = self._socket.recv_data()
            except WebSocketTimeoutException as error:
                if pinged:
                    raise Ended(None, "silent after a ping") from error
                self._say(type="ping")
                pinged = True
                continue
            except (OSError, WebSocketException) as error:
                raise Ended(None, repr(error)) from error
            if opcode == ABNF.OPCODE_CLOSE:
                code = int.from_bytes(data[:2], "big") if len(data) >= 2 else None
                raise Ended(code, data[2:].decode(errors="replace"))
            if opcode != ABNF.OPCODE_TEXT:
                raise Ended(None, f"a frame of opcode {opcode}")
            frame = _frame(data)
            if frame.type == "ping":
                self._say(type="pong")
            elif frame.type == "pong":
                pinged = False
            elif frame.type == "error":
                raise Refused(msgspec.json.decode(frame.payload))
            elif frame.id in {key, None}:
                return frame
