"""Messages over HTTP: one request each, to addresses outside only, with an honest answer about what was not heard."""

from time import monotonic

import httpx2

from workers.outbound.http_client import WebhookClient
from workers.outbound.senders import Gone, HandingOver, TryLater, Unconfirmed, Undeliverable

MOST_BUSY = 10_000  # addresses that are remembered as asking for a pause


class PostClient:
    """Posts messages; connections are kept for nobody."""

    def __init__(self, *, loopback: bool) -> None:
        self._outside = WebhookClient(loopback=loopback)
        self._busy: dict[str, float] = {}
        """When an address that asked for a pause may be asked again, on the monotonic clock."""

    async def post(
        self, url: str, content: bytes, headers: dict[str, str], handing_over: HandingOver
    ) -> None:
        """Return on 2xx, whatever becomes of the answer's body.

        404 and 410 raise `Gone`, other 4xx `Undeliverable` except those that pass (408, 425, 429). A `Retry-After`
        raises `Busy`, also for the next messages to this address until then.
        """
        wait_s = self._busy.get(url, 0.0) - monotonic()
        if wait_s > 0:
            raise TryLater("it asked for a pause", wait_s)
        self._busy.pop(url, None)
        await handing_over()
        try:
            answer = await self._outside.ask(url, content, headers)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.InvalidURL):
            raise  # nothing left the house
        except (httpx2.HTTPError, TimeoutError) as error:
            raise Unconfirmed(f"{type(error).__name__}: {error}") from error
        status = answer.status
        if 200 <= status < 300:
            return
        text = f"{status} {answer.excerpt[:200]}".strip()
        if status in {404, 410}:
            raise Gone(text)
        if 300 <= status < 500 and status not in {408, 425, 429}:
            raise Undeliverable(text)
        if answer.retry_after_s:
            if len(self._busy) < MOST_BUSY:
                self._busy[url] = monotonic() + answer.retry_after_s
            raise TryLater(text, answer.retry_after_s)
        raise ConnectionError(text)
