"""Requests to addresses that strangers chose: only to the public internet, and to the very address that was looked at.

A name is resolved once a request. All its addresses must be outside (`webhooks.rules.is_outside`), and the connection
goes to one of them by number, with the name in the certificate's check and in `Host`: what the name says a moment later
does not matter. No redirects, no proxies, no connection kept: two names on one address must not share one.
"""

import asyncio
import socket
from time import monotonic

import httpx2

from domain.webhooks.delivering import Outcome
from domain.webhooks.rules import is_loopback, is_outside

LIMIT_S = 10.0
"""How long a request may take, from the name to the end of the answer that is read."""
READ = 2_048
"""Bytes of an answer that are read."""


class NotOutside(httpx2.ConnectError):
    """The name leads to an address that is not on the public internet."""


class Pinned(httpx2.AsyncHTTPTransport):
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
                raise NotOutside(f"{name} leads to {address}, which is not on the public internet")
        return addresses[0].partition("%")[0]


class Outside:
    """Posts bodies to addresses outside."""

    def __init__(self, *, loopback: bool) -> None:
        self._client = httpx2.AsyncClient(
            transport=Pinned(loopback=loopback), trust_env=False, follow_redirects=False,
            timeout=LIMIT_S,
        )  # fmt: skip

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Outcome:
        """Send, and read the beginning of the answer. Never raises what the network does: it is in the outcome."""
        began = monotonic()
        status: int | None = None
        excerpt = b""
        error: str | None = None
        try:
            async with (
                asyncio.timeout(LIMIT_S),
                self._client.stream("POST", url, content=body, headers=headers) as answer,
            ):
                status = answer.status_code
                async for part in answer.aiter_raw():
                    excerpt += part[: READ - len(excerpt)]
                    if len(excerpt) >= READ:
                        break
        except TimeoutError:
            status, error = None, f"no whole answer within {LIMIT_S:.0f} s"
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as failed:
            status, error = None, f"{type(failed).__name__}: {failed}"
        told = excerpt.decode(errors="replace") if status is not None else None
        return Outcome(round((monotonic() - began) * 1000), status, told, error)
