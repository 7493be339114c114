"""Business reviews for the probes of the gate: one for the company alone, and one that was released."""

from datetime import date
from typing import Any

from domain import business_reviews
from domain.access import Actor, Tx
from domain.business_reviews import BusinessReview, BusinessReviewKind
from domain.core.db import transaction
from schema.core import ids
from tests.api.asking import Api, Office


async def review(api: Api, office: Office) -> BusinessReview:
    """A review that the client does not see."""
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        kind, account = BusinessReviewKind.QUARTERLY, office.world.account.id
        return await business_reviews.make_review(tx, account, kind, last_on=date(2026, 3, 31))


async def furnish(api: Api, office: Office) -> None:
    """Make two reviews, and release one."""
    await review(api, office)
    row = await review(api, office)
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        await business_reviews.release(tx, row.id)


async def _made(_api: Api, _office: Office) -> dict[str, Any]:
    return {"kind": "ANNUAL", "lastOn": "2026-03-31"}


async def _unreleased(api: Api, office: Office) -> dict[str, Any]:
    return {"id": ids.write("BusinessReview", (await review(api, office)).id)}


DOABLE = {"makeBusinessReview": _made, "releaseBusinessReview": _unreleased}
LAST_FACTS = {"businessReviewEvents": "business_review.released"}
