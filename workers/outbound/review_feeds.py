"""Feeds of reviews: addresses that answer with JSON, and RSS or Atom. They take no replies."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from lxml import etree

from domain.core.base import JSON
from domain.reputation import RatingScale, at_path, feed_review
from workers.outbound.review_http import ReplyRefused, SourceFailed
from workers.outbound.review_pages import MOST_PAGES, ReviewPage, SignedPlatform, page_of

NO_REPLIES = "this source takes no replies"


class JsonFeed(SignedPlatform):
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
            yield page_of(entries, lambda entry: feed_review(entry, names, scale, at_path))
            url = at_path(answer, str(names.get("next", "next")))
            if not url:
                return
        raise SourceFailed(f"more than {MOST_PAGES} pages")

    async def shown_reply(self, external_id: str, since: datetime) -> str | None:  # noqa: ARG002
        """Raise, because a feed takes no replies."""
        raise ReplyRefused(NO_REPLIES)

    async def reply(self, external_id: str, words: str | None) -> None:  # noqa: ARG002
        """Raise, because a feed takes no replies."""
        raise ReplyRefused(NO_REPLIES)


class Rss(SignedPlatform):
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
        yield page_of(entries, lambda entry: feed_review(entry, names, scale, dict.get))

    async def shown_reply(self, external_id: str, since: datetime) -> str | None:  # noqa: ARG002
        """Raise, because a feed takes no replies."""
        raise ReplyRefused(NO_REPLIES)

    async def reply(self, external_id: str, words: str | None) -> None:  # noqa: ARG002
        """Raise, because a feed takes no replies."""
        raise ReplyRefused(NO_REPLIES)


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
