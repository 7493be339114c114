"""Platforms of reviews: read the pages of a location, and put a reply below a review or take it away."""

from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from lxml import etree

from domain.core.base import JSON
from domain.reputation import (
    RatingScale,
    ReadReview,
    ReviewSource,
    ReviewSourceKind,
    at_path,
    feed_review,
    google_review,
    kiyoh_review,
    trustpilot_review,
)
from workers.outbound.review_http import NotSignedIn, ReviewHttp, SourceFailed

MOST_PAGES = 2_000
_IDS = ("reviewId", "id")


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """One page of a source: its reviews, the entries that could not be understood, and the platform's own figures."""

    reviews: list[ReadReview] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    shown_ids: list[str] = field(default_factory=list)
    """Ids of unreadable entries: they are at the source all the same."""
    shown_rating: float | None = None
    shown_count: int | None = None


class ReviewPlatform(Protocol):
    """A platform or feed with reviews of one location."""

    is_complete: bool
    """Whether a read without `since` contains every review, so that a missing one may be gone."""

    def pages(self, since: datetime | None) -> AsyncIterator[ReviewPage]:
        """Read the reviews that changed since then, or all of them, page by page."""
        ...

    async def reply(self, external_id: str, words: str | None) -> None:
        """Put a reply below a review in place of an earlier one; None takes it away."""
        ...


@dataclass(slots=True)
class _Signed:
    """What the platforms share: the source, its credentials, and an access token that is renewed once when refused."""

    http: ReviewHttp
    source: ReviewSource
    credentials: dict[str, str]
    token: str | None = None
    renewed: dict[str, str] | None = None
    """Credentials to store, because the platform replaced the refresh token."""

    async def ask(self, method: str, url: str, renew: Callable[[], Any], **more: Any) -> JSON:
        """Send a request with the access token; on 401 get a new one and try once more."""
        for is_last in (False, True):
            if self.token is None:
                self.token = await renew()
            headers = {"authorization": f"Bearer {self.token}"}
            try:
                return (await self.http.ask(method, url, headers=headers, **more)).json()
            except NotSignedIn:
                self.token = None
                if is_last:
                    raise
        raise AssertionError("unreachable")

    def base(self, default: str) -> str:
        """Return the address of the platform without a trailing slash."""
        return (self.source.url or default).rstrip("/")

    def keep(self, answer: JSON) -> str:
        """Take the access token of an answer, and note a new refresh token."""
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise NotSignedIn("the platform gave no access token")
        refresh = answer.get("refresh_token")
        if isinstance(refresh, str) and refresh != self.credentials.get("refresh_token"):
            self.credentials["refresh_token"] = refresh
            self.renewed = dict(self.credentials)
        return token


class Google(_Signed):
    """Google Business Profile: pages by token, the latest change first; the access token lasts an hour."""

    is_complete = True

    async def _renew(self) -> str:
        form = {"grant_type": "refresh_token"} | self.credentials
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
            page = _page(_listed(answer, "reviews"), google_review)
            count = answer.get("totalReviewCount")
            yield _shown(page, answer.get("averageRating"), count)
            token = answer.get("nextPageToken")
            if not token or _is_past(page.reviews, since):
                return
        raise SourceFailed(f"more than {MOST_PAGES} pages")

    async def reply(self, external_id: str, words: str | None) -> None:
        """Put a reply, or delete it."""
        url = self._url(f"/{external_id}/reply")
        if words is None:
            await self.ask("DELETE", url, self._renew)
        else:
            await self.ask("PUT", url, self._renew, json={"comment": words})


class Kiyoh(_Signed):
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
            entries = _listed(answer, "reviews")
            if len(entries) < limit:
                break
            limit *= 10
        page = _page(entries, kiyoh_review)
        yield _shown(page, answer.get("averageRating"), answer.get("numberReviews"))

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


class Trustpilot(_Signed):
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
            entries = _listed(answer, "reviews")
            page = _page(entries, trustpilot_review)
            yield _shown(page, answer.get("trustScore"), answer.get("total"))
            if len(entries) < self._per_page or _is_past(page.reviews, since):
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

    async def reply(self, external_id: str, words: str | None) -> None:
        """Put a reply, or delete it."""
        base = self.base("https://api.trustpilot.com")
        url = f"{base}/v1/private/reviews/{external_id}/reply"
        if words is None:
            await self.ask("DELETE", url, self._renew)
        else:
            await self.ask("POST", url, self._renew, json={"message": words})


