"""HTTP client for user-supplied URLs: connects only to public addresses, and to the address it has checked (SSRF).

A host name is resolved once per request. All its addresses must be public (`webhooks.rules.is_outside`), and
the connection uses one of them by number, with the name in the certificate check and in `Host`: a later
change of the DNS record has no effect. No redirects, no proxies, no kept connections: two names on one
address must not share one.
"""

import asyncio
import functools
import socket
import ssl
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
"""Time limit of a request, from name resolution to the end of the part of the answer that is read."""
READ = 2_048
"""Largest number of bytes read from an answer, and of bytes they decompress to."""
BODY_S = 1.0
"""Time limit of an answer's body after its status."""
MOST_RETRY_AFTER_S = 36_000.0
"""Longest Retry-After that is respected: as long as the longest pause between two attempts."""


class NotPublic(httpx2.ConnectError):
    """Raised when a host name resolves to an address that is not on the public internet."""


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Return the certificates of all authorities; reading them takes 70 ms, so a process does it once."""
    return httpx2.create_ssl_context(trust_env=False)


class PinnedTransport(httpx2.AsyncHTTPTransport):
    """Transport that connects by number to an address that was checked to be public."""

    def __init__(self, *, loopback: bool, verify: ssl.SSLContext | str | None = None) -> None:
        super().__init__(
            verify=verify or tls_context(),
            trust_env=False,
            limits=httpx2.Limits(max_keepalive_connections=0),
        )
        self._loopback = loopback

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Resolve the host, check its addresses and send the request to one of them; raises `NotPublic`."""
        name = request.url.host
        address = await self._address(name, request.url.port)
        # `Host` was set from the name when the request was made; httpcore takes the certificate's name from
        # here.
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
    """The answer of a server, as far as it was read."""

    status: int
    excerpt: str
    retry_after_s: float | None


class WebhookClient:
    """Posts bodies to public addresses and reads the beginning of their answers."""

    def __init__(self, *, loopback: bool) -> None:
        self._client = httpx2.AsyncClient(
            transport=PinnedTransport(loopback=loopback),
            trust_env=False,
            follow_redirects=False,
            timeout=LIMIT_S,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def ask(self, url: str, body: bytes, headers: dict[str, str]) -> HttpAnswer:
        """Post a body and return the answer, whose body may be incomplete; raises network errors before its status."""
        asked = {"accept-encoding": "identity"} | headers
        async with asyncio.timeout(LIMIT_S) as limit:
            async with self._client.stream("POST", url, content=body, headers=asked) as answer:
                limit.reschedule(None)
                excerpt = await beginning(answer)
        return HttpAnswer(
            answer.status_code, excerpt, retry_after_s(answer.headers, datetime.now(UTC))
        )

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> DeliveryOutcome:
        """Post a webhook and read the beginning of the answer. Network errors are part of the outcome, never raised."""
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
    """Read and decompress a whole body; raises `ValueError` when either size exceeds `most` bytes."""
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
    """Read the beginning of an answer's body, bounded in bytes, in time, and in decompressed bytes.

    A body that stays open, breaks off or is not text does not affect the status.
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
    """Decompress at most `most` bytes of a body that is compressed although this was not requested."""
    if coding.strip().lower() not in {"gzip", "x-gzip", "deflate"}:
        return raw
    try:
        return zlib.decompressobj(wbits=47).decompress(raw, most)
    except zlib.error:
        return b""


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds after which a server accepts a retry (number or date); None when it does not say."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:12]), MOST_RETRY_AFTER_S))
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(max(0.0, (at - now).total_seconds()), MOST_RETRY_AFTER_S)
