"""HTTP client for sources of reviews: public addresses only, whole answers with a limit, and typed failures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2
import msgspec

from domain.core.text_rules import cleaned
from domain.webhooks import check_url
from workers.outbound.http_client import LIMIT_S, PinnedTransport, retry_after_s, whole
from workers.outbound.senders import TryLater

MOST_BYTES = 16 * 1024 * 1024
_WAIT = frozenset({429, 503})
_OK = range(200, 300)


class SourceFailed(Exception):
    """Raised when a source of reviews answers with an error, or with something else than reviews."""


class NotSignedIn(SourceFailed):
    """Raised when a source refuses the credentials."""


class ReplyRefused(SourceFailed):
    """Raised when a platform will never take this reply."""


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """A successful answer of a source."""

    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object; an empty one is an empty object."""
        if not self.body.strip():
            return {}
        try:
            found = msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise SourceFailed(f"the answer is not JSON: {error}") from error
        if not isinstance(found, dict):
            raise SourceFailed("the answer is not a JSON object")
        return found


class ReviewHttp:
    """Asks sources of reviews."""

    def __init__(self, *, loopback: bool) -> None:
        self._loopback = loopback
        self._client = httpx2.AsyncClient(
            transport=PinnedTransport(loopback=loopback),
            trust_env=False,
            follow_redirects=False,
            timeout=LIMIT_S,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def ask(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
    ) -> SourceAnswer:
        """Send a request and read the whole answer.

        Raises `TryLater` for 429 and 503 with the wait that the source asks for, `NotSignedIn` for 401, `ReplyRefused`
        for other refusals of a change, else `SourceFailed`.
        """
        check_url(url, loopback=self._loopback)
        given = {name: str(value) for name, value in (params or {}).items() if value is not None}
        request = self._client.build_request(
            method,
            url,
            params=given or None,
            headers={"accept-encoding": "identity", "user-agent": "Waarborg", **(headers or {})},
            json=json,
            data=dict(form) if form else None,
        )
        try:
            answer = await self._client.send(request, stream=True)
            try:
                body = await whole(answer, MOST_BYTES)
            finally:
                await answer.aclose()
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            raise SourceFailed(f"{type(error).__name__}: {error}") from error
        if answer.status_code in _OK:
            return SourceAnswer(body)
        said = cleaned(body[:2_000].decode(errors="replace"))
        words = f"the source answered {answer.status_code}: {said}"
        if answer.status_code in _WAIT:
            wait_s = retry_after_s(answer.headers, datetime.now(UTC))
            raise TryLater(words, 60.0 if wait_s is None else wait_s)
        if answer.status_code == 401:
            raise NotSignedIn(words)
        if method != "GET" and answer.status_code in range(400, 500):
            raise ReplyRefused(words)
        raise SourceFailed(words)
