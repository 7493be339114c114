"""Persons are erased from reviews: from links at once, and from reviews that were deleted at their source in time."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from domain import privacy, reputation
from domain.access import Actor, Tx
from domain.core.db import Sessions, transaction
from domain.privacy import Person, Retention
from domain.reputation import ReviewLink, ReviewState
from tests import build
from tests.build import T0
from tests.reviewing import end_read, read, source, stored, system, take, versions
from workers.audit import expire_all

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)
KEPT = Retention(messages=9_999 * DAY, words=100 * DAY, users=9_999 * DAY)


async def test_an_erased_contact_is_no_longer_named_by_a_link(make: Sessions) -> None:
    world = await build.client(make)
    found = await source(make, world.tenant.id)
    await take(make, found, read("r1"))
    row = (await stored(make, found))["r1"]
    contact = world.contacts[0]
    async with transaction(make) as session:
        await reputation.link_review(
            Tx(session, system(world.tenant.id), T0),
            row.id,
            world.account.id,
            contact_id=contact.id,
        )
    async with transaction(make) as session:
        tx = Tx(session, Actor.system(world.tenant.id, "test"), T0)
        await privacy.erase(tx, Person.CONTACT, contact.id)
    async with make() as session:
        rows = await session.scalars(select(ReviewLink).where(ReviewLink.review_id == row.id))
        [link] = rows
    assert (link.contact_id, link.account_id) == (None, world.account.id)
    assert (await stored(make, found))["r1"].account_id == world.account.id


async def test_a_review_that_was_deleted_long_ago_keeps_its_rating_and_nobody(
    make: Sessions,
) -> None:
    world = await build.client(make)
    found = await source(make, world.tenant.id)
    await take(make, found, read("gone", raw={"by": "An"}), read("there"))
    for number in (1, 2):
        at = T0 + number * DAY
        await take(make, found, read("there"), at=at)
        await end_read(make, found, at)
    gone_at = T0 + 2 * DAY
    await expire_all(make, KEPT, at=gone_at + 100 * DAY)
    rows = await stored(make, found)
    assert (rows["gone"].state, rows["gone"].author) == (ReviewState.GONE, "An Jansen")
    await expire_all(make, KEPT, at=gone_at + 101 * DAY)
    rows = await stored(make, found)
    gone, there = rows["gone"], rows["there"]
    assert (gone.author, gone.words, gone.rating) == (None, None, 4.0)
    assert (there.author, there.words) == ("An Jansen", "Prima geholpen")
    assert {each[2] for each in (await versions(make, found))["gone"]} == {None}
    await take(make, found, read("gone"), at=gone_at + 102 * DAY)
    back = (await stored(make, found))["gone"]
    assert (back.state, back.words) == (ReviewState.LIVE, "Prima geholpen")
