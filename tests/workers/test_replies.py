"""Replies go to the platforms once, with a person's approval where the review is negative, and nothing confidential."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from domain import promises, replies
from domain.access import Actor, Role
from domain.agreements import Priority, PromiseDraft, PromiseKind, Target, amend
from domain.core.db import Sessions, transaction
from domain.core.errors import Refused
from domain.core.settings import Settings
from domain.promises import Promise, State
from domain.replies import ReplyMode, ReplyState, ReviewReply
from domain.reputation import Review, ReviewSource
from domain.sentiment import best_model
from tests import build
from tests.journeys.watching import Workers
from tests.replying import Desk, desk
from tests.reviewing import system
from tests.workers.review_platforms import KIND
from workers.feedback import read_due
from workers.outbound.review_http import ReviewHttp
from workers.replies import look_at_late_replies, send_claimed
from workers.reviews import ReviewReading

pytestmark = pytest.mark.anyio
PLATFORMS = (KIND.GOOGLE, KIND.KIYOH, KIND.TRUSTPILOT)
SORRY = "Wat vervelend om te lezen. Wij zoeken het uit."
TEXTS = tuple(
    f"Dank u wel voor uw {each} woorden." for each in ["mooie", "lieve", "fijne", "goede"]
)


async def negative(at: Desk) -> ReviewReply:
    """A draft below the first review, which is negative."""
    name = min(at.of.reviews)
    at.of.edit(name, at.of.reviews[name].written_at, stars=1)
    return await at.write((await at.read())[name], SORRY)


@pytest.mark.parametrize("kind", PLATFORMS)
async def test_a_negative_review_is_answered_by_a_person_and_the_reply_is_seen_there(
    make: Sessions, kind: Any
) -> None:
    async with desk(make, kind, 1) as at:
        reply = await negative(at)
        assert (reply.state, reply.is_negative, reply.owner_id) == (
            ReplyState.DRAFT, True, at.manager,
        )  # fmt: skip
        assert (await at.send(reply)).state is ReplyState.DRAFT
        assert at.of.replies == []
        approved = await at.approve(reply)
        assert (approved.state, approved.approver_id) == (ReplyState.APPROVED, at.manager)
        sent = await at.send(reply)
        assert (sent.state, sent.posted_words, sent.error) == (ReplyState.SENT, SORRY, None)
        assert (await at.send(reply)).state is ReplyState.SENT
        await at.read()
        assert (await at.now(reply)).state is ReplyState.PUBLISHED
        assert at.of.replies == [(min(at.of.reviews), SORRY)]
        assert await at.kinds(reply) == ["drafted", "approved", "sent", "published"]


async def test_rules_answer_positive_reviews_and_leave_negative_ones_to_people(
    make: Sessions,
) -> None:
    async with desk(make, KIND.GOOGLE, 2, stars=5) as at:
        first, second = sorted(at.of.reviews)
        at.of.edit(second, at.of.reviews[second].written_at, stars=2)
        await at.rule("Nooit", mode=ReplyMode.NONE, share_high=0.1)
        await at.rule(*TEXTS, delay_s=60)
        rows = await at.read()
        good, bad = await at.draft(rows[first]), await at.draft(rows[second])
        assert good is not None
        assert bad is not None
        assert (good.state, good.approver_id, bad.state) == (
            ReplyState.APPROVED, None, ReplyState.DRAFT,
        )  # fmt: skip
        assert good.send_at == rows[first].received_at + timedelta(seconds=60)
        assert await at.draft(rows[first]) is None  # one reply a review
        with pytest.raises(IntegrityError, match="negative_has_approver"):
            async with transaction(make) as session:
                await session.execute(
                    update(ReviewReply)
                    .where(ReviewReply.id == bad.id)
                    .values(state=ReplyState.APPROVED)
                )
        key = Actor(at.world.tenant.id, Role.MANAGEMENT, "key:1")
        with pytest.raises(Refused, match="Only a person"):
            async with transaction(make) as session:
                await replies.approve(at.tx(session, by=key), bad.id)


async def test_a_reply_that_a_rule_approved_waits_for_a_person_once_the_text_is_read_as_negative(
    make: Sessions,
) -> None:
    async with desk(make, KIND.GOOGLE, 1, stars=5) as at:
        [external] = at.of.reviews
        at.of.edit(
            external, at.of.reviews[external].written_at, words="Vreselijk, weer veel te laat."
        )
        await at.rule(*TEXTS)
        row = (await at.read())[external]
        reply = await at.draft(row)
        assert reply is not None
        assert (reply.state, reply.is_negative) == (ReplyState.APPROVED, False)
        await read_due(make, best_model(plain=True), at=datetime.now(UTC), limit=10)
        held = await at.send(reply)
        assert (held.state, held.is_negative, held.approver_id) == (ReplyState.DRAFT, True, None)
        assert "negative" in str(held.error)
        assert not at.of.replies


async def test_a_page_has_no_text_twice_within_a_month(make: Sessions) -> None:
    async with desk(make, KIND.TRUSTPILOT, 7, stars=5) as at:
        await at.rule(*TEXTS)
        drafts = [await at.draft(row) for _, row in sorted((await at.read()).items())]
        texts = [each.words for each in drafts if each is not None and each.words is not None]
        assert sorted(texts) == sorted(TEXTS)
        left = [each for each in drafts if each is not None and each.words is None]
        assert len(left) == 3
        assert {each.state for each in left} == {ReplyState.DRAFT}
        async with transaction(make) as session:
            by = at.tx(session, by=at.actor)
            await replies.edit(by, left[0].id, words=f"{TEXTS[0].upper()} ")
        with pytest.raises(Refused, match="within a month"):
            await at.approve(left[0])


async def test_429_waits_401_renews_and_a_refusal_is_shown_and_worded_anew(make: Sessions) -> None:
    async with desk(make, KIND.TRUSTPILOT, 1) as at:
        reply = await negative(at)
        await at.approve(reply)
        at.of.fault = "429"
        late = await at.send(reply)
        assert (late.state, late.failures) == (ReplyState.APPROVED, 1)
        assert "429" in (late.error or "")
        assert late.next_try_at is not None
        assert late.next_try_at - datetime.now(UTC) > timedelta(seconds=100)
        [name] = at.of.reviews
        at.of.refuse.add(name)
        at.of.fault = "expired"
        refused = await at.send(reply)
        assert refused.state is ReplyState.REJECTED
        assert "breaks the rules" in (refused.reason or "")
        assert at.of.tokens >= 2
        at.of.refuse.clear()
        async with transaction(make) as session:
            await replies.edit(at.tx(session, by=at.actor), reply.id, words="Wij bellen u.")
        await at.approve(reply)
        assert (await at.send(reply)).state is ReplyState.SENT
        assert at.of.replies == [(name, "Wij bellen u.")]


async def test_a_reply_that_google_rejects_later_says_why_and_may_come_back(make: Sessions) -> None:
    async with desk(make, KIND.GOOGLE, 1) as at:
        reply = await negative(at)
        await at.approve(reply)
        await at.send(reply)
        await at.read()
        [name] = at.of.reviews
        at.of.reject(name, "ADVERTISEMENT", datetime.now(UTC))
        await at.read()
        gone = await at.now(reply)
        assert (gone.state, gone.reason) == (ReplyState.REJECTED, "ADVERTISEMENT")
        at.of.reviews[name] = at.of.reviews[name].__class__(
            **(vars(at.of.reviews[name]) | {"refusal": None})
        )
        await at.read()
        assert (await at.now(reply)).state is ReplyState.PUBLISHED
        assert len(at.of.replies) == 1


@pytest.mark.parametrize("kind", PLATFORMS)
async def test_a_reply_whose_answer_was_lost_is_not_sent_twice(make: Sessions, kind: Any) -> None:
    async with desk(make, kind, 1) as at:
        reply = await negative(at)
        await at.approve(reply)
        at.of.fault = "lost answer"
        assert (await at.send(reply)).failures == 1
        found = await at.send(reply)
        assert (found.state, found.posted_words) == (ReplyState.SENT, SORRY)
        assert at.of.replies == [(min(at.of.reviews), SORRY)]


async def test_withdrawn_replies_are_not_sent_or_taken_away(make: Sessions) -> None:
    async with desk(make, KIND.KIYOH, 2) as at:
        reply = await negative(at)
        await at.approve(reply)
        async with transaction(make) as session:
            await replies.withdraw(at.tx(session, by=at.actor), reply.id, reason="Te vroeg")
        assert (await at.send(reply)).state is ReplyState.WITHDRAWN
        assert at.of.replies == []
        second = sorted(at.of.reviews)[1]
        shown = await at.write((await at.read())[second], "Dank voor uw woorden.")
        await at.approve(shown)
        await at.send(shown)
        async with transaction(make) as session:
            by = at.tx(session, by=at.actor)
            await replies.withdraw(by, shown.id, reason="Verkeerde review")
        gone = await at.send(shown)
        assert (gone.posted_words, gone.next_try_at) == (None, None)
        assert at.of.reviews[second].reply is None
        assert (await at.kinds(shown))[-2:] == ["retracted", "removed"]


async def test_an_edit_of_the_review_asks_for_another_look_and_a_reply_elsewhere_ends_ours(
    make: Sessions,
) -> None:
    async with desk(make, KIND.GOOGLE, 3, stars=5) as at:
        await at.rule(*TEXTS, delay_s=3600)
        one, two, three = sorted(at.of.reviews)
        rows = await at.read()
        drafts = {name: await at.draft(row) for name, row in rows.items()}
        at.of.edit(one, datetime.now(UTC), stars=1, words="Toch niet goed")
        at.of.edit(two, datetime.now(UTC), reply="Wij waren er al")
        await at.read()
        for name in (one, three):
            async with transaction(make) as session:
                await replies.follow_edit(at.tx(session), rows[name].id)
        found = {name: await at.now(reply) for name, reply in drafts.items() if reply is not None}
        assert (found[one].state, found[one].is_negative) == (ReplyState.DRAFT, True)
        assert (found[two].state, found[two].reason) == (
            ReplyState.WITHDRAWN, "The source shows another reply.",
        )  # fmt: skip
        assert (await at.send(found[one])).state is ReplyState.DRAFT
        assert at.of.replies == []


async def test_a_reply_is_due_after_office_hours_and_late_once_and_terms_count_it(
    make: Sessions,
) -> None:
    async with desk(make, KIND.GOOGLE, 2) as at:
        draft = PromiseDraft(
            "replies", PromiseKind.REVIEW_ANSWERED, at.world.calendar.id,
            {Priority.LOW: Target(elapsed_s=0)},
        )  # fmt: skip
        async with transaction(make) as session:
            await amend(
                at.tx(session, at=build.T0 - timedelta(days=2)), at.world.agreement.id,
                in_force_from=build.T0 - timedelta(days=1),
                terms=build.terms_draft(at.world.calendar, promises=[draft]),
            )  # fmt: skip
        reply = await negative(at)
        async with transaction(make) as session:
            await session.execute(
                update(Review)
                .where(Review.id == reply.review_id)
                .values(account_id=at.world.account.id)
            )
            await replies.follow_link(at.tx(session), reply.review_id)
        state = select(Promise.state).where(Promise.unit_id == reply.id)
        async with make() as session:
            assert await session.scalar(state) is State.PENDING
        moment = timedelta(microseconds=1)
        await look_at_late_replies(make, at=reply.due_at)
        assert (await at.now(reply)).late_at is None
        for _ in range(2):
            await look_at_late_replies(make, at=reply.due_at + moment)
        assert (await at.now(reply)).late_at == reply.due_at
        assert (await at.kinds(reply)).count("late") == 1
        await at.approve(reply)
        assert (await at.send(reply)).state is ReplyState.SENT
        async with transaction(make) as session:  # as the sweeper does once it would be due
            await promises.evaluate(session, system(at.world.tenant.id), reply.id, at=reply.due_at)
            assert await session.scalar(state) is State.KEPT


async def test_of_500_drafts_with_planted_pieces_none_leaves(make: Sessions) -> None:
    async with desk(make, KIND.TRUSTPILOT, 500, stars=5) as at:
        chance = random.Random(500)
        contact, street = at.world.contacts[0].name, "Kerkstraat 12"
        pieces = (
            "Zoë Quispel", "quispel zoe", contact, at.world.account.name, street, "3511 AB",
            "INC-000042", "melding 77", "06 12 34 56 78", "+31 30 1234567", "a.b@example.org",
            "NL91ABNA0417164300", "AB-123-C", "12xy34",
        )  # fmt: skip
        rows = await at.read()
        now = datetime.now(UTC)
        async with transaction(make) as session:
            for number, row in enumerate(rows.values()):
                words = f"Dank nummer {number} voor uw woorden".split(" ")
                words.insert(chance.randrange(len(words) + 1), chance.choice(pieces))
                by = at.tx(session, by=at.actor)
                reply = await replies.draft_by_hand(by, row.id, words=" ".join(words))
                with pytest.raises(Refused, match="must not be published"):
                    await replies.approve(by, reply.id)
        # As if each had been approved all the same: the worker looks as well.
        async with transaction(make) as session:
            await session.execute(
                update(ReviewReply)
                .where(ReviewReply.source_id == at.found.id)
                .values(
                    state=ReplyState.APPROVED, approver_id=at.manager, approved_at=now,
                    next_try_at=now - timedelta(seconds=1), send_at=now,
                )
            )  # fmt: skip
        asked = len(at.of.asked)
        for _ in range(10):
            async with transaction(make) as session:
                due = await replies.claim_replies(
                    session, at=datetime.now(UTC), lease=timedelta(hours=1), limit=100
                )
            await send_claimed(at.reading, [each for each in due if each.source_id == at.found.id])
        assert at.of.replies == []
        assert len(at.of.asked) == asked
        async with make() as session:
            held = await session.execute(
                select(ReviewReply.state, func.count())
                .where(ReviewReply.source_id == at.found.id)
                .group_by(ReviewReply.state)
            )
            assert [tuple(each) for each in held] == [(ReplyState.DRAFT, 500)]


@pytest.mark.slow
async def test_a_worker_killed_between_the_request_and_its_note_sends_no_reply_twice(
    make: Sessions, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAARBORG_WEBHOOK_LOOPBACK", "true")
    from domain import reputation
    from domain.core.encryption import SecretCipher
    from tests.workers.review_platforms import CREDENTIALS

    workers = Workers(settings)
    async with desk(make, KIND.TRUSTPILOT, 20, stars=5) as at:
        vault = SecretCipher.of(settings)
        async with transaction(make) as session:
            row = await session.get_one(ReviewSource, at.found.id)
            reputation.seal_credentials(vault, row, dict(CREDENTIALS[KIND.TRUSTPILOT]))
        http = ReviewHttp(loopback=True)
        at.reading = ReviewReading(make, vault, http)
        rows = await at.read()
        for number, each in enumerate(rows.values()):
            await at.approve(await at.write(each, f"Dank u wel voor woord {number}."))
        deaths = iter(range(3))
        at.of.on_reply = lambda: workers.kill() if next(deaths, None) is not None else None
        try:
            for _ in range(4):
                workers.start()
                async for _ in _until_all_sent(make, at, workers):
                    pass
                async with transaction(make) as session:
                    await session.execute(
                        update(ReviewReply)
                        .where(ReviewReply.next_try_at.is_not(None))
                        .values(next_try_at=datetime.now(UTC))
                    )
        finally:
            workers.kill()
            await http.close()
        names = [name for name, _ in at.of.replies]
        assert sorted(names) == sorted(at.of.reviews)  # each once


async def _until_all_sent(make: Sessions, at: Desk, workers: Workers) -> Any:
    """Wait until every reply was sent, or the workers are dead."""
    import asyncio

    async with asyncio.timeout(90):
        while workers.running:
            async with make() as session:
                left = await session.scalar(
                    select(func.count()).where(
                        ReviewReply.source_id == at.found.id,
                        ReviewReply.state == ReplyState.APPROVED,
                    )
                )
            if not left:
                return
            yield left
            await asyncio.sleep(0.2)
