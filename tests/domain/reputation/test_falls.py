"""Falls of ratings are found once, with their figures, end when they are over, and chance raises few."""

import random
from datetime import datetime, timedelta
from functools import partial

import pytest

from domain import reputation
from domain.access import Tx
from domain.core.db import Sessions, transaction
from domain.detection import ComparedScore, ScoredWindow, falls
from domain.reputation import ReviewSource
from domain.surveys import wilson
from tests import build
from tests.build import T0
from tests.reviewing import facts, read, source, system, take

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)
NOW = T0 + 500 * DAY


async def written(
    make: Sessions, found: ReviewSource, number: int, positive: float, start: datetime, days: int
) -> None:
    """So many reviews over some days, of which a share is positive."""
    step = days * DAY / number
    page = []
    for each in range(number):
        at = start + each * step
        rating = 5.0 if (each * 7919) % number < positive * number else 1.0
        page.append(read(f"{start:%y%m%d}-{each}", rating=rating, written_at=at, changed_at=at))
    await take(make, found, *page, at=NOW)


async def compared(make: Sessions, found: ReviewSource, at: datetime) -> ReviewSource:
    """Compare the company's sources; return this one as it is afterwards."""
    async with transaction(make) as session:
        await reputation.compare_ratings(Tx(session, system(found.tenant_id), at), found.tenant_id)
    async with make() as session:
        return await session.get_one(ReviewSource, found.id)


async def test_a_fall_is_recorded_once_and_its_end_too(make: Sessions) -> None:
    world = await build.client(make)
    worse, same, few = [await source(make, world.tenant.id) for _ in range(3)]
    for each in (worse, same):
        await written(make, each, 200, 0.9, NOW - 455 * DAY, 364)
    await written(make, worse, 60, 0.6, NOW - 89 * DAY, 88)
    await written(make, same, 60, 0.9, NOW - 89 * DAY, 88)
    await written(make, few, 4, 0.0, NOW - 89 * DAY, 88)
    for _ in range(2):
        fallen = await compared(make, worse, NOW)
        assert fallen.fell_on == NOW.date()
    [fact] = await facts(make, worse, "review_source.rating")
    assert (fact.kind, fact.subject_id) == ("review_source.rating_fell", worse.id)
    assert (fact.body["n_before"], fact.body["n"]) == (200, 60)
    assert fact.body["after_ppm"] == 600_000
    assert fact.body["high_ppm"] < 0 < fact.body["probability_ppm"] + 1
    async with make() as session:
        due = await reputation.companies_to_watch(session, at=NOW, limit=10_000)
        assert world.tenant.id not in {each.id for each in due}
        due = await reputation.companies_to_watch(session, at=NOW + DAY, limit=10_000)
        assert world.tenant.id in {each.id for each in due}
    await written(make, worse, 120, 0.95, NOW, 60)
    over = await compared(make, worse, NOW + 95 * DAY)
    assert over.fell_on is None
    kinds = [each.kind for each in await facts(make, worse, "review_source.rating")]
    assert kinds == ["review_source.rating_fell", "review_source.rating_recovered"]


def test_of_quiet_sources_few_are_reported() -> None:
    chance, raised = random.Random(5), 0
    for _ in range(200):  # companies with eight sources, of which nothing changed
        series = {}
        for key in range(8):
            windows = []
            for n in (150, 40):
                hits = sum(chance.random() < 0.85 for _ in range(n))
                windows.append(ScoredWindow(n, hits / n, partial(bounds, hits, n)))
            series[key] = ComparedScore(*windows)
        raised += bool(falls(series))
    assert raised / 200 <= 0.1


def bounds(hits: int, n: int, z: float) -> tuple[float, float]:
    """Wilson's interval as shares."""
    low, high = wilson(hits, n, z=z)
    return low / 100, high / 100
