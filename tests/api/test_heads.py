"""Connections that begin a request and do not come to its end, against a real server."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from api.process import http_protocol
from tests.api import asking
from tests.api.asking import Server

HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.fixture(scope="module")
async def server(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    """One server for the whole file."""
    configured = asking.settings(database_url, redis_url, tmp_path_factory.mktemp("heads"))
    async with asking.serving(configured) as serving:
        yield serving


async def answered(server: Server, said: Sequence[bytes]) -> bytes:
    """The beginning of what the server says before it hangs up."""
    async with connected(server) as (reader, writer), asyncio.timeout(60):
        try:
            for piece in said:
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass  # it has hung up already, and perhaps its last word is still there to be read
        return (await reader.read(1_000)).partition(b"\r\n")[0]


@asynccontextmanager
async def connected(
    server: Server,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"", b""),
        (b"GET /gra", b"HTTP/1.1 408 Request Timeout"),
        (b"GET /livez HTTP/1.1\r\nhost: x\r\nx-", b"HTTP/1.1 408 Request Timeout"),
        (b"GET /livez HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf", b"HTTP/1.1 200 OK"),
    ],
    ids=["nothing", "half a line", "half a head", "half a body that nobody reads"],
)
async def test_who_does_not_come_to_the_end_of_a_request_is_not_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch, said: bytes, answer: bytes
) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_S", 0.3)
    monkeypatch.setattr(http_protocol, "BODY_S", 0.3)
    began = time.monotonic()
    async with connected(server) as (reader, writer), asyncio.timeout(4):
        writer.write(said)
        assert (await reader.read()).partition(b"\r\n")[0] == answer
    assert time.monotonic() - began > 0.2


@pytest.mark.parametrize(
    "said",
    [
        [b"GET /livez HTTP/1.1\r\nx: ", *[b"a" * 10_000] * 40],
        [b"GET /livez HTTP/1.1\r\n", *[b"x: a\r\n" * 2_000] * 40],
        [b"GET /livez?", *[b"a" * 10_000] * 40],
        [b"GET /livez HTTP/1.1\r\nx: " + b"a" * 70_000 + b"\r\n\r\n"],
    ],
    ids=["one header", "many headers", "an address", "all at once"],
)
async def test_a_head_that_does_not_end_is_not_kept(server: Server, said: list[bytes]) -> None:
    assert await answered(server, said) in {b"HTTP/1.1 431 Request Header Fields Too Large", b""}
    assert (await server.api.http.get("/livez")).status_code == 200


@pytest.mark.parametrize(
    "more",
    [
        b"content-length: 5\r\n\r\nabcde",
        b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"sec-websocket-protocol: " + b"x," * 5_000 + b"\r\n\r\n",
    ],
    ids=["with a body", "in chunks", "with a long line"],
)
async def test_a_handshake_that_cannot_be_read_is_told_so(server: Server, more: bytes) -> None:
    assert await answered(server, [HANDSHAKE + more]) == b"HTTP/1.1 400 Bad Request"


async def test_requests_in_one_breath_are_answered_in_order(server: Server) -> None:
    one = b"GET /livez HTTP/1.1\r\nhost: x\r\nx: " + b"a" * 30_000 + b"\r\n\r\n"
    last = b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    async with connected(server) as (reader, writer), asyncio.timeout(60):
        writer.write(one * 8 + last)
        assert (await reader.read()).count(b"HTTP/1.1 200 OK") == 9
