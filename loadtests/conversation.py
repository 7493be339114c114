"""graphql-transport-ws from the client's side, over websocket-client, which gevent makes cooperative."""

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
    """A message of the protocol; the payload is read when it is known what it is."""

    type: str
    id: str | None = None
    payload: msgspec.Raw = msgspec.Raw(b"null")


class Named(msgspec.Struct):
    """Something of which only the id matters."""

    id: str


class Event(msgspec.Struct, rename="camel"):
    """A fact as a feed tells it."""

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
    """The line is gone: with a close code, or without a word (None)."""

    def __init__(self, code: int | None, reason: str = "") -> None:
        super().__init__(f"closed with {code} {reason}".strip())
        self.code = code


class Refused(Exception):
    """The server answered an operation with errors; `code` is the first one's."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(str(errors[:1]))
        self.code: str | None = (errors[0].get("extensions") or {}).get("code") if errors else None


_frame = msgspec.json.Decoder(Frame).decode
_answer = msgspec.json.Decoder(_Answer).decode


class Conversation:
    """One socket, introduced. One greenlet listens: either `follow` or `ask` is at work at a time."""

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
        """Events of a subscription and their sizes in bytes. Raises `Ended`, `Refused`."""
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
        """The data of a query or mutation over the socket. Raises `Ended`, `Refused`."""
        key = self._start(document, variables)
        answer = msgspec.json.decode(self._hear(key).payload)
        if (end := self._hear(key)).type != "complete":
            raise Ended(None, f"no complete but {end.type}")
        if answer.get("errors"):
            raise Refused(answer["errors"])
        data: dict[str, Any] = answer["data"]
        return data

    def cut(self) -> None:
        """Drop the line without a closing handshake, as a tunnel does."""
        self._socket.abort()

    def close(self) -> None:
        """Say goodbye without waiting for an answer."""
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
        """The next message about this operation; a line that was silent for long is asked whether it lives."""
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
