"""Pages of reviews: what platforms and feeds have in common, and how their entries are read."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from domain.core.base import JSON
from domain.reputation import ReadReview, ReviewSource
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

    async def shown_reply(self, external_id: str, since: datetime) -> str | None:
        """Read the reply that the platform has for a review, which changed at `since` or later; None without one."""
        ...


@dataclass(slots=True)
class SignedPlatform:
    """Base of the platforms: the source, its credentials, and an access token that is renewed once when refused."""

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


def listed(answer: JSON, name: str) -> list[Any]:
    """Return the list of an answer under a name; raise `SourceFailed` when it is no list."""
    entries = answer.get(name, [])
    if not isinstance(entries, list):
        raise SourceFailed(f"{name} is not a list")
    return entries


def page_of(entries: Sequence[Any], read: Callable[[JSON], ReadReview]) -> ReviewPage:
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


def with_figures(page: ReviewPage, rating: object, count: object) -> ReviewPage:
    """Return a page with the figures that the platform states."""
    is_figure = isinstance(rating, int | float)
    return ReviewPage(
        page.reviews,
        page.unreadable,
        page.shown_ids,
        float(rating) if is_figure else None,  # type: ignore[arg-type]
        count if isinstance(count, int) else None,
    )


def is_past(reviews: Sequence[ReadReview], since: datetime | None) -> bool:
    """Return whether a page that goes back in time has reached what was read before."""
    changes = [each.changed_at for each in reviews if each.changed_at is not None]
    return since is not None and bool(changes) and min(changes) < since
