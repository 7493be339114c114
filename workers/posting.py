"""Messages over HTTP: one request each, to addresses outside only, with an honest answer about what was not heard."""

import httpx2

from workers.outside import LIMIT_S, Pinned
from workers.senders import Gone, HandingOver, Undeliverable, Unheard


class Posting:
    """Posts messages; connections are kept for nobody."""

    def __init__(self, *, loopback: bool) -> None:
        self._client = httpx2.AsyncClient(
            transport=Pinned(loopback=loopback), trust_env=False, follow_redirects=False,
            timeout=LIMIT_S,
        )  # fmt: skip

    async def post(
        self, url: str, content: bytes, headers: dict[str, str], handing_over: HandingOver
    ) -> None:
        """Return on 2xx. 404 and 410 raise `Gone`, other 4xx `Undeliverable` except those that pass (408, 425, 429)."""
        await handing_over()
        try:
            answer = await self._client.post(url, content=content, headers=headers)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.InvalidURL):
            raise  # nothing left the house
        except httpx2.HTTPError as error:
            raise Unheard(f"{type(error).__name__}: {error}") from error
        status = answer.status_code
        if 200 <= status < 300:
            return
        said = f"{status} {answer.text[:200]}".strip()
        if status in {404, 410}:
            raise Gone(said)
        if 300 <= status < 500 and status not in {408, 425, 429}:
            raise Undeliverable(said)
        raise ConnectionError(said)
