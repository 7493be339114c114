"""HTTP on uvicorn with bounds on what comes before a request is anybody's: how long its head may take, and be.

uvicorn waits for the rest of a head for ever and keeps whatever is in it; an application hears of neither.
"""

from asyncio import Transport
from asyncio.events import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.support.client_address import PEER

HEAD_S = 10.0  # from the beginning of a connection or a request to the end of its head
BODY_S = 30.0  # from there to the end of its body; who reads one is less patient than that
UPLOAD_S = 300.0  # the same for a file of 25 MB from a phone
HEAD_BYTES = 64 * 1024  # address and headers

_WORDS = {408: b"The request did not come.", 431: b"A request's head has at most 64 KiB."}


class TooLong(Exception):
    """A head that is longer than one may be."""


class Http(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which lets go of who sends half a head, or far too much of one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: TimerHandle | None = None
        self._heads = 0
        self._in_head = False
        self._bytes = 0
        self._too_long = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Start the timeout of a new connection for its request header."""
        super().connection_made(transport)
        self._within(HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a closed connection."""
        self._within(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes, and start or end the timeout for a request header."""
        was, heads = self._in_head, self._heads
        super().data_received(data)
        if was and self._in_head and heads == self._heads:  # nothing in it but a piece of one head
            self._bytes += len(data)
            if self._bytes > HEAD_BYTES:
                self._refuse(431)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope[PEER] = self.client  # type: ignore[literal-required]
        self._heads += 1
        self._in_head, self._bytes = True, 0
        self._within(HEAD_S)

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._in_head = False
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            self._too_long = True
            raise TooLong
        self._within(UPLOAD_S if self.url.startswith(b"/uploads/") else BODY_S)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of it is there."""
        self._within(None)
        super().on_message_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """Answer; to HTTP/1.0, which knows no chunks, an answer without a length ends with the connection."""
        if self.scope["http_version"] == "1.0":
            app = _unchunked(cycle, app)
        super()._start_asgi_task(cycle, app)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over to the WebSocket protocol, without a timeout."""
        self._within(None)
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Refuse an invalid request; 431 for a header that is too long."""
        self._within(None)
        if self._too_long:
            self._refuse(431)
        else:
            super().send_400_response(msg)

    def _within(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._late)

    def _late(self) -> None:
        cycle: Any = self.cycle  # none yet, with the first request
        busy = cycle is not None and not cycle.response_complete
        if self._in_head and busy:  # it is not listened to while the request before is answered
            self._within(HEAD_S)
        elif self._in_head:
            self._refuse(408)
        else:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        self._within(None)
        if self.transport.is_closing():
            return
        words = _WORDS[status]
        head = b"content-type: text/plain\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head % len(words) + words)
        self.transport.close()


def _unchunked(cycle: Any, app: Any) -> Any:
    """The application; its responses without a length are sent as they are."""

    async def asked(scope: Any, receive: Any, send: Any) -> None:
        measured = True

        async def say(message: Any) -> None:
            nonlocal measured
            if message["type"] == "http.response.start":
                measured = any(
                    name.lower() == b"content-length" for name, _ in message.get("headers", ())
                )
                if not measured:
                    cycle.chunked_encoding = False
            elif not measured:
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, say)

    return asked
