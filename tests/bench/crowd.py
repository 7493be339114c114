"""Thousands of graphql-transport-ws subscribers in one light process: an epoll loop that counts frames.

A frame costs it about 4 µs, so that on a core of its own it keeps up with either server. The last event of each read
has its number looked at, so that one that is lost or told twice is noticed on any connection. A few connections are
read in full, and every event in them is looked at.
"""

import json
import os
import re
import select
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

INVITATION = (
    b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
AT_ONCE = 50
SAMPLED = 5
QUIET_S = 2.0
NUMBER = re.compile(rb'"n": ?(\d+)')

Note = Callable[[int, range], None]
"""Told of a connection's file descriptor and the numbers of the events that one read brought, at least one."""


class Crowd:
    """`count` subscribers of one server."""

    def __init__(
        self, port: int, count: int, token: str, document: str, variables: Callable[[int], Any]
    ) -> None:
        self.count = count
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._rest: dict[int, bytes] = {}
        self.heard: dict[int, int] = {}
        """By file descriptor, the number of the last event; 0 before the first."""
        self._sampled: dict[int, list[dict[str, Any]]] = {}
        for start in range(0, count, AT_ONCE):
            self._enter(port, range(start, min(start + AT_ONCE, count)), token, document, variables)
            self.hear(0, lambda _fd, _news: None)  # pings want an answer

    def _enter(
        self, port: int, numbers: range, token: str, document: str, variables: Callable[[int], Any]
    ) -> None:
        news = [socket.create_connection(("127.0.0.1", port)) for _ in numbers]
        for each in news:
            each.settimeout(120)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            each.sendall(INVITATION)
        for each in news:
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                answer += each.recv(4096)
            assert answer.startswith(b"HTTP/1.1 101"), answer
            init = {"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}
            each.sendall(masked(init))
        for each in news:
            ack = each.recv(4096)
            assert b"connection_ack" in ack, ack
        for number, each in zip(numbers, news, strict=True):
            payload = {"query": document, "variables": variables(number)}
            each.sendall(masked({"type": "subscribe", "id": "1", "payload": payload}))
            each.setblocking(False)
            fd = each.fileno()
            self._sockets[fd], self._rest[fd], self.heard[fd] = each, b"", 0
            self._poll.register(fd, select.EPOLLIN)
            if number < SAMPLED:
                self._sampled[fd] = []

    def hear(self, wait_s: float, note: Note) -> None:
        """Read what there is. Pings are answered, and are no news."""
        for fd, _ in self._poll.poll(wait_s):
            news = os.read(fd, 262_144)
            assert news, "the server hung up"
            data = self._rest[fd] + news
            size, at, frames = len(data), 0, 0
            while size - at >= 2:
                head = data[at + 1]
                if head < 126:
                    end = at + 2 + head
                elif size - at < 10:
                    break
                elif head == 126:
                    end = at + 4 + (data[at + 2] << 8 | data[at + 3])
                else:
                    end = at + 10 + int.from_bytes(data[at + 2 : at + 10], "big")
                if end > size:
                    break
                if data[at] == 0x89:
                    payload = data[at + 2 : end]
                    os.write(fd, b"\x8a" + bytes((0x80 | len(payload),)) + b"\0\0\0\0" + payload)
                elif data[at] == 0x81:
                    frames += 1
                    if fd in self._sampled:
                        start = at + (2 if head < 126 else 4 if head == 126 else 10)
                        self._sampled[fd].append(json.loads(data[start:end]))
                at = end
            self._rest[fd] = data[at:]
            if frames:
                note(fd, self._news(fd, frames, data, at))

    def _news(self, fd: int, frames: int, data: bytes, end: int) -> range:
        found = NUMBER.match(data, data.rfind(b'"n":', 0, end))
        assert found, data[:end]
        last, before = int(found[1]), self.heard[fd]
        assert before in (0, last - frames), f"{frames} events after {before} lead to {last}"
        self.heard[fd] = last
        return range(last - frames + 1, last + 1)

    def wait_for(self, number: int) -> bool:
        """Read until everybody has heard this event, or nobody hears anything any more; whether it reached all."""
        missing = {fd for fd, last in self.heard.items() if last < number}
        news_at = now()

        def note(fd: int, news: range) -> None:
            nonlocal news_at
            news_at = now()
            if news[-1] >= number:
                missing.discard(fd)

        while missing and now() - news_at < QUIET_S:
            self.hear(0.05, note)
        return not missing

    def look(self, numbers: Sequence[int]) -> int:
        """Check that the sampled ones heard these events, in order; the usual size of a message in bytes."""
        size = 0
        for messages in self._sampled.values():
            told = [m["payload"]["data"]["accountEvents"]["body"]["n"] for m in messages]
            assert told[-len(numbers) :] == list(numbers), (told[-5:], numbers[-5:])
            assert all(m["type"] == "next" and m["id"] == "1" for m in messages)
            size = len(json.dumps(messages[-1], separators=(",", ":")))
        return size

    def leave(self) -> None:
        """Hang up."""
        for each in self._sockets.values():
            each.close()
        self._poll.close()


def masked(message: Any) -> bytes:
    """A client's text frame; the mask is zero, which is a mask."""
    payload = json.dumps(message).encode()
    size = len(payload)
    head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    return head + b"\0\0\0\0" + payload


def now() -> float:
    """Seconds on the clock that measures."""
    return time.perf_counter()
