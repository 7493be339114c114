"""HTTP protocol for uvicorn with a timeout and a size limit for request headers.

uvicorn has neither, and an application does not see a request before its headers are complete.
"""

from asyncio import Transport
from asyncio.events import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.support.client_address import PEER

HEAD_S = 10.0  # from the beginning of a connection or a request to the end of its headers
BODY_S = 30.0  # from there to the end of its body; endpoints that read a body have shorter timeouts
HEAD_BYTES = 64 * 1024  # URL and headers

_MESSAGES = {
    408: b"The request was not received in time.",
    431: b"The headers of a request may have at most 64 KiB.",
}


class TooLong(Exception):
    """Raised when the headers of a request are too large."""


class Http(HttpToolsProtocol):
    """uvicorn's HTTP protocol with a timeout and a size limit for request headers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: TimerHandle | None = None
        self._heads = 0
        self._in_head = False
        self._bytes = 0
        self._too_long = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Start the timeout for the first request of a new connection."""
        super().connection_made(transport)
        self._within(HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timeout of a closed connection."""
        self._within(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Process received bytes; refuse headers that exceed the limit before they are complete."""
        was_in_head, heads = self._in_head, self._heads
        super().data_received(data)
        if (
            was_in_head and self._in_head and heads == self._heads
        ):  # all bytes belong to the same headers
            self._bytes += len(data)
            if self._bytes > HEAD_BYTES:
                self._refuse(431)

    def on_message_begin(self) -> None:
        """Start the timeout for the headers of a request."""
        super().on_message_begin()
        self.scope[PEER] = self.client  # type: ignore[literal-required]
        self._heads += 1
        self._in_head, self._bytes = True, 0
        self._within(HEAD_S)

    def on_headers_complete(self) -> None:
        """Check the size of complete headers and start the timeout for the body."""
        self._in_head = False
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            self._too_long = True
            raise TooLong
        self._within(BODY_S)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Cancel the timeout of a complete request."""
        self._within(None)
        super().on_message_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """Start the response; for HTTP/1.0, which has no chunked encoding, the connection's end ends the body."""
        if self.scope["http_version"] == "1.0":
            app = _unchunked(cycle, app)
        super()._start_asgi_task(cycle, app)

    def handle_websocket_upgrade(self) -> None:
        """Cancel the timeout, because the WebSocket protocol takes over."""
        self._within(None)
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Answer a malformed request with 400, or with 431 if its headers are too large."""
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
        cycle: Any = self.cycle  # None during the first request
        busy = cycle is not None and not cycle.response_complete
        if self._in_head and busy:  # reading is paused while the previous request is answered
            self._within(HEAD_S)
        elif self._in_head:
            self._refuse(408)
        else:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        self._within(None)
        if self.transport.is_closing():
            return
        message_text = _MESSAGES[status]
        head = b"content-type: text/plain\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head % len(message_text) + message_text)
        self.transport.close()


def _unchunked(cycle: Any, app: Any) -> Any:
    """Wrap an application so that responses without a length are sent without chunked encoding."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        measured = True

        async def send_unchunked(message: Any) -> None:
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

        await app(scope, receive, send_unchunked)

    return wrapped
