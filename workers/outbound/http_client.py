"""Requests to addresses that strangers chose: only to the public internet, and to the very address that was looked at.

A name is resolved once a request. All its addresses must be outside (`webhooks.rules.is_outside`), and the connection
goes to one of them by number, with the name in the certificate's check and in `Host`: what the name says a moment later
does not matter. No redirects, no proxies, no connection kept: two names on one address must not share one.
"""

import asyncio
import socket
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic

import httpx2

from domain.core.text_rules import cleaned
from domain.webhooks import DeliveryOutcome, is_loopback, is_outside

LIMIT_S = 10.0
"""How long a request may take, from the name to the end of the answer that is read."""
READ = 2_048
"""Bytes of an answer that are read, and as many at most of what they unpack to."""
BODY_S = 1.0
"""How long the body of an answer may take once its status is there."""
MOST_RETRY_AFTER_S = 36_000.0
"""The longest wish of a server that is heeded: as long as the longest pause between two attempts."""


class NotPublic(httpx2.ConnectError):
    """The name leads to an address that is not on the public internet."""


class PinnedTransport(httpx2.AsyncHTTPTransport):
    """Connects by number to an address that was found to be outside."""

    def __init__(self, *, loopback: bool, verify: bool | str = True) -> None:
        super().__init__(
            verify=verify, trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0)
        )
        self._loopback = loopback

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Resolve, look, and send there; raises `NotOutside`."""
        name = request.url.host
        address = await self._address(name, request.url.port)
        # `Host` was set from the name when the request was made; httpcore takes the certificate's name from here.
        request.extensions = {**request.extensions, "sni_hostname": name}
        request.url = request.url.copy_with(host=address)
        return await super().handle_async_request(request)

    async def _address(self, name: str, port: int | None) -> str:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                name, port, type=socket.SOCK_STREAM
            )
        except (OSError, UnicodeError) as error:
            raise httpx2.ConnectError(f"{name} is not found: {error}") from error
        addresses = [str(each[4][0]) for each in found]
        for address in addresses:
            if not (is_outside(address) or (self._loopback and is_loopback(address))):
                raise NotPublic(f"{name} leads to {address}, which is not on the public internet")
        return addresses[0].partition("%")[0]


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a server said, as far as it was read."""

    status: int
    excerpt: str
    retry_after_s: float | None


class WebhookClient:
    """Posts bodies to addresses outside, and reads the beginning of what they answer."""

    def __init__(self, *, loopback: bool) -> None:
        self._client = httpx2.AsyncClient(
            transport=PinnedTransport(loopback=loopback),
            trust_env=False,
            follow_redirects=False,
            timeout=LIMIT_S,
        )

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()

    async def ask(self, url: str, body: bytes, headers: dict[str, str]) -> HttpAnswer:
        """Post; the status is the answer, whatever becomes of its body. Raises what the network does before that."""
        asked = {"accept-encoding": "identity"} | headers
        async with asyncio.timeout(LIMIT_S) as limit:
            async with self._client.stream("POST", url, content=body, headers=asked) as answer:
                limit.reschedule(None)
                excerpt = await beginning(answer)
        return HttpAnswer(
            answer.status_code, excerpt, retry_after_s(answer.headers, datetime.now(UTC))
        )

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> DeliveryOutcome:
        """Send, and read the beginning of the answer. Never raises what the network does: it is in the outcome."""
        began = monotonic()
        answer: HttpAnswer | None = None
        error: str | None = None
        try:
            answer = await self.ask(url, body, headers)
        except TimeoutError:
            error = f"no answer within {LIMIT_S:.0f} s"
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as failed:
            error = f"{type(failed).__name__}: {failed}"
        took_ms = round((monotonic() - began) * 1000)
        if answer is None:
            return DeliveryOutcome(took_ms, error=error)
        return DeliveryOutcome(
            took_ms, answer.status, answer.excerpt, retry_after_s=answer.retry_after_s
        )


async def whole(answer: httpx2.Response, most: int) -> bytes:
    """An answer's body, unpacked; raises `ValueError` when it, or what it unpacks to, is larger than `most` bytes."""
    raw = b""
    async for part in answer.aiter_raw():
        raw += part[: most + 1 - len(raw)]
        if len(raw) > most:
            raise ValueError(f"the answer has more than {most} bytes")
    body = _unpacked(raw, answer.headers.get("content-encoding", ""), most + 1)
    if len(body) > most:
        raise ValueError(f"the answer unpacks to more than {most} bytes")
    return body


async def beginning(answer: httpx2.Response, most: int = READ) -> str:
    """The beginning of an answer's body, bounded in bytes, in time, and again when it is unpacked.

    A body that is kept open, breaks off or is no text changes nothing about the status.
    """
    raw = b""
    with suppress(TimeoutError, httpx2.HTTPError, OSError):
        async with asyncio.timeout(BODY_S):
            async for part in answer.aiter_raw():
                raw += part[: most - len(raw)]
                if len(raw) >= most:
                    break
    return cleaned(
        _unpacked(raw, answer.headers.get("content-encoding", ""), most).decode(errors="replace"),
        most,
    )


def _unpacked(raw: bytes, coding: str, most: int) -> bytes:
    """At most so many bytes of what was packed, although it was asked not to be."""
    if coding.strip().lower() not in {"gzip", "x-gzip", "deflate"}:
        return raw
    try:
        return zlib.decompressobj(wbits=47).decompress(raw, most)
    except zlib.error:
        return b""


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """After how many seconds a server wants to be asked again, in seconds or as a date; None when it does not say."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:12]), MOST_RETRY_AFTER_S))
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(max(0.0, (at - now).total_seconds()), MOST_RETRY_AFTER_S)
