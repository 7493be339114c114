"""WebSocket transport on uvicorn without a task, queue or parser per connection: 4 KiB of state instead of 27.

uvicorn and the application do the handshake as usual. After accepting it, the application may take over the connection:
a `WebSocketTransport` becomes the protocol of the TCP transport; the objects, queue and task of uvicorn are freed.
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
HIGH_WATER = 64 * 1024  # bytes in the write buffer above which a client counts as slow
KERNEL_BYTES = (
    128 * 1024
)  # send buffer of the kernel per client; its default grows to 4 MiB for a stalled client
CLOSE_S = 2.0  # time for a client to answer a close frame before the connection is aborted
_TURN = 32  # frames of one client handled in a row: 256 KB of empty ones blocked the event loop for 0.3 s
_FRAGMENTS = 64  # fragments of one message; the size limit applies to all of them together

_NO_HANDSHAKE = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class MessageHandler(Protocol):
    """Receives the messages and the end of a WebSocket connection."""

    def on_message(self, text: str) -> None:
        """Handle a text message."""
        ...

    def on_close(self, code: int) -> None:
        """Handle the end of the connection, with its close code; called once."""
        ...


class Upgrade(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, with an extension by which the application takes over an accepted connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn.available_extensions = []  # permessage-deflate takes 84 KiB per connection instead of 35

    def data_received(self, data: bytes) -> None:
        """Process bytes of a handshake; answer 400 to a malformed one, which uvicorn leaves open without an answer."""
        super().data_received(data)
        if not self.handshake_initiated and not self.transport.is_closing():
            self.transport.write(_NO_HANDSHAKE)
            self.transport.close()

    def handle_connect(self, event: Any) -> None:
        """Add the extension to the scope, so that the application can take over the connection."""
        super().handle_connect(event)
        if self.handshake_initiated and hasattr(self, "scope"):
            extensions: dict[Any, Any] = self.scope["extensions"]
            extensions[EXTENSION] = self.hand_over

    def hand_over(self, most_bytes: int) -> "WebSocketTransport":
        """Detach an accepted connection from uvicorn and return its transport; messages are limited to `most_bytes`."""
        extensions: dict[Any, Any] = self.scope["extensions"]
        del extensions[EXTENSION]
        self.stop_keepalive()
        # uvicorn closes the transport when the application returns, unless a close timer is set.
        self.close_timer = self.loop.call_soon(lambda: None)  # type: ignore[assignment]
        wire = WebSocketTransport(self.transport, self.connections, most_bytes)
        self.connections.discard(self)
        self.transport.set_protocol(wire)
        if self.read_paused:
            self.transport.resume_reading()
        if early := bytes(
            self.conn.reader.buffer
        ):  # sent before the client received the acceptance
            self.loop.call_soon(wire.data_received, early)
        return wire


class WebSocketTransport(OutboundBuffer, asyncio.Protocol):
    """Server side of an open WebSocket (RFC 6455), without compression."""

    __slots__ = (
        "_busy",
        "_closing",
        "_connections",
        "_failed",
        "_fragments",
        "_more",
        "_most_bytes",
        "_parser",
        "_reader",
        "handler",
        "received_at",
        "stalled_at",
        "transport",
    )

    def __init__(
        self, transport: asyncio.Transport, connections: set[Any], most_bytes: int
    ) -> None:
        super().__init__()
        self.transport = transport
        self.write = transport.write
        self.handler: MessageHandler | None = None
        self.stalled_at: float | None = None
        self.received_at = asyncio.get_running_loop().time()
        self._connections = connections
        self._most_bytes = most_bytes
        self._closing = False
        self._failed = False
        self._more = False
        """Whether processing of received bytes is scheduled for the next turn of the event loop."""
        self._busy = False
        """Whether the handler has paused the delivery of messages."""
        self._reader: StreamReader | None = None
        self._parser: Any = None
        self._fragments: list[bytes] | None = None
        transport.set_write_buffer_limits(high=HIGH_WATER)
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Process received bytes; close with the code of RFC 6455 when they violate the protocol."""
        if self._failed:
            return
        self.received_at = asyncio.get_running_loop().time()
        if self._reader is None:
            self._reader = StreamReader()
        self._reader.feed_data(data)
        if self._more or self._busy:
            self.transport.pause_reading()
        else:
            self._process_received()

    def _process_received(self) -> None:
        """Handle up to `_TURN` received frames; schedule the rest, so that other connections run in between."""
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
                self._process_later()
                return
            self._resume_reading()
        except PayloadTooBig:
            self._fail(1009, f"A message has at most {self._most_bytes} bytes")
        except UnicodeDecodeError:
            self._fail(1007, "Text is UTF-8")
        except ProtocolError as error:
            self._fail(1002, str(error)[:100])

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
        elif (frame.opcode is Opcode.CONT) != (self._fragments is not None):
            raise ProtocolError("a message in pieces is out of order")
        else:
            self._text(data, whole=frame.fin)

    def _text(self, fragment: bytes, *, whole: bool) -> None:
        fragments, self._fragments = [*(self._fragments or ()), fragment], None
        size = sum(map(len, fragments))
        if size > self._most_bytes or len(fragments) > _FRAGMENTS:
            raise PayloadTooBig(size, self._most_bytes)
        if not whole:
            self._fragments = fragments
        elif self.handler is not None:
            self.handler.on_message(b"".join(fragments).decode())

    def pause_messages(self) -> None:
        """Stop delivering messages until `resume_messages`, because the handler's queue is full."""
        self._busy = True
        self.transport.pause_reading()

    def resume_messages(self) -> None:
        """Continue delivering messages after `pause_messages`."""
        if self._busy:
            self._busy = False
            self._process_later()

    def _process_later(self) -> None:
        if not self._more and not self.transport.is_closing():
            self._more = True
            self.transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._process_received)

    def _resume_reading(self) -> None:
        if not (self._more or self._busy or self._closing) and self.stalled_at is None:
            self.transport.resume_reading()

    def ping(self) -> None:
        """Send a ping; any received byte updates `received_at`."""
        if self.flowing:
            self.write(server_frame(Opcode.PING, b""))

    def close(self, code: int, reason: str) -> None:
        """Send a close frame; abort the connection when the client does not answer it in time."""
        if self._closing:
            return
        self._end(code)
        if not self.transport.is_closing():
            self.transport.write(server_frame(Opcode.CLOSE, Close(code, reason).serialize()))
            # Not closed immediately: with unread bytes the kernel would reset the connection and drop the close frame.
            asyncio.get_running_loop().call_later(CLOSE_S, self.transport.abort)

    def give_up(self) -> None:
        """Abort the connection of a client that has stopped reading."""
        self._end(1006)
        self.transport.abort()

    def shutdown(self) -> None:
        """Close because the server stops; code 1012 asks the client to reconnect."""
        self.close(1012, "The server restarts; reconnect")

    def pause_writing(self) -> None:
        """Buffer output and stop reading requests, because the client does not keep up."""
        super().pause_writing()
        if self.stalled_at is None:
            self.stalled_at = asyncio.get_running_loop().time()
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Send buffered output and read requests again, because the client reads again."""
        super().resume_writing()
        if self.flowing:
            self.stalled_at = None
            self._resume_reading()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Clean up after the connection was closed."""
        self._connections.discard(self)
        self._end(1006)

    def _fail(self, code: int, reason: str) -> None:
        """Close and ignore all further bytes: after a protocol error frame boundaries are unknown."""
        self.close(code, reason)
        self._failed = True

    def _end(self, code: int) -> None:
        self._closing = True
        self.flowing = True  # tasks that wait for the client continue, and end
        self.write = _discard
        self._held = None
        self._wake()
        handler, self.handler = self.handler, None
        if handler is not None:
            handler.on_close(code)


def server_frame(opcode: Opcode, payload: bytes) -> bytes:
    """Encode an unfragmented, unmasked frame."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 65_536:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big") + payload


def text_frame(payload: bytes) -> bytes:
    """Encode a text frame; graphql-ws in browsers accepts no binary frames."""
    return server_frame(Opcode.TEXT, payload)


def _discard(_data: bytes) -> None:
    """Discard output written after the end of the connection."""
