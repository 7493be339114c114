"""Messages over HTTP: one request each, only to public addresses, with errors that say whether it was accepted."""

from time import monotonic

import httpx2

from workers.outbound.http_client import WebhookClient
from workers.outbound.senders import Gone, HandingOver, TryLater, Unconfirmed, Undeliverable

MOST_BUSY = 10_000  # addresses whose requested pause is remembered


class PostClient:
    """Posts messages and keeps no connections open."""

    def __init__(self, *, loopback: bool) -> None:
        self._outside = WebhookClient(loopback=loopback)
        self._busy: dict[str, float] = {}
        """Monotonic time until which an address has asked for a pause."""

    async def post(
        self, url: str, content: bytes, headers: dict[str, str], handing_over: HandingOver
    ) -> None:
        """Post a message; return on 2xx, whatever happens to the answer's body.

        404 and 410 raise `Gone`, other 4xx `Undeliverable` except transient ones (408, 425, 429). A `Retry-After`
        raises `TryLater`, also for later messages to this address until that time.
        """
        wait_s = self._busy.get(url, 0.0) - monotonic()
        if wait_s > 0:
            raise TryLater("it asked for a pause", wait_s)
        self._busy.pop(url, None)
        await handing_over()
        try:
            answer = await self._outside.ask(url, content, headers)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.InvalidURL):
            raise  # nothing was sent
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
