"""A proxy that tampers with what sockets tell: it loses, repeats, swaps and misdelivers, and hands on all the rest."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from realtime.tasks import end

AFTER = 1  # events that pass before a line is tampered with
TEXT = 0x81


@dataclass
class Tamperer:
    """What was done to whom. A line is tampered with in one way at most."""

    ways: list[str]
    done: list[str] = field(default_factory=list)
    _frames: dict[str, bytes] = field(default_factory=dict)  # the last event of each account

    def line(self) -> Callable[[bytes], list[bytes]]:
        """What one line does with each text frame of the server's."""
        seen, held, way = 0, b"", ""

        def take(frame: bytes) -> list[bytes]:
            nonlocal seen, held, way
            event = (json.loads(frame).get("payload") or {}).get("data", {}).get("event")
            if event is None:
                return [frame]
            account = event["account"]["id"]
            self._frames[account] = frame
            seen += 1
            if held:
                late, held = held, b""
                return [frame, late]
            if seen <= AFTER or way or not self.ways:
                return [frame]
            foreign = next((each for whose, each in self._frames.items() if whose != account), None)
            if self.ways[0] == "foreign" and foreign is None:
                return [frame]
            way = self.ways.pop(0)
            self.done.append(way)
            if way == "reorder":
                held = frame
            told = {
                "lose": [],
                "repeat": [frame, frame],
                "reorder": [],
                "foreign": [frame, foreign or b""],
            }
            return told[way]

        return take


@asynccontextmanager
async def tampering(port: int, tamperer: Tamperer) -> AsyncIterator[int]:
    """The port of a proxy in front of the server on `port`."""
    lines: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = await asyncio.open_connection("127.0.0.1", port)
        head = await reader.readuntil(b"\r\n\r\n")
        server[1].write(head)
        is_socket = b"upgrade: websocket" in head.lower()
        back = (
            _frames(server[0], writer, tamperer.line()) if is_socket else _bytes(server[0], writer)
        )
        directions = [asyncio.create_task(back), asyncio.create_task(_bytes(reader, server[1]))]
        lines.update(directions)
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        for each in directions:
            await end(each)
        writer.close()
        server[1].close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        for each in lines:
            await end(each)


async def _bytes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while read := await reader.read(1 << 16):
            writer.write(read)
            await writer.drain()


async def _frames(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, take: Callable[[bytes], list[bytes]]
) -> None:
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        writer.write(await reader.readuntil(b"\r\n\r\n"))
        while True:
            kind, length = await reader.readexactly(2)
            if length > 125:
                size = await reader.readexactly(2 if length == 126 else 8)
                length = int.from_bytes(size, "big")
            payload = await reader.readexactly(length)
            for each in take(payload) if kind == TEXT else [payload]:
                writer.writelines(_framed(kind, each))
            await writer.drain()


def _framed(kind: int, payload: bytes) -> Iterator[bytes]:
    size = len(payload)
    short = size.to_bytes(1, "big") if size < 126 else b"\x7e" + size.to_bytes(2, "big")
    yield bytes([kind]) + (short if size < 65536 else b"\x7f" + size.to_bytes(8, "big"))
    yield payload
