"""Reviews for the probes of the gate: one linked to the client, one to nobody, and what changes them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from domain.core.db import transaction
from domain.reputation import Review, ReviewLink, ReviewLinkState, ReviewSource, ReviewVersion
from schema.core import ids
from tests.api.asking import Api, Office
from tests.reviewing import read, source, stored, take


async def _reviewed(api: Api, office: Office) -> dict[str, Review]:
    """Add a source with two reviews."""
    found = await source(api.make, office.world.tenant.id)
    at = api.state.now() - timedelta(days=1)
    reviews = [read(f"probe-{n}", rating=2.0, written_at=at, changed_at=at) for n in range(2)]
    await take(api.make, found, *reviews, at=at)
    return await stored(api.make, found)


async def furnish(api: Api, office: Office) -> None:
    """Add two reviews, one of which is linked to the client."""
    await _suggested(api, office)
    linked = (await _reviewed(api, office))["probe-0"]
    async with transaction(api.make) as session:
        row = await session.get_one(Review, linked.id)
        row.account_id = office.world.account.id
        rows = await session.scalars(
            select(ReviewVersion).where(ReviewVersion.review_id == linked.id)
        )
        for each in rows:
            each.account_id = office.world.account.id


async def _to_add(api: Api, office: Office) -> dict[str, Any]:
    return {
        "kind": "KIYOH", "name": f"Probe {uuid4()}", "location": "1234", "intervalSeconds": 900,
        "credentials": {"token": "probe"}, "settings": None, "url": None,
        "scaleLow": None, "scaleHigh": None,
    }  # fmt: skip


async def _to_change(api: Api, office: Office) -> dict[str, Any]:
    found: ReviewSource = await source(api.make, office.world.tenant.id)
    return {
        "id": ids.write("ReviewSource", found.id), "isActive": False, "intervalSeconds": 600,
        "name": f"Probe {uuid4()}", "settings": None, "url": None, "credentials": None,
    }  # fmt: skip


async def _to_link(api: Api, office: Office) -> dict[str, Any]:
    row = (await _reviewed(api, office))["probe-0"]
    contact = office.world.contacts[0]
    return {
        "reviewId": ids.write("Review", row.id), "accountId": office.account,
        "contactId": ids.write("Contact", contact.id),
    }  # fmt: skip


async def _suggested(api: Api, office: Office) -> dict[str, Any]:
    row = (await _reviewed(api, office))["probe-0"]
    async with transaction(api.make) as session:
        link = ReviewLink(
            tenant_id=row.tenant_id, account_id=office.world.account.id, review_id=row.id,
            contact_id=office.world.contacts[0].id, state=ReviewLinkState.SUGGESTED, score=700,
            parts={"name": 550, "place": 150},
        )  # fmt: skip
        session.add(link)
        await session.flush()
        return {"id": ids.write("ReviewLink", link.id)}


DOABLE = {
    "addReviewSource": _to_add,
    "changeReviewSource": _to_change,
    "linkReview": _to_link,
    "confirmReviewLink": _suggested,
    "refuseReviewLink": _suggested,
}
LAST_FACTS = {
    "reviewReceived": "review.received",
    "reviewSourceEvents": "review_source.added",
}