class JsonFeed(_Signed):
    """An address that answers with JSON; the settings name the list, the next page and the fields."""

    is_complete = True

    async def pages(self, since: datetime | None) -> AsyncIterator[ReviewPage]:  # noqa: ARG002
        """Read every page; `since` is left out, because feeds have no common word for it."""
        names = self.source.settings
        scale = RatingScale(self.source.scale_low, self.source.scale_high)
        url: object = self.source.url
        for _ in range(MOST_PAGES):
            headers = _authorization(self.credentials)
            answer = (await self.http.ask("GET", str(url), headers=headers)).json()
            entries = at_path(answer, str(names.get("items", "reviews")))
            if not isinstance(entries, list):
                raise SourceFailed(f"there is no list at {names.get('items', 'reviews')!r}")
            yield _page(entries, lambda entry: feed_review(entry, names, scale, at_path))
            url = at_path(answer, str(names.get("next", "next")))
            if not url:
                return
        raise SourceFailed(f"more than {MOST_PAGES} pages")

    async def reply(self, external_id: str, words: str | None) -> None:  # noqa: ARG002
        """Raise, because a feed takes no replies."""
        raise SourceFailed("a feed takes no replies")


class Rss(_Signed):
    """An RSS or Atom feed, which shows the latest entries only: what is not in it is not gone."""

    is_complete = False
    _names: JSON = {
        "external_id": "guid", "words": "description", "written_at": "pubDate", "url": "link",
    }  # fmt: skip

    async def pages(self, since: datetime | None) -> AsyncIterator[ReviewPage]:  # noqa: ARG002
        """Read the one page that there is."""
        headers = _authorization(self.credentials)
        answer = await self.http.ask("GET", str(self.source.url), headers=headers)
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            root = etree.fromstring(answer.body, parser)
        except etree.XMLSyntaxError as error:
            raise SourceFailed(f"the answer is not XML: {error}") from error
        names = self._names | self.source.settings
        scale = RatingScale(self.source.scale_low, self.source.scale_high)
        entries = [_flat(each) for each in root.iter("{*}item", "{*}entry")]
        yield _page(entries, lambda entry: feed_review(entry, names, scale, dict.get))

    async def reply(self, external_id: str, words: str | None) -> None:  # noqa: ARG002
        """Raise, because a feed takes no replies."""
        raise SourceFailed("a feed takes no replies")


PLATFORMS: dict[ReviewSourceKind, type[Google | Kiyoh | Trustpilot | JsonFeed | Rss]] = {
    ReviewSourceKind.GOOGLE: Google,
    ReviewSourceKind.KIYOH: Kiyoh,
    ReviewSourceKind.TRUSTPILOT: Trustpilot,
    ReviewSourceKind.JSON_FEED: JsonFeed,
    ReviewSourceKind.RSS: Rss,
}


def _listed(answer: JSON, name: str) -> list[Any]:
    entries = answer.get(name, [])
    if not isinstance(entries, list):
        raise SourceFailed(f"{name} is not a list")
    return entries


def _page(entries: Sequence[Any], read: Callable[[JSON], ReadReview]) -> ReviewPage:
    """Read the entries of a page; one that cannot be understood is left out alone."""
    page = ReviewPage()
    for entry in entries:
        try:
            review = read(entry)
            _ = review.share  # raises for a rating outside its scale
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            page.unreadable.append(str(error))
            if isinstance(entry, dict):
                page.shown_ids.extend(str(entry[name]) for name in _IDS if entry.get(name))
        else:
            page.reviews.append(review)
    return page


def _shown(page: ReviewPage, rating: object, count: object) -> ReviewPage:
    is_figure = isinstance(rating, int | float)
    return ReviewPage(
        page.reviews,
        page.unreadable,
        page.shown_ids,
        float(rating) if is_figure else None,  # type: ignore[arg-type]
        count if isinstance(count, int) else None,
    )


def _is_past(reviews: Sequence[ReadReview], since: datetime | None) -> bool:
    """Return whether a page that goes back in time has reached what was read before."""
    changes = [each.changed_at for each in reviews if each.changed_at is not None]
    return since is not None and bool(changes) and min(changes) < since


def _authorization(credentials: dict[str, str]) -> dict[str, str]:
    value = credentials.get("authorization")
    return {"authorization": value} if value else {}


def _flat(item: Any) -> JSON:
    """Return the texts of an entry by the names of its elements, without their namespaces."""
    found: JSON = {}
    for each in item.iterchildren("{*}*"):
        name = etree.QName(each).localname
        text = "".join(each.itertext()).strip() or each.get("href") or each.get("value")
        found.setdefault(name, text)
    found.setdefault("guid", found.get("id") or found.get("link"))
    found.setdefault("description", found.get("content") or found.get("summary"))
    found.setdefault("pubDate", found.get("published") or found.get("updated"))
    return found
