"""Texts of clients are read once each in batches; one that is stuck holds up no other; people correct what was read."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from domain import feedback, incidents, reputation
from domain.access import Actor, Role, Tx
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.feedback import FeedbackKind, TextSentiment
from domain.privacy import Person, erase
from domain.sentiment import PolarityClass, SentimentMethod, Theme, best_model
from domain.surveys.model import SurveyAnswer
from tests import build
from tests.answering import answered
from tests.build import T0, World
from tests.reviewing import read, source, take
from tests.surveying import system
from workers.feedback import read_due

pytestmark = pytest.mark.anyio

BAD = "De beveiliger kwam weer veel te laat en was onbeleefd. Zeer slecht."
GOOD = "Uitstekende beveiliger, altijd op tijd en heel vriendelijk."
DAY = timedelta(days=1)
MODEL = best_model()


def manager_of(world: World) -> Actor:
    """Somebody of the company who looks after all clients."""
    return Actor(world.tenant.id, Role.MANAGEMENT, f"user:{UUID(int=9)}")


async def sentiments(make: Sessions, world: World) -> list[TextSentiment]:
    async with make() as session:
        rows = await session.scalars(
            select(TextSentiment)
            .where(TextSentiment.tenant_id == world.tenant.id)
            .order_by(TextSentiment.written_at, TextSentiment.polarity)
        )
        return list(rows)


async def facts(make: Sessions, world: World, kind: str) -> Sequence[LedgerRow]:
    async with make() as session:
        rows = await session.scalars(
            select(LedgerRow)
            .where(LedgerRow.tenant_id == world.tenant.id, LedgerRow.kind == kind)
            .order_by(LedgerRow.id)
        )
        return rows.all()


async def read_all(make: Sessions) -> None:
    while await read_due(make, MODEL, at=T0 + DAY, limit=50) == 50:
        pass


async def test_answers_reviews_and_updates_of_clients_are_read_once_with_words_and_themes(
    make: Sessions,
) -> None:
    world = await build.client(make)
    await answered(make, world, [(1, BAD), (5, BAD), (5, GOOD), (None, GOOD)], T0)
    feed = await source(make, world.tenant.id)
    await take(make, feed, read(words=GOOD, rating=1.0))
    incident = await build.incident(make, world)
    async with transaction(make) as session:
        await incidents.update(Tx(session, world.client, T0), incident.id, body=BAD)
        await incidents.update(Tx(session, world.staff, T0), incident.id, body=GOOD)
    await read_all(make)
    await read_all(make)
    found = await sentiments(make, world)
    assert [each.kind for each in found].count(FeedbackKind.SURVEY_ANSWER) == 4
    assert len(found) == 6
    bad = [each for each in found if each.label is PolarityClass.NEGATIVE]
    assert [(each.kind, each.score, each.disagrees) for each in bad if each.score == 0] == [
        (FeedbackKind.SURVEY_ANSWER, 0, False)
    ]
    assert {each.score for each in found if each.disagrees} == {1_000_000, 0}  # a 5 and a 1
    assert len([each for each in found if each.disagrees]) == 2
    assert {"punctuality", "conduct"} <= set(bad[0].themes)
    assert "te laat" in bad[0].theme_words["punctuality"][0]
    assert all(each.words and each.head and each.taxonomy for each in found)
    assert len(await facts(make, world, "sentiment.read")) == 6
    assert {each.method for each in found} <= set(SentimentMethod)


async def test_a_text_that_is_stuck_holds_up_no_other(make: Sessions) -> None:
    world = await build.client(make)
    ids = await answered(make, world, [(5, GOOD)] * 6, T0)
    async with make() as other:
        stuck = select(SurveyAnswer).where(SurveyAnswer.id == ids[2]).with_for_update()
        await other.execute(stuck)
        await read_due(make, MODEL, at=T0 + DAY, limit=50)
        assert {each.answer_id for each in await sentiments(make, world)} == set(ids) - {ids[2]}
        await other.rollback()
    await read_due(make, MODEL, at=datetime.now(UTC) + DAY, limit=50)
    assert len(await sentiments(make, world)) == 6


async def test_anonymous_answers_leave_no_fact_and_no_instant(make: Sessions) -> None:
    world = await build.client(make)
    await answered(make, world, [(1, BAD)] * 4, T0, is_anonymous=True)
    await read_all(make)
    found = await sentiments(make, world)
    assert len(found) == 4
    assert all(each.read_at.hour == each.read_at.minute == 0 for each in found)
    assert not await facts(make, world, "sentiment.read")
    async with make() as session:
        [few] = await feedback.sentiment_trend(session, world.staff)
    assert (few.n, few.negative, few.share) == (4, None, None)
    await answered(make, world, [(1, BAD)], T0)
    await read_all(make)
    async with make() as session:
        [month] = await feedback.sentiment_trend(session, world.staff, theme=Theme.PUNCTUALITY)
    assert (month.n, month.negative) == (5, 5)
    assert month.share is not None
    assert month.share.low > 45


async def test_a_correction_counts_and_what_was_read_stays(make: Sessions) -> None:
    world = await build.client(make)
    await answered(make, world, [(5, BAD)], T0)
    await read_all(make)
    [row] = await sentiments(make, world)

    async def correct(actor: Actor, **changes: Any) -> TextSentiment:
        async with transaction(make) as session:
            return await feedback.correct_sentiment(Tx(session, actor, T0), row.id, **changes)

    with pytest.raises(Refused) as refused:
        await correct(world.staff, label=PolarityClass.POSITIVE)
    assert refused.value.refusal.code is Code.NOT_ALLOWED
    manager = manager_of(world)
    changed = await correct(manager, label=PolarityClass.POSITIVE, themes=[Theme.BILLING])
    assert (changed.label, changed.read_label) == (PolarityClass.POSITIVE, PolarityClass.NEGATIVE)
    assert (changed.themes, changed.disagrees) == (["billing"], False)
    with pytest.raises(Refused) as refused:
        await correct(manager, label=PolarityClass.POSITIVE)
    assert refused.value.refusal.code is Code.ALREADY_DONE
    [fact] = await facts(make, world, "sentiment.corrected")
    assert fact.body["before"]["label"] == "negative"
    assert fact.body["after"] == {"label": "positive", "themes": ["billing"]}


async def test_words_of_a_company_decide_from_their_time_on(make: Sessions) -> None:
    world = await build.client(make)
    manager = manager_of(world)

    async def revise(*add: str, **more: Any) -> Any:
        async with transaction(make) as session:
            tx = Tx(session, manager, T0)
            return await feedback.revise_theme_words(tx, Theme.TECHNOLOGY, add=add, **more)

    row = await revise("zoemer", "slagboom … kapot")
    assert row.number == 1
    for wrong in ("a", "x,y", "$", "…", "foo$bar", "12 34"):
        with pytest.raises(Refused) as refused:
            await revise(wrong)
        assert refused.value.refusal.argument == "add"
    with pytest.raises(Refused):
        await revise("zoemer")
    later = await revise(remove=["zoemer"], effective_at=T0 + 9 * DAY)
    assert later.number == 2
    with pytest.raises(Refused) as refused:
        await revise("bel")
    assert refused.value.refusal.code is Code.TIME_REVERSED
    await answered(make, world, [(3, "De zoemer en de slagboom waren weer kapot")], T0)
    await read_all(make)
    [found] = await sentiments(make, world)
    assert found.taxonomy.endswith(".1")
    assert set(found.theme_words["technology"]) >= {"zoemer", "slagboom waren weer kapot"}
    async with make() as session:
        then = await feedback.themes_in_force(session, world.tenant.id, at=T0 + 9 * DAY)
    assert then.version.endswith(".2")
    assert "zoemer" not in then.words[Theme.TECHNOLOGY]


async def test_the_deciding_words_go_with_the_person(make: Sessions) -> None:
    world = await build.client(make)
    contact = world.contacts[0]
    await answered(make, world, [(1, BAD)], T0, contact_id=contact.id)
    await read_all(make)
    async with transaction(make) as session:
        await erase(Tx(session, system(world.tenant.id), T0), Person.CONTACT, contact.id)
    [row] = await sentiments(make, world)
    assert (row.words, row.theme_words) == ([], {})
    assert (row.label, set(row.themes) >= {"punctuality"}) == (PolarityClass.NEGATIVE, True)


async def test_an_edited_review_is_read_again_and_moves_with_its_client(make: Sessions) -> None:
    world = await build.client(make)
    feed = await source(make, world.tenant.id)
    await take(make, feed, read(words=GOOD, rating=5.0))
    await read_all(make)
    edited = read(words=BAD, rating=1.0, changed_at=T0 + DAY)
    await take(make, feed, edited, at=T0 + DAY)
    await read_all(make)
    [row] = await sentiments(make, world)
    assert (row.label, row.account_id) == (PolarityClass.NEGATIVE, None)
    first, second = await facts(make, world, "sentiment.read")
    assert (first.body["label"], second.body["label_before"]) == ("positive", "positive")
    async with transaction(make) as session:
        assert row.review_id is not None
        tx = Tx(session, system(world.tenant.id), T0 + DAY)
        await reputation.link_review(tx, row.review_id, world.account.id)
        await feedback.follow_review(session, row.review_id)
    [row] = await sentiments(make, world)
    assert row.account_id == world.account.id
