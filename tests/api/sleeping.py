"""Clients that read when they are told to, over a small window; and a server that is waited for."""

import asyncio
import json
import socket
from typing import Any

from tests.bench.crowd import INVITATION, masked

NOTED = """subscription ($account: ID!, $after: String) {
  accountEvents(accountId: $account, after: $after) { cursor kind gap body } }"""


class Sleeper:
    """A WebSocket client over a small window, which reads when it is told to."""

    def __init__(self, port: int, token: str, **variables: Any) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect(("127.0.0.1", port))
        self._rest = b""
        self._variables = variables
        self._token = token
        self.code: int | None = None
        """With which the server closed; None when it cut the connection off."""

    async def begin(self) -> None:
        """Shake hands, introduce oneself, subscribe."""
        loop = asyncio.get_running_loop()
        self._socket.setblocking(False)
        await loop.sock_sendall(self._socket, INVITATION)
        while b"\r\n\r\n" not in self._rest:
            self._rest += await loop.sock_recv(self._socket, 4096)
        self._rest = self._rest.partition(b"\r\n\r\n")[2]
        await self.say(type="connection_init", payload={"token": self._token})
        assert (await self.hear())["type"] == "connection_ack"
        await self.subscribe("1")

    async def subscribe(self, key: str, **more: Any) -> None:
        """Follow the facts."""
        variables = self._variables | more
        payload = {"query": NOTED, "variables": variables}
        await self.say(type="subscribe", id=key, payload=payload)

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await asyncio.get_running_loop().sock_sendall(self._socket, masked(message))

    async def hear(self) -> Any:
        """The next text message; None at the end, of which `code` tells whether it was said why."""
        while True:
            if len(self._rest) >= 2:
                head = self._rest[1]
                start = 2 if head < 126 else 4
                size = head if head < 126 else int.from_bytes(self._rest[2:4], "big")
                if len(self._rest) >= start + size:
                    opcode, data = self._rest[0], self._rest[start : start + size]
                    self._rest = self._rest[start + size :]
                    if opcode == 0x81:
                        return json.loads(data)
                    if opcode == 0x88:
                        self.code = int.from_bytes(data[:2], "big")
                        return None
                    continue
            try:
                async with asyncio.timeout(60):
                    more = await asyncio.get_running_loop().sock_recv(self._socket, 65_536)
            except ConnectionError:
                return None  # cut off, not closed
            if not more:
                return None
            self._rest += more

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


async def answers(port: int) -> None:
    """Wait until a server on this port is alive."""
    async with asyncio.timeout(60):
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                if b"200" in await reader.readline():
                    writer.close()
                    return
            except OSError:
                pass
            await asyncio.sleep(0.1)
