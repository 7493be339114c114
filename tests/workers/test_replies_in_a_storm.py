"""Platforms edit, delete, refuse, answer 429 and lose answers: every reply is put once, the store is the platform."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain import replies
from domain.core.db import Sessions, transaction
from domain.replies import ReplyState, ReviewReply
from domain.reputation import ReviewState
from domain.sentiment import best_model
from tests.replying import Desk, desk
from tests.reviewing import stored
from tests.workers.review_platforms import KIND
from tests.workers.test_reviews import shares
from workers.feedback import read_due

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
FAULTS = ("429", "500", "expired", "not json", "lost answer", "shuffled", None, None)
NUMBERS = ["nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen"]


def words_of(number: int) -> str:
    """A text of its own, without a number that would look confidential."""
    return "Dank u wel, " + " ".join(NUMBERS[int(each)] for each in str(number))


def shake(at: Desk, answered: dict[str, ReviewReply], chance: random.Random) -> None:
    """Let authors edit and delete reviews, and the platform refuse replies to one of them."""
    for _ in range(6):
        name = chance.choice(sorted(at.of.reviews))
        if chance.random() < 0.7:
            stars, words = chance.randint(1, 5), f"Tekst {chance.random()}"
            at.of.edit(name, datetime.now(UTC), stars=stars, words=words)
        elif name not in answered:
            del at.of.reviews[name]
    at.of.refuse = {chance.choice(sorted(at.of.reviews))}


async def send_all(at: Desk, answered: dict[str, ReviewReply]) -> None:
    """One attempt for each reply that is to be sent."""
    for reply in answered.values():
        if (await at.now(reply)).state is ReplyState.APPROVED:
            await at.send(reply)


async def word_anew(at: Desk, answered: dict[str, ReviewReply], number: int) -> int:
    """Edit and approve what was refused; return the next number."""
    for reply in answered.values():
        if (await at.now(reply)).state is ReplyState.REJECTED:
            async with transaction(at.make) as session:
                by = at.tx(session, by=at.actor)
                await replies.edit(by, reply.id, words=words_of(number))
            await at.approve(reply)
            number += 1
    return number


async def must_equal(at: Desk) -> None:
    """The store is the platform, with every reply."""
    live = {
        name: (row.words, row.share, row.reply_words)
        for name, row in (await stored(at.make, at.found)).items()
        if row.state is not ReviewState.GONE
    }
    share = shares(at.of.kind)
    assert live == {
        name: (row.words, share(row.stars), row.reply) for name, row in at.of.reviews.items()
    }


@pytest.mark.parametrize("kind", [KIND.GOOGLE, KIND.KIYOH, KIND.TRUSTPILOT])
async def test_in_a_storm_nothing_is_replied_twice(make: Sessions, kind: Any) -> None:
    chance = random.Random(f"storm {kind}")
    async with desk(make, kind, 160) as at:
        answered, number = dict[str, ReviewReply](), 0
        for turn in range(16):
            shake(at, answered, chance)
            at.of.fault = None
            rows = await at.read()
            for name in chance.sample(sorted(at.of.reviews.keys() - answered.keys()), 3):
                draft = await at.write(rows[name], words_of(number))
                answered[name] = await at.approve(draft)
                number += 1
            at.of.fault = FAULTS[turn % len(FAULTS)]
            await send_all(at, answered)
        at.of.fault, at.of.refuse = None, set()
        await send_all(at, answered)
        await word_anew(at, answered, number)
        await send_all(at, answered)
        for _ in range(2):
            await at.read()
        names = [name for name, _ in at.of.replies]
        assert sorted(names) == sorted(answered)  # each once
        states = {(await at.now(each)).state for each in answered.values()}
        assert states == {ReplyState.PUBLISHED}
        await must_equal(at)


async def test_a_reply_waits_for_its_delay_and_the_pause_of_the_platform(make: Sessions) -> None:
    async with desk(make, KIND.GOOGLE, 1, stars=5) as at:
        await at.rule("Dank u wel.", delay_s=3_600)
        [row] = (await at.read()).values()
        reply = await at.draft(row)
        assert reply is not None
        claimed = []
        for later in (0, 3_500, 3_700):
            async with transaction(make) as session:
                due = await replies.claim_replies(
                    session,
                    at=datetime.now(UTC) + timedelta(seconds=later),
                    lease=timedelta(0),
                    limit=10_000,
                )
            claimed.append(reply.id in {each.subject.id for each in due})
        assert claimed == [False, False, True]


async def test_a_reply_without_delay_waits_ten_minutes_for_its_text_to_be_read(
    make: Sessions,
) -> None:
    async with desk(make, KIND.GOOGLE, 1, stars=5) as at:
        await at.rule("Dank u wel.")
        [row] = (await at.read()).values()
        reply = await at.draft(row)
        assert reply is not None

        async def is_claimed(*, later_s: int) -> bool:
            async with transaction(make) as session:
                due = await replies.claim_replies(
                    session,
                    at=datetime.now(UTC) + timedelta(seconds=later_s),
                    lease=timedelta(0),
                    limit=10_000,
                )
            return reply.id in {each.subject.id for each in due}

        assert [await is_claimed(later_s=each) for each in (0, 500, 700)] == [False, False, True]


async def test_a_reply_without_delay_goes_out_once_its_text_was_read(make: Sessions) -> None:
    async with desk(make, KIND.GOOGLE, 1, stars=5) as at:
        await at.rule("Dank u wel.")
        [row] = (await at.read()).values()
        reply = await at.draft(row)
        assert reply is not None
        await read_due(make, best_model(plain=True), at=datetime.now(UTC), limit=10)
        async with transaction(make) as session:
            due = await replies.claim_replies(
                session, at=datetime.now(UTC), lease=timedelta(0), limit=10_000
            )
        assert reply.id in {each.subject.id for each in due}
