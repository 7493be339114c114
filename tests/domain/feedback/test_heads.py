"""Weights of a company: trained from fifty own texts on, used only when better, and named beside what they read."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from domain import feedback
from domain.core.db import Sessions
from domain.feedback import SentimentHead, TextSentiment
from domain.sentiment import FEWEST_OWN_TEXTS, OwnText, PlainModel, best_model, train_own
from tests import build
from tests.answering import answered
from tests.build import T0
from workers.feedback import read_due, train_due

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)
MODEL = best_model()
PLACES = (
    "poort",
    "kade",
    "loods",
    "hal",
    "balie",
    "garage",
    "terrein",
    "kantoor",
    "magazijn",
    "dok",
)


def texts(count: int) -> list[tuple[int | None, str]]:
    """Texts of one trade's jargon: `strak` is praise, and `weer hetzelfde` is not."""
    return [
        (5, f"Bij de {PLACES[n % 10]} was het strak")
        if n % 2
        else (1, f"Bij de {PLACES[n % 10]} weer hetzelfde")
        for n in range(count)
    ]


async def test_fewer_than_fifty_texts_train_nothing_and_more_are_used_when_better(
    make: Sessions,
) -> None:
    world = await build.client(make)
    await answered(make, world, texts(FEWEST_OWN_TEXTS - 1), T0)
    while await read_due(make, MODEL, at=T0 + DAY, limit=50) == 50:
        pass
    await train_due(make, MODEL, at=T0 + DAY, limit=100)
    async with make() as session:
        mine = select(SentimentHead).where(SentimentHead.tenant_id == world.tenant.id)
        assert (await session.scalars(mine)).all() == []
    await answered(make, world, texts(1), T0)
    while await read_due(make, MODEL, at=T0 + DAY, limit=50) == 50:
        pass
    await train_due(make, MODEL, at=T0 + DAY, limit=100)
    await train_due(make, MODEL, at=T0 + DAY, limit=100)  # nothing new: not trained again
    async with make() as session:
        [head] = (await session.scalars(mine)).all()
        model = await feedback.model_of(session, world.tenant.id, MODEL)
    assert (head.texts, head.is_used) == (FEWEST_OWN_TEXTS, True)
    assert head.error_after < head.error_before
    assert model.version == head.head != MODEL.version
    await answered(make, world, [(None, "Bij de toren was het strak")], T0)
    await read_due(make, MODEL, at=T0 + DAY, limit=50)
    async with make() as session:
        rows = await session.execute(
            select(TextSentiment.head, func.count())
            .where(TextSentiment.tenant_id == world.tenant.id)
            .group_by(TextSentiment.head)
        )
        versions = {row[0]: row[1] for row in rows}
    assert versions == {MODEL.version: FEWEST_OWN_TEXTS, head.head: 1}  # none is rewritten


def test_the_plain_weights_learn_no_word_of_a_client_and_two_trainings_are_equal() -> None:
    base = PlainModel()
    own = [
        OwnText(text, 1.0 if number == 5 else -1.0, 1.0, f"{at}")
        for at, (number, text) in enumerate(texts(80))
    ]
    one, two = (train_own(base, own) for _ in range(2))
    assert one.head == two.head
    assert one.head.features == base.head.features
    assert one.error_after < one.error_before
    with pytest.raises(ValueError, match="too few"):
        train_own(base, own[:49])
