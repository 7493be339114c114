"""WebSocket on uvicorn without a task, a queue or a parser per connection: 4 KiB of our own instead of 27.

The handshake is uvicorn's and the application's, as for any socket. The moment it is accepted, the application may take
the connection over: its transport gets a `Wire`, and uvicorn's protocol object, its queue and its task are let go.
"""

import asyncio
import socket
from typing import Any, Protocol

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Close, Frame, Opcode
from websockets.streams import StreamReader

from api.live.backpressure import OutboundBuffer

EXTENSION = "waarborg.wire"
HIGH_WATER = 64 * 1024  # bytes on their way to a client before it counts as slow
KERNEL_BYTES = 128 * 1024  # of a sleeping client; left to itself the kernel keeps 4 MiB for it
CLOSE_S = 2.0  # for a client to take a close frame and answer it; then it is cut off
_TURN = 32  # frames of one client heard in a row: 256 KB of empty ones held up everybody for 0.3 s
_PIECES = 64  # of one message; a message in pieces has as many bytes as one in a single piece

_NO_HANDSHAKE = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Speaker(Protocol):
    """Who speaks on a wire."""

    def heard(self, text: str) -> None:
        """A text message came."""
        ...

    def over(self, code: int) -> None:
        """The connection is gone or going, with this code; comes once."""
        ...


