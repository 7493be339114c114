"""graphql-transport-ws and RFC 6455 to the letter, said in bare bytes that no client library would send."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.live.websocket_transport import WebSocketTransport
from tests.api import asking
from tests.api.asking import Office, Server
from tests.clients.meeting import FEED
from tests.clients.raw import BINARY, CLOSE, CONT, PING, PONG, TEXT, frame, message, raw

VIEWER = "{ viewer { role } }"
INIT = '{"type":"connection_init"}'


@pytest.fixture(scope="module")
async def server(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    """One server for the whole file: what one client says must not touch the next."""
    configured = asking.settings(database_url, redis_url, tmp_path_factory.mktemp("protocol"))
    async with asking.serving(configured) as serving:
        yield serving


@pytest.fixture(scope="module")
async def office(server: Server) -> Office:
    """A company, with tokens."""
    return await asking.office(server.api)


class Sink(asyncio.Transport):
    """A connection that takes everything, and tells whether it is read."""

    reading = True

    def __init__(self, own: socket.socket) -> None:
        super().__init__()
        self._own = own

    def write(self, _data: Any) -> None:
        """Take it."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is always room."""

    def get_extra_info(self, _name: str, _default: Any = None) -> Any:
        """The socket."""
        return self._own

    def is_closing(self) -> bool:
        """It stays open."""
        return False

    def pause_reading(self) -> None:
        """Nothing more comes for now."""
        self.reading = False

    def resume_reading(self) -> None:
        """More may come."""
        self.reading = True


class Deaf:
    """Hears and says nothing."""

    def on_message(self, text: str) -> None:
        """Hear it."""

    def on_close(self, code: int) -> None:
        """Hear that it is over."""


IMPOSSIBLE = {
    "unmasked": (1002, frame(TEXT, INIT, masked=False)),
    "a reserved bit": (1002, frame(TEXT, INIT, rsv=4)),
    "a reserved opcode": (1002, frame(0x3, INIT)),
    "a reserved control opcode": (1002, frame(0xB)),
    "a long ping": (1002, frame(PING, b"x" * 126)),
    "a ping in pieces": (1002, frame(PING, fin=False)),
    "a continuation of nothing": (1002, frame(CONT, INIT)),
    "a text inside a text": (1002, frame(TEXT, "{", fin=False) + frame(TEXT, "}")),
    "half a close code": (1002, frame(CLOSE, b"\x03")),
    "a close code that is never sent": (1002, frame(CLOSE, (1005).to_bytes(2, "big"))),
    "no UTF-8": (1007, frame(TEXT, b"\xff\xfe")),
    "half a character": (1007, frame(TEXT, b'{"type":"ping","payload":{"x":"\xc3"}}')),
    "a reason that is no UTF-8": (1007, frame(CLOSE, (1000).to_bytes(2, "big") + b"\xff")),
    "too long": (1009, frame(TEXT, "x" * 70_000)),
    "said to be too long": (1009, frame(TEXT, length=1 << 62)),
    "too long in pieces": (
        1009,
        frame(TEXT, "x" * 40_000, fin=False) + frame(CONT, "x" * 40_000),
    ),
    "binary": (4400, frame(BINARY, INIT)),
    "binary in pieces": (4400, frame(BINARY, INIT, fin=False) + frame(CONT)),
}


async def test_frames_that_cannot_be_close_with_their_code(server: Server) -> None:
    async def code_for(said: bytes) -> int:
        async with raw(server.port) as socket:
            socket.send(said)
            return (
                await socket.closed()
            )  # up to 2 s each: who is not understood is not waited for longer

    codes = await asyncio.gather(*(code_for(said) for _, said in IMPOSSIBLE.values()))
    assert dict(zip(IMPOSSIBLE, codes, strict=True)) == {
        name: code for name, (code, _) in IMPOSSIBLE.items()
    }


