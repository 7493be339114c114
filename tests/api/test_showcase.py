"""The showcase describes itself in terms of schema.org, and what is withdrawn is gone within five seconds."""

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest

from domain import advocacy, testimonials
from domain.access import Actor, Tx
from domain.advocacy import ConsentDraft, StudyChannel
from domain.core.db import transaction
from tests.api.asking import Api, Office
from tests.api.structured_data import problems
from tests.api.test_testimonials import APPROVE, asked, form, listed

pytestmark = pytest.mark.anyio
WITHIN_S = 5.0


@dataclass
class Cache:
    """A browser or proxy that keeps an answer as long as the answer allows."""

    api: Api
    kept: dict[str, tuple[float, str]] = field(default_factory=dict)

    async def get(self, path: str) -> str:
        """The answer, from the cache while it is fresh."""
        until, text = self.kept.get(path, (0.0, ""))
        if time.monotonic() < until:
            return text
        answer = await self.api.http.get(path)
        [age] = re.findall(r"max-age=(\d+)", answer.headers["cache-control"])
        self.kept[path] = (time.monotonic() + int(age), answer.text)
        return answer.text


async def publish_study(api: Api, office: Office) -> None:
    """Publish a case study with text that would end an element."""
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        row = await advocacy.draft_study(
            tx, office.world.account.id, title="Rust </script>", words="Stille nachten"
        )
        await advocacy.offer_study(tx, row.id)
        consent = ConsentDraft(
            [StudyChannel.WEBSITE], tx.at.date() + timedelta(days=9),
            office.world.contacts[0].id, "By letter",
        )  # fmt: skip
        await advocacy.consent_to_study(tx, row.id, consent)
        await advocacy.publish_study(tx, row.id)


async def test_the_showcase_is_described_by_schema_org_and_withdrawn_within_five_seconds(
    api: Api, office: Office
) -> None:
    page = f"/showcase/{office.world.tenant.id}"
    link = await asked(api, office)
    await api.http.post(link, data=form(api))
    [row] = [each for each in await listed(api, office.manager) if each["state"] == "GIVEN"]
    await api.data(office.manager, APPROVE, id=row["id"])
    await publish_study(api, office)
    cache = Cache(api)
    data = json.loads(await cache.get(f"{page}.json"))["structuredData"]
    assert problems(data) == []
    assert [each["@type"] for each in (*data["review"], *data["subjectOf"])] == [
        "Review",
        "Article",
    ]
    html = await cache.get(page)
    [embedded] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert json.loads(embedded) == data

    begun = time.monotonic()
    assert (await api.http.post(link, data={"action": "withdraw"})).status_code == 200
    async with asyncio.timeout(WITHIN_S):
        for path in (page, f"{page}.json"):
            while "A. Jansen" in await cache.get(path):  # noqa: ASYNC110 - as a reader would
                await asyncio.sleep(0.05)
    print(f"gone from page and JSON after {time.monotonic() - begun:.1f} s")  # noqa: T201 - the figure is asked for
    after = json.loads(await cache.get(f"{page}.json"))
    assert (after["testimonials"], after["structuredData"]["review"]) == ([], [])
    assert problems(after["structuredData"]) == []


def shown() -> dict[str, Any]:
    """A description that is right."""
    quote = testimonials.ShownTestimonial("Snel", "A. Jansen", "Facility", "nl", date(2026, 1, 2))
    study = advocacy.ShownCaseStudy("Rust", "Stil", "nl", "Haven BV", quote.given_on)
    data = testimonials.structured_data("Wacht BV", [quote])
    return data | {"subjectOf": [advocacy.structured_study("Wacht BV", study)]}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("@context",), "https://example.org"), (("@type",), "Company"), (("stars",), "5"),
        (("review", 0, "author"), {"@type": "Review"}), (("review", 0, "datePublished"), "2 January"),
        (("review", 0, "itemReviewed"), "Wacht BV"), (("review", 0, "jobTitle"), "Facility"),
        (("review", 0, "reviewBody"), ""), (("review", 0, "reviewBody"), None),
        (("subjectOf", 0, "about"), 5), (("subjectOf",), {"@type": "Person", "name": "An"}),
    ],
)  # fmt: skip
def test_the_check_finds_what_is_wrong(path: tuple[Any, ...], value: Any) -> None:
    data = shown()
    assert problems(data) == []
    node: Any = data
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    assert problems(data) != []
