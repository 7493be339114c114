"""A WebSocket of bare bytes: it can say what no library lets one say."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


def frame(
    opcode: int, payload: bytes | str = b"", *, fin: bool = True, masked: bool = True, rsv: int = 0,
    length: int | None = None,
) -> bytes:  # fmt: skip
    """A client's frame (RFC 6455 §5.2); `length` lies about how long it is."""
    body = payload.encode() if isinstance(payload, str) else payload
    size = len(body) if length is None else length
    mask = os.urandom(4) if masked else b""
    bit = 0x80 if masked else 0
    if size < 126:
        told = bytes([bit | size])
    elif size < 65_536:
        told = bytes([bit | 126]) + size.to_bytes(2, "big")
    else:
        told = bytes([bit | 127]) + size.to_bytes(8, "big")
    if masked:
        body = bytes(byte ^ mask[n % 4] for n, byte in enumerate(body))
    return bytes([(0x80 if fin else 0) | rsv << 4 | opcode]) + told + mask + body


def message(**fields: Any) -> bytes:
    """A message of graphql-transport-ws in one frame."""
    return frame(TEXT, json.dumps(fields))


@dataclass
class Raw:
    """An open connection, and what the server said in the handshake."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: str

    def send(self, *frames: bytes) -> None:
        """Bytes as they are, in one write."""
        self.writer.write(b"".join(frames))

    async def frame(self) -> tuple[int, bytes]:
        """The server's next frame: opcode and payload."""
        async with asyncio.timeout(60):
            first, size = await self.reader.readexactly(2)
            if size > 125:
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
            assert first & 0x80, "the server's frames are whole"
            return first & 0x0F, await self.reader.readexactly(size)

    async def hear(self) -> Any:
        """The server's next message."""
        opcode, payload = await self.frame()
        assert opcode == TEXT, (opcode, payload)
        return json.loads(payload)

    async def init(self, token: str) -> None:
        """Introduce oneself."""
        self.send(message(type="connection_init", payload={"token": token}))
        assert await self.hear() == {"type": "connection_ack"}

    async def closed(self) -> int:
        """The code of the close frame, which has to be the next one; then the server hangs up."""
        opcode, payload = await self.frame()
        assert opcode == CLOSE, (opcode, payload)
        self.send(frame(CLOSE, payload[:2]))
        async with asyncio.timeout(60):
            assert await self.reader.read() == b"", "nothing comes after the close frame"
        return int.from_bytes(payload[:2], "big")


@asynccontextmanager
async def raw(
    port: int, *, protocol: str | None = "graphql-transport-ws", more: str = ""
) -> AsyncIterator[Raw]:
    """Connect and shake hands."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    key = base64.b64encode(os.urandom(16)).decode()
    told = "" if protocol is None else f"Sec-WebSocket-Protocol: {protocol}\r\n"
    writer.write(
        b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{told}{more}\r\n".encode()
    )
    try:
        async with asyncio.timeout(60):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        yield Raw(reader, writer, head)
    finally:
        writer.transport.abort()
