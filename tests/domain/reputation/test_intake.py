"""Reviews are taken in: the same for any order and number of repeats, with every version, and gone after two reads."""

import random
from typing import Any

import pytest

from domain.core.db import Sessions
from domain.reputation import ReadReview, Review, ReviewState
from tests import build
from tests.build import T0
from tests.reviewing import MINUTE, end_read, facts, read, source, stored, take, versions

pytestmark = pytest.mark.anyio
STATE = ("rating", "share", "words", "state", "changed_at", "reply_words", "digest")


def state_of(row: Review) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in STATE)


async def test_a_review_is_received_edited_answered_and_each_is_a_fact(make: Sessions) -> None:
    world = await build.client(make)
    found = await source(make, world.tenant.id)
    await take(make, found, read(words="Slecht", rating=2.0))
    again = await take(make, found, read(words="Slecht", rating=2.0), at=T0 + MINUTE)
    assert (again.received, again.repeated) == (0, 1)
    edit = read(words="Opgelost", rating=4.0, changed_at=T0 + MINUTE)
    assert (await take(make, found, edit, at=T0 + 2 * MINUTE)).edited == 1
    reply = read(words="Opgelost", rating=4.0, changed_at=T0 + MINUTE, reply_words="Fijn")
    await take(make, found, reply, at=T0 + 3 * MINUTE)
    [row] = (await stored(make, found)).values()
    assert (row.state, row.share, row.version_count) == (ReviewState.EDITED, 0.75, 3)
    assert (row.words, row.reply_words, row.account_id) == ("Opgelost", "Fijn", None)
    received, edited, replied = await facts(make, found)
    kinds = [each.kind for each in (received, edited, replied)]
    assert kinds == ["review.received", "review.edited", "review.reply_seen"]
    assert (edited.body["before"]["rating"], edited.body["after"]["rating"]) == (2, 4)
    for fact, name in ((received, "words"), (received, "author"), (edited, "words_before")):
        assert fact.body[name].startswith("sha256:")


async def test_the_store_is_the_same_for_any_order_and_repeats(make: Sessions) -> None:
    world = await build.client(make)
    chance = random.Random(7)
    history: list[ReadReview] = []
    for number in range(12):
        for change in range(chance.randint(1, 5)):
            at = T0 + change * MINUTE
            words = chance.choice(("Goed", "Slecht", "Matig", None))
            rating = float(chance.randint(1, 5))
            more = {"reply_words": "Dank", "replied_at": at} if chance.random() < 0.3 else {}
            history.append(read(f"r{number}", words=words, rating=rating, changed_at=at, **more))
    seen: list[Any] = []
    for _ in range(8):
        found = await source(make, world.tenant.id)
        pile = history + chance.choices(history, k=len(history) // 2)
        if seen:
            chance.shuffle(pile)
        while pile:
            size = chance.randint(1, 9)
            page, pile = pile[:size], pile[size:]
            await take(make, found, *page, at=T0 + 10 * MINUTE)
        rows = await stored(make, found)
        seen.append(
            ({name: state_of(row) for name, row in rows.items()}, await versions(make, found))
        )
    assert len(seen[0][0]) == 12
    assert all(each == seen[0] for each in seen[1:])
    latest = {each.external_id: each for each in sorted(history, key=lambda r: r.changed_at or T0)}
    assert {name: state[2] for name, state in seen[0][0].items()} == {
        name: each.words for name, each in latest.items()
    }


async def test_it_is_gone_after_two_full_reads_without_it_and_comes_back(make: Sessions) -> None:
    world = await build.client(make)
    found = await source(make, world.tenant.id)
    await take(make, found, read("stays"), read("goes"), at=T0)
    assert await end_read(make, found, T0) == 0
    gone = []
    for minute in (1, 2, 3):
        at = T0 + minute * MINUTE
        await take(make, found, read("stays"), at=at)
        gone.append(await end_read(make, found, at))
        assert await end_read(make, found, at) == 0  # twice counts once
        rows = await stored(make, found)
        assert rows["stays"].state is ReviewState.LIVE
        assert (rows["goes"].state is ReviewState.GONE) == (minute >= 2)
    assert gone == [0, 1, 0]
    await take(make, found, read("goes"), at=T0 + 4 * MINUTE)
    back = (await stored(make, found))["goes"]
    assert (back.state, back.gone_at, back.misses) == (ReviewState.LIVE, None, 0)
    assert [each.kind for each in await facts(make, found)][2:] == [
        "review.gone",
        "review.restored",
    ]


async def test_a_read_between_two_without_it_starts_the_count_again(make: Sessions) -> None:
    world = await build.client(make)
    found = await source(make, world.tenant.id)
    await take(make, found, read("slips"), at=T0)
    for minute, page in enumerate([(), (read("slips"),), (), (read("slips"),)], start=1):
        at = T0 + minute * MINUTE
        await take(make, found, *page, at=at)
        assert await end_read(make, found, at) == 0
    assert (await stored(make, found))["slips"].state is ReviewState.LIVE


async def test_without_times_of_changes_the_later_reading_is_the_newer_one(make: Sessions) -> None:
    world = await build.client(make)
    found = await source(make, world.tenant.id)
    for minute, words in enumerate(("Goed", "Slecht", "Goed", "Goed")):
        each = read(words=words, changed_at=None)
        await take(make, found, each, at=T0 + minute * MINUTE)
    [row] = (await stored(make, found)).values()
    assert (row.words, row.version_count, row.state) == ("Goed", 3, ReviewState.EDITED)


async def test_two_ratings_of_one_review_are_both_kept(make: Sessions) -> None:
    world = await build.client(make)
    found = await source(make, world.tenant.id)
    await take(make, found, read(rating=4.0, stated_rating=5.0), read("r2", stated_rating=4.0))
    rows = await stored(make, found)
    assert (rows["r1"].rating, rows["r1"].stated_rating, rows["r1"].is_disputed) == (4, 5, True)
    assert not rows["r2"].is_disputed
