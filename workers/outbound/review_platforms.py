"""Platforms of reviews: read the pages of a location, and put a reply below a review or take it away."""

from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from domain.core.base import JSON
from domain.reputation import (
    ReviewSourceKind,
    google_review,
    kiyoh_review,
    text_of,
    trustpilot_review,
)
from workers.outbound.review_feeds import JsonFeed, Rss
from workers.outbound.review_http import SourceFailed
from workers.outbound.review_pages import (
    MOST_PAGES,
    ReviewPage,
    SignedPlatform,
    is_past,
    listed,
    page_of,
    with_figures,
)


class Google(SignedPlatform):
    """Google Business Profile: pages by token, the latest change first; the access token lasts an hour."""

    is_complete = True

    async def _renew(self) -> str:
        form = {"grant_type": "refresh_token"} | self.credentials
        form.pop("webhook_secret", None)
        url = self.source.settings.get("token_url") or "https://oauth2.googleapis.com/token"
        return self.keep((await self.http.ask("POST", str(url), form=form)).json())

    def _url(self, tail: str = "") -> str:
        base = self.base("https://mybusiness.googleapis.com/v4")
        return f"{base}/{self.source.location}/reviews{tail}"

    async def pages(self, since: datetime | None) -> AsyncIterator[ReviewPage]:
        """Read the pages; a read since a time ends with the first page that is older."""
        token: str | None = None
        for _ in range(MOST_PAGES):
            asked = {"pageSize": 50, "orderBy": "updateTime desc", "pageToken": token}
            answer = await self.ask("GET", self._url(), self._renew, params=asked)
            page = page_of(listed(answer, "reviews"), google_review)
            count = answer.get("totalReviewCount")
            yield with_figures(page, answer.get("averageRating"), count)
            token = answer.get("nextPageToken")
            if not token or is_past(page.reviews, since):
                return
        raise SourceFailed(f"more than {MOST_PAGES} pages")

    async def shown_reply(self, external_id: str, since: datetime) -> str | None:  # noqa: ARG002
        """Read the reply to one review, also one that waits for Google's approval or was refused."""
        answer = await self.ask("GET", self._url(f"/{external_id}"), self._renew)
        return text_of((answer.get("reviewReply") or {}).get("comment"))

    async def reply(self, external_id: str, words: str | None) -> None:
        """Put a reply, or delete it."""
        url = self._url(f"/{external_id}/reply")
        if words is None:
            await self.ask("DELETE", url, self._renew)
        else:
            await self.ask("PUT", url, self._renew, json={"comment": words})


class Kiyoh(SignedPlatform):
    """Kiyoh and Klantenvertellen: no pages, but a limit of 10 unless another one is asked for."""

    is_complete = True

    async def _ask(self, method: str, path: str, **more: Any) -> JSON:
        headers = {"x-publication-api-token": self.credentials.get("token", "")}
        url = f"{self.base('https://www.kiyoh.com')}/v1/publication/review/{path}"
        return (await self.http.ask(method, url, headers=headers, **more)).json()

    async def pages(self, since: datetime | None) -> AsyncIterator[ReviewPage]:
        """Read the reviews, with a larger limit until fewer come than were asked for."""
        limit = 1_000
        while True:
            asked = {
                "locationId": self.source.location,
                "tenantId": self.source.settings.get("tenantId"),
                "limit": limit,
                "updatedSince": None if since is None else f"{since:%Y-%m-%dT%H:%M:%SZ}",
            }
            answer = await self._ask("GET", "external", params=asked)
            entries = listed(answer, "reviews")
            if len(entries) < limit:
                break
            limit *= 10
        page = page_of(entries, kiyoh_review)
        yield with_figures(page, answer.get("averageRating"), answer.get("numberReviews"))

    async def shown_reply(self, external_id: str, since: datetime) -> str | None:
        """Read the reply to one review among those that changed since then: one alone cannot be asked for."""
        async for page in self.pages(since):
            for each in page.reviews:
                if each.external_id == external_id:
                    return each.reply_words
        raise SourceFailed(f"the source does not list the review {external_id}")

    async def reply(self, external_id: str, words: str | None) -> None:
        """Put a public reply; an empty one takes it away."""
        body = {
            "locationId": self.source.location,
            "tenantId": self.source.settings.get("tenantId"),
            "reviewId": external_id,
            "response": words or "",
            "reviewResponseType": "PUBLIC",
        }
        await self._ask("PUT", "response", json=body)


class Trustpilot(SignedPlatform):
    """Trustpilot: pages by number with a key, replies with a token."""

    is_complete = True
    _per_page = 100

    async def pages(self, since: datetime | None) -> AsyncIterator[ReviewPage]:
        """Read the pages; a read since a time goes by change and ends with the first page that is older."""
        url = f"{self.base('https://api.trustpilot.com')}/v1/business-units/{self.source.location}/reviews"
        headers = {"apikey": self.credentials.get("api_key", "")}
        order = "createdat.desc" if since is None else "updatedat.desc"
        for number in range(1, MOST_PAGES + 1):
            asked = {"page": number, "perPage": self._per_page, "orderBy": order}
            answer = (await self.http.ask("GET", url, params=asked, headers=headers)).json()
            entries = listed(answer, "reviews")
            page = page_of(entries, trustpilot_review)
            yield with_figures(page, answer.get("trustScore"), answer.get("total"))
            if len(entries) < self._per_page or is_past(page.reviews, since):
                return
        raise SourceFailed(f"more than {MOST_PAGES} pages")

    async def _renew(self) -> str:
        pair = f"{self.credentials.get('api_key', '')}:{self.credentials.get('api_secret', '')}"
        url = f"{self.base('https://api.trustpilot.com')}/v1/oauth/oauth-business-users-for-applications/refresh"
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self.credentials.get("refresh_token", ""),
        }
        headers = {"authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        return self.keep((await self.http.ask("POST", url, form=form, headers=headers)).json())

    async def shown_reply(self, external_id: str, since: datetime) -> str | None:  # noqa: ARG002
        """Read the reply to one review."""
        url = f"{self.base('https://api.trustpilot.com')}/v1/reviews/{external_id}"
        headers = {"apikey": self.credentials.get("api_key", "")}
        answer = (await self.http.ask("GET", url, headers=headers)).json()
        return text_of((answer.get("companyReply") or {}).get("text"))

    async def reply(self, external_id: str, words: str | None) -> None:
        """Put a reply, or delete it."""
        base = self.base("https://api.trustpilot.com")
        url = f"{base}/v1/private/reviews/{external_id}/reply"
        if words is None:
            await self.ask("DELETE", url, self._renew)
        else:
            await self.ask("POST", url, self._renew, json={"message": words})


PLATFORMS: dict[ReviewSourceKind, type[Google | Kiyoh | Trustpilot | JsonFeed | Rss]] = {
    ReviewSourceKind.GOOGLE: Google,
    ReviewSourceKind.KIYOH: Kiyoh,
    ReviewSourceKind.TRUSTPILOT: Trustpilot,
    ReviewSourceKind.JSON_FEED: JsonFeed,
    ReviewSourceKind.RSS: Rss,
}