@pytest.mark.parametrize(
    "told",
    [
        {"type": "subscribe", "id": 1, "payload": {"query": VIEWER}},
        {"type": "subscribe", "id": None, "payload": {"query": VIEWER}},
        {"type": "subscribe", "payload": {"query": VIEWER}},
        {"type": "subscribe", "id": "", "payload": {"query": VIEWER}},
        {"type": "subscribe", "id": ["1"], "payload": {"query": VIEWER}},
        {"type": "subscribe", "id": "1", "payload": None},
        {"type": "subscribe", "id": "1", "payload": VIEWER},
        {"type": "subscribe", "id": "1", "payload": {"query": 1}},
        {"type": "subscribe", "id": "1", "payload": {"query": VIEWER, "variables": [1]}},
        {"type": "subscribe", "id": "1", "payload": {"query": VIEWER, "operationName": 1}},
        {"type": "subscribe", "id": "1", "payload": {"query": VIEWER, "extensions": "x"}},
        {"type": "complete", "id": 1},
        {"type": "complete"},
        {"type": "ping", "payload": "x"},
        {"type": "start", "id": "1", "payload": {"query": VIEWER}},
        {"type": "connection_ack"},
        {"type": "next", "id": "1", "payload": {}},
        {"type": ["ping"]},
        {"id": "1"},
    ],
    ids=json.dumps,
)
async def test_messages_that_are_none_close_with_4400_also_after_the_introduction(
    server: Server, office: Office, told: dict[str, Any]
) -> None:
    async with raw(server.port) as socket:
        await socket.init(office.client)
        socket.send(message(**told))
        assert await socket.closed() == 4400


@pytest.mark.parametrize("protocol", [None, "graphql-ws", "Graphql-Transport-Ws", "x, graphql-ws"])
async def test_who_does_not_ask_for_our_protocol_is_closed_with_4406(
    server: Server, office: Office, protocol: str | None
) -> None:
    async with raw(server.port, protocol=protocol) as socket:
        assert "sec-websocket-protocol" not in socket.head.lower()
        assert await socket.closed() == 4406


async def test_our_protocol_is_chosen_among_others_and_nothing_is_compressed(
    server: Server,
    office: Office,
) -> None:
    more = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    async with raw(server.port, protocol="graphql-ws, graphql-transport-ws", more=more) as socket:
        head = socket.head.lower()
        assert "sec-websocket-protocol: graphql-transport-ws\r\n" in head
        assert "sec-websocket-extensions" not in head


async def test_what_is_said_in_one_breath_is_heard_in_order(
    server: Server,
    office: Office,
) -> None:
    early = (
        message(type="connection_init", payload={"token": office.client}),
        message(type="subscribe", id="1", payload={"query": VIEWER}),
        message(type="ping"),
    )
    async with raw(server.port) as socket:
        socket.send(*early)
        heard = [(await socket.hear())["type"] for _ in range(4)]
    assert heard[0] == "connection_ack"
    assert sorted(heard[1:]) == ["complete", "next", "pong"]
    assert heard.index("next") < heard.index("complete")


async def test_two_introductions_in_one_breath_close_with_4429(
    server: Server, office: Office
) -> None:
    init = message(type="connection_init", payload={"token": office.client})
    async with raw(server.port) as socket:
        socket.send(init, init)
        assert await socket.hear() == {"type": "connection_ack"}
        assert await socket.closed() == 4429


async def test_a_message_in_pieces_with_a_ping_between_them_is_one_message(
    server: Server, office: Office
) -> None:
    told = json.dumps(
        {"type": "connection_init", "payload": {"token": office.client, "é": "€"}},
        ensure_ascii=False,
    )
    body = told.encode()
    async with raw(server.port) as socket:
        for n, byte in enumerate(body[:-1]):
            if n in {0, 20}:
                socket.send(
                    frame(TEXT if n == 0 else CONT, body[n : n + 20], fin=False), frame(PING, b"?")
                )
                assert await socket.frame() == (PONG, b"?"), byte
        socket.send(frame(CONT, body[40:]))
        assert await socket.hear() == {"type": "connection_ack"}


