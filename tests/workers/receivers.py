"""What stands at the other end of a channel: a web server of the test's own that remembers what it was sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

REASONS = {
    200: "OK",
    429: "Too Many",
    201: "Created",
    404: "Not Found",
    410: "Gone",
    400: "Bad Request",
    503: "Unavailable",
}


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Answers every POST with `status`; 0 hangs up without an answer."""

    status: int = 201
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """What follows the head; the connection is then kept open for `open_s`. None: nothing, and it is closed."""
    open_s: float = 0.0
    port: int = 0
    requests: list[Received] = field(default_factory=list)

    def url(self, path: str) -> str:
        """An address of it."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in headers.items()}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(Received(head[0].split()[1], headers, body))
        if self.status:
            line = f"HTTP/1.1 {self.status} {REASONS[self.status]}"
            more = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
            length = "" if self.body is not None else "content-length: 0\r\n"
            head_of_it = f"{line}\r\n{more}{length}connection: close\r\n\r\n"
            writer.write(head_of_it.encode() + (self.body or b""))
            with suppress(ConnectionError):
                await writer.drain()
            if self.open_s:
                with suppress(TimeoutError, ConnectionError):
                    await asyncio.wait_for(reader.read(), self.open_s)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver on a free port of this machine."""
    found = Receiver()
    server = await asyncio.start_server(found.meet, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found