class Upgrade(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, which the application may take the connection from once it is accepted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn.available_extensions = []  # permessage-deflate: 84 KiB a connection instead of 35

    def data_received(self, data: bytes) -> None:
        """Bytes of a client that shakes hands. A handshake that cannot be read was neither answered nor ended."""
        super().data_received(data)
        if not self.handshake_initiated and not self.transport.is_closing():
            self.transport.write(_NO_HANDSHAKE)
            self.transport.close()

    def handle_connect(self, event: Any) -> None:
        """Offer the connection to the application."""
        super().handle_connect(event)
        if self.handshake_initiated and hasattr(self, "scope"):
            extensions: dict[Any, Any] = self.scope["extensions"]
            extensions[EXTENSION] = self.hand_over

    def hand_over(self, most_bytes: int) -> "WebSocketTransport":
        """Let go of an accepted connection. Messages have `most_bytes` at most."""
        extensions: dict[Any, Any] = self.scope["extensions"]
        del extensions[EXTENSION]
        self.stop_keepalive()
        # uvicorn closes the transport when the application returns, unless a closing is under way.
        self.close_timer = self.loop.call_soon(lambda: None)  # type: ignore[assignment]
        wire = WebSocketTransport(self.transport, self.connections, most_bytes)
        self.connections.discard(self)
        self.transport.set_protocol(wire)
        if self.read_paused:
            self.transport.resume_reading()
        if early := bytes(self.conn.reader.buffer):  # said before it heard that it may
            self.loop.call_soon(wire.data_received, early)
        return wire


class WebSocketTransport(OutboundBuffer, asyncio.Protocol):
    """An open WebSocket (RFC 6455), server's side, uncompressed."""

    __slots__ = (
        "_busy",
        "_closing",
        "_connections",
        "_deafened",
        "_more",
        "_most_bytes",
        "_parser",
        "_pieces",
        "_reader",
        "heard_at",
        "speaker",
        "stalled_at",
        "transport",
    )

    def __init__(
        self, transport: asyncio.Transport, connections: set[Any], most_bytes: int
    ) -> None:
        super().__init__()
        self.transport = transport
        self.write = transport.write
        self.speaker: Speaker | None = None
        self.stalled_at: float | None = None
        self.heard_at = asyncio.get_running_loop().time()
        self._connections = connections
        self._most_bytes = most_bytes
        self._closing = False
        self._deafened = False
        self._more = False
        """Whether what came already is to be heard when the others have had their turn."""
        self._busy = False
        """Whether the speaker has heard enough for now."""
        self._reader: StreamReader | None = None
        self._parser: Any = None
        self._pieces: list[bytes] | None = None
        transport.set_write_buffer_limits(high=HIGH_WATER)
        own: socket.socket = transport.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came. Whatever is not the protocol closes with the code that RFC 6455 has for it."""
        if self._deafened:
            return
        self.heard_at = asyncio.get_running_loop().time()
        if self._reader is None:
            self._reader = StreamReader()
        self._reader.feed_data(data)
        if self._more or self._busy:
            self.transport.pause_reading()
        else:
            self._take_turn()

    def _take_turn(self) -> None:
        """Hear some of what came; the rest when the others have had their turn."""
        self._more = False
        if self.transport.is_closing():
            return
        try:
            for _ in range(_TURN):
                if self._reader is None or self._busy:
                    break
                if self._parser is None:
                    self._parser = Frame.parse(
                        self._reader.read_exact, mask=True, max_size=self._most_bytes
                    )
                try:
                    next(self._parser)
                except StopIteration as whole:
                    self._parser = None
                    if not self._reader.buffer:
                        self._reader = None
                    self._frame(whole.value)
                else:
                    break
            else:
                self._go_on()
                return
            self._listen()
        except PayloadTooBig:
            self._deaf(1009, f"A message has at most {self._most_bytes} bytes")
        except UnicodeDecodeError:
            self._deaf(1007, "Text is UTF-8")
        except ProtocolError as error:
            self._deaf(1002, str(error)[:100])

    def _frame(self, frame: Frame) -> None:
        data = bytes(frame.data)
        if frame.opcode is Opcode.CLOSE:
            code = Close.parse(data).code
            if not self._closing:
                self._end(code)
                self.transport.write(server_frame(Opcode.CLOSE, data[:2]))
            self.transport.close()
            self._reader = None
        elif self._closing or frame.opcode is Opcode.PONG:
            pass
        elif frame.opcode is Opcode.PING:
            self.say(server_frame(Opcode.PONG, data))
        elif frame.opcode is Opcode.BINARY:
            self.close(4400, "Frames are text")
        elif (frame.opcode is Opcode.CONT) != (self._pieces is not None):
            raise ProtocolError("a message in pieces is out of order")
        else:
            self._text(data, whole=frame.fin)

    def _text(self, piece: bytes, *, whole: bool) -> None:
        pieces, self._pieces = [*(self._pieces or ()), piece], None
        size = sum(map(len, pieces))
        if size > self._most_bytes or len(pieces) > _PIECES:
            raise PayloadTooBig(size, self._most_bytes)
        if not whole:
            self._pieces = pieces
        elif self.speaker is not None:
            self.speaker.heard(b"".join(pieces).decode())

    def hear_later(self) -> None:
        """It is too much at once: hear nothing until `hear_again`."""
        self._busy = True
        self.transport.pause_reading()

    def hear_again(self) -> None:
        """What was too much at once has been dealt with."""
        if self._busy:
            self._busy = False
            self._go_on()

    def _go_on(self) -> None:
        if not self._more and not self.transport.is_closing():
            self._more = True
            self.transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._take_turn)

    def _listen(self) -> None:
        if not (self._more or self._busy or self._closing) and self.stalled_at is None:
            self.transport.resume_reading()

    def ping(self) -> None:
        """Ask whether somebody is there; any answer shows in `heard_at`."""
        if self.flowing:
            self.write(server_frame(Opcode.PING, b""))

    def close(self, code: int, reason: str) -> None:
        """Say goodbye; a client that does not answer is cut off."""
        if self._closing:
            return
        self._end(code)
        if not self.transport.is_closing():
            self.transport.write(server_frame(Opcode.CLOSE, Close(code, reason).serialize()))
            # Not closed right away: unread bytes would make the kernel throw the close frame away.
            asyncio.get_running_loop().call_later(CLOSE_S, self.transport.abort)

    def give_up(self) -> None:
        """Cut off a client that takes nothing any more."""
        self._end(1006)
        self.transport.abort()

    def shutdown(self) -> None:
        """The server stops: come back, another process is there or will be."""
        self.close(1012, "Restart, come back")

    def pause_writing(self) -> None:
        """The client does not keep up: no more is heard from it either until it does."""
        super().pause_writing()
        if self.stalled_at is None:
            self.stalled_at = asyncio.get_running_loop().time()
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        if self.flowing:
            self.stalled_at = None
            self._listen()

    def connection_lost(self, _exc: Exception | None) -> None:
        """The connection is gone."""
        self._connections.discard(self)
        self._end(1006)

    def _deaf(self, code: int, reason: str) -> None:
        """Close, and understand nothing that comes after: where frames begin is lost."""
        self.close(code, reason)
        self._deafened = True

    def _end(self, code: int) -> None:
        self._closing = True
        self.flowing = True  # whoever waits for room goes on, to its end
        self.write = _nowhere
        self._held = None
        self._wake()
        speaker, self.speaker = self.speaker, None
        if speaker is not None:
            speaker.over(code)


def server_frame(opcode: Opcode, payload: bytes) -> bytes:
    """A frame as a server sends it: whole, unmasked."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 65_536:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big") + payload


def text_frame(payload: bytes) -> bytes:
    """A text frame: browsers' graphql-ws takes no binary ones."""
    return server_frame(Opcode.TEXT, payload)


def _nowhere(_data: bytes) -> None:
    """Where everything goes that is told after the end."""