async def test_pings_of_both_kinds_are_answered_and_unasked_pongs_are_not(
    server: Server, office: Office
) -> None:
    async with raw(server.port) as socket:
        socket.send(frame(PONG, b"unasked"), message(type="pong", payload={"unasked": 1}))
        socket.send(frame(PING, b"payload"), message(type="ping", payload={"x": 1}), frame(PING))
        assert await socket.frame() == (PONG, b"payload")
        assert await socket.hear() == {"type": "pong"}
        assert await socket.frame() == (PONG, b"")
        await socket.init(office.client)
        socket.send(*[message(type="ping")] * 2000)
        assert [await socket.hear() for _ in range(2000)] == [{"type": "pong"}] * 2000


async def test_a_goodbye_is_returned_with_its_code(server: Server, office: Office) -> None:
    async with raw(server.port) as socket:
        await socket.init(office.client)
        socket.send(
            message(
                type="subscribe",
                id="1",
                payload={"query": FEED, "variables": {"account": office.account}},
            )
        )
        socket.send(frame(CLOSE, (1001).to_bytes(2, "big") + b"going away"))
        assert await socket.closed() == 1001


async def test_ids_are_any_text_and_may_be_used_again_once_free(
    server: Server, office: Office
) -> None:
    strange = ["1", '"\\\n', "é€𐍈", "x" * 5_000, "1"]
    async with raw(server.port) as socket:
        await socket.init(office.client)
        for key in strange:
            socket.send(message(type="subscribe", id=key, payload={"query": VIEWER}))
            assert [(each["type"], each["id"]) for each in (await socket.hear(), await socket.hear())] == [
                ("next", key), ("complete", key)
            ]  # fmt: skip
        feed = {"query": FEED, "variables": {"account": office.account}}
        for _ in range(3):
            socket.send(
                message(type="subscribe", id="feed", payload=feed),
                message(type="complete", id="feed"),
            )
        socket.send(message(type="complete", id="never begun"), message(type="complete", id="feed"))
        socket.send(message(type="ping"))
        assert await socket.hear() == {"type": "pong"}, (
            "what was completed by us is not completed by them"
        )
        socket.send(*[message(type="subscribe", id="feed", payload=feed)] * 2)
        assert await socket.closed() == 4409


async def test_an_operation_is_chosen_by_name_and_refused_with_an_error_for_its_id_alone(
    server: Server,
    office: Office,
) -> None:
    two = "query A { viewer { role } } query B { viewer { tenant { name } } }"
    async with raw(server.port) as socket:
        await socket.init(office.client)
        socket.send(message(type="subscribe", id="b", payload={"query": two, "operationName": "B"}))
        assert "tenant" in (await socket.hear())["payload"]["data"]["viewer"]
        assert await socket.hear() == {"type": "complete", "id": "b"}
        for key, payload in {
            "none": {"query": two},
            "other": {"query": two, "operationName": "C"},
        }.items():
            socket.send(message(type="subscribe", id=key, payload=payload))
            error = await socket.hear()
            assert (error["type"], error["id"]) == ("error", key)
            assert isinstance(error["payload"], list)
            assert error["payload"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_half_a_frame_holds_up_nobody(server: Server, office: Office) -> None:
    async with raw(server.port) as stuck, raw(server.port) as lively:
        await lively.init(office.client)
        stuck.send(message(type="connection_init", payload={"token": office.client})[:-5])
        await asyncio.sleep(0.05)
        lively.send(message(type="ping"))
        assert await lively.hear() == {"type": "pong"}


@pytest.mark.parametrize(
    "floods",
    [frame(PING), frame(TEXT, b"x"), message(type="ping")],
    ids=["empty frames", "nonsense", "pings"],
)
def test_a_flood_is_heard_in_turns(floods: bytes) -> None:
    async def longest(own: socket.socket) -> tuple[int, float]:
        transport = Sink(own)
        wire = WebSocketTransport(transport, set(), 65_536)
        wire.handler = Deaf()
        wire.data_received(floods * (256_000 // len(floods)))
        turns, longest_s, before = 0, 0.0, time.process_time()
        while not transport.reading:
            await asyncio.sleep(0)
            now = time.process_time()  # the machine may be busy with something else
            turns, longest_s, before = turns + 1, max(longest_s, now - before), now
        return turns, longest_s

    with socket.socket() as own:
        turns, longest_s = asyncio.run(longest(own))
    assert turns >= 256_000 // len(floods) // 64
    assert longest_s < 0.1
