"""A light graphql-transport-ws client that remembers one cursor, and comes back with it whatever happens."""

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

EVENTS = """subscription Watch($account: ID!, $after: String) {
  accountEvents(accountId: $account, after: $after) { kind cursor gap } }"""
SILENCE_S = 8.0  # less than what a busy machine takes for a handshake would make a storm of its own
ARRIVING_S = 4.0

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


@dataclass
class Subscriber:
    """One client of one account."""

    port: int
    token: str
    account: str
    cursor: str
    dice: random.Random
    heard: list[str] = field(default_factory=list)
    """Cursors of the facts that were heard, in order, each once."""
    repeats: int = 0
    gaps: int = 0
    connections: int = 0
    wrong: list[Any] = field(default_factory=list)
    """What the server should never have said."""
    _known: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Listen until cancelled; come back soon, and ever later while that brings nothing."""
        await asyncio.sleep(self.dice.uniform(0, ARRIVING_S))
        pause_s = 0.1
        while True:
            heard = len(self.heard)
            with suppress(OSError, EOFError, WebSocketException, msgspec.DecodeError):
                await self._connect()
            pause_s = 0.1 if len(self.heard) > heard else min(4.0, 2 * pause_s)
            await asyncio.sleep(pause_s * self.dice.uniform(0.5, 1.5))

    async def _connect(self) -> None:
        connection = await connect(
            f"ws://127.0.0.1:{self.port}/graphql",
            subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
            open_timeout=SILENCE_S,
            ping_interval=None,
            compression=None,
            proxy=None,
        )
        try:
            await self._say(connection, "connection_init", payload={"token": self.token})
            payload = {
                "query": EVENTS,
                "variables": {"account": self.account, "after": self.cursor},
            }
            async with asyncio.timeout(SILENCE_S):
                if _decode(await connection.recv())["type"] != "connection_ack":
                    return
            await self._say(connection, "subscribe", id="1", payload=payload)
            self.connections += 1
            await self._listen(connection)
        finally:
            connection.transport.abort()

    async def _listen(self, connection: ClientConnection) -> None:
        asked = False
        while True:
            try:
                async with asyncio.timeout(SILENCE_S):
                    message = _decode(await connection.recv())
            except TimeoutError:
                if asked:  # the line is dead
                    return
                await self._say(connection, "ping")
                asked = True
                continue
            asked = False
            match message["type"]:
                case "next" if "errors" not in message["payload"]:
                    self._hear(message["payload"]["data"]["accountEvents"])
                case "ping":
                    await self._say(connection, "pong")
                case "pong":
                    pass
                case "complete":
                    return
                case _:
                    self.wrong.append(message)
                    return

    def _hear(self, event: dict[str, Any]) -> None:
        self.cursor = event["cursor"]
        if event["gap"] is not None:
            self.gaps += 1
        elif self.cursor in self._known:
            self.repeats += 1
        else:
            self._known.add(self.cursor)
            self.heard.append(self.cursor)

    async def _say(self, connection: ClientConnection, kind: str, **more: Any) -> None:
        await connection.send(_encode({"type": kind, **more}).decode())
