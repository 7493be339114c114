"""Sources of reviews are read over HTTP: after a storm of faults the store equals the platform."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from domain.core.db import Sessions
from domain.core.deferral import Subject
from domain.core.encryption import SecretCipher
from domain.core.settings import Settings
from domain.reputation import ReviewSource, ReviewSourceKind, ReviewState, kiyoh_review
from tests import build
from tests.reviewing import VAULT, source, stored, versions
from tests.workers.review_platforms import CREDENTIALS, FEED, KIND, LOCATIONS, Platform, platform
from workers.outbound.review_http import ReviewHttp
from workers.periodic import WorkContext
from workers.reviews import ReviewReading, read_reviews, read_source

pytestmark = pytest.mark.anyio
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
KINDS = (KIND.GOOGLE, KIND.KIYOH, KIND.TRUSTPILOT, KIND.JSON_FEED)
FAULTS = (
    "429",
    "500",
    "expired",
    "not json",
    "empty",
    "repeats",
    "shuffled",
    "broken entry",
    None,
    None,
)


@dataclass
class Reader:
    """A source that is read from a platform, as of a clock of the test's own."""

    make: Sessions
    found: ReviewSource
    reading: ReviewReading
    at: datetime

    async def read(self, later: timedelta = DAY) -> ReviewSource:
        """Read the source; return it as it stands afterwards."""
        self.at += later
        await read_source(self.reading, Subject(self.found.tenant_id, self.found.id), at=self.at)
        async with self.make() as session:
            return await session.get_one(ReviewSource, self.found.id)


@asynccontextmanager
async def reader(make: Sessions, of: Platform) -> AsyncIterator[Reader]:
    """A company with a source at the platform."""
    world = await build.client(make)
    settings = FEED if of.kind is KIND.JSON_FEED else {"token_url": f"{of.url}/token"}
    location = LOCATIONS.get(of.kind, "Utrecht")
    found = await source(
        make, world.tenant.id, of.kind, url=of.url, location=location, settings=settings,
        credentials=CREDENTIALS[of.kind],
    )  # fmt: skip
    http = ReviewHttp(loopback=True)
    try:
        yield Reader(make, found, ReviewReading(make, VAULT, http), datetime.now(UTC))
    finally:
        await http.close()


async def must_equal(at: Reader, of: Platform) -> None:
    """The reviews that are not gone are those of the platform, word for word."""
    rows = await stored(at.make, at.found)
    live = {name: row for name, row in rows.items() if row.state is not ReviewState.GONE}
    assert {name: (row.words, row.share, row.reply_words) for name, row in live.items()} == {
        name: (row.words, shares(of.kind)(row.stars), row.reply) for name, row in of.reviews.items()
    }


def shares(kind: ReviewSourceKind) -> Callable[[int], float]:
    """How stars become a share of the scale."""
    if kind is KIND.KIYOH:
        return lambda stars: (stars * 2 - 1) / 9
    return lambda stars: (stars - 1) / 4


async def storm(make: Sessions, kind: ReviewSourceKind, reviews: int, rounds: int) -> None:
    """Edit, delete and add reviews while the platform fails in every way, then read twice in peace."""
    chance = random.Random(f"{kind} {reviews}")
    async with platform(kind, reviews) as of, reader(make, of) as at:
        served: dict[str, set[str]] = {name: {row.words} for name, row in of.reviews.items()}
        number = reviews
        for turn in range(rounds):
            for _ in range(1 + reviews // 20):
                name = chance.choice(sorted(of.reviews))
                kind_of = chance.random()
                if kind_of < 0.5:
                    words, stars = f"Tekst {chance.random()}", chance.randint(1, 5)
                    of.edit(name, at.at + MINUTE, words=words, stars=stars)
                    served[name].add(words)
                elif kind_of < 0.7:
                    of.edit(name, at.at + MINUTE, reply=chance.choice(["Dank", None]))
                elif kind_of < 0.85:
                    del of.reviews[name]
                else:
                    of.write(number, at.at + MINUTE)
                    served[f"{kind}-{number}"] = {f"Tekst {number}"}
                    number += 1
            of.fault = FAULTS[turn % len(FAULTS)]
            await at.read(chance.choice([DAY, 16 * MINUTE]))
        of.fault = None
        for _ in range(2):
            calm = await at.read(2 * DAY)
            assert (calm.failures, calm.error) == (0, None)
        await must_equal(at, of)
        found = await versions(make, at.found)
        assert {
            name: {each[2] for each in rows} <= served[name] for name, rows in found.items()
        } == (dict.fromkeys(found, True))


@pytest.mark.parametrize("kind", KINDS)
async def test_after_a_storm_the_store_equals_the_platform(
    make: Sessions, kind: ReviewSourceKind
) -> None:
    await storm(make, kind, 70, 12)


@pytest.mark.slow
async def test_after_a_storm_of_20_000_reviews_the_store_equals_the_platform(
    make: Sessions,
) -> None:
    await storm(make, KIND.TRUSTPILOT, 20_000, 6)


async def test_too_many_requests_wait_as_asked_and_an_expired_token_is_renewed(
    make: Sessions,
) -> None:
    async with platform(KIND.GOOGLE, 3) as of, reader(make, of) as at:
        of.fault = "429"
        late = await at.read()
        assert late.failures == 1
        assert "429" in (late.error or "")
        assert late.next_read_at is not None
        assert late.next_read_at - datetime.now(UTC) > timedelta(seconds=100)
        of.fault = "expired"
        good = await at.read()
        assert (good.failures, good.error, len(await stored(make, at.found))) == (0, None, 3)
        assert good.sealed != late.sealed  # the platform gave a new refresh token
        assert of.tokens >= 2


async def test_an_outage_that_lists_nothing_makes_nothing_gone(make: Sessions) -> None:
    async with platform(KIND.GOOGLE, 4) as of, reader(make, of) as at:
        await at.read()
        of.fault = "empty"
        for _ in range(3):
            assert "states 4 reviews and listed 0" in ((await at.read()).error or "")
        assert {row.state for row in (await stored(make, at.found)).values()} == {ReviewState.LIVE}


async def test_an_entry_that_cannot_be_understood_is_left_out_alone(make: Sessions) -> None:
    async with platform(KIND.TRUSTPILOT, 2) as of, reader(make, of) as at:
        of.fault = "broken entry"
        found = await at.read()
        assert (found.unreadable, found.failures, len(await stored(make, at.found))) == (2, 0, 2)


async def test_a_read_goes_back_two_intervals_before_the_last_one(make: Sessions) -> None:
    async with platform(KIND.GOOGLE) as of, reader(make, of) as at:
        for number in range(60):
            of.write(number, at.at - number * DAY)
        await at.read(MINUTE)
        first = len(of.asked)
        of.edit(f"{KIND.GOOGLE}-59", at.at - 20 * MINUTE, words="Laat gemeld")
        await at.read(5 * MINUTE)
        assert len(of.asked) == first + 2  # a token and one of two pages
        assert (await stored(make, at.found))[f"{KIND.GOOGLE}-59"].words == "Laat gemeld"


async def test_a_broken_source_does_not_hold_up_others(make: Sessions, settings: Settings) -> None:
    async with platform(KIND.KIYOH, 3) as broken, platform(KIND.KIYOH, 3) as sound:
        vault = SecretCipher.of(settings)
        rows = []
        for of in (broken, sound):
            world = await build.client(make)
            rows.append(
                await source(
                    make, world.tenant.id, KIND.KIYOH, url=of.url, location="77", vault=vault,
                    credentials=CREDENTIALS[KIND.KIYOH],
                )
            )  # fmt: skip
        broken.delay_s = 3_600
        work = WorkContext(make, settings.model_copy(update={"webhook_loopback": True}))
        reading = asyncio.create_task(read_reviews(work, 16))
        try:
            async with asyncio.timeout(60):
                while len(await stored(make, rows[1])) < 3:  # noqa: ASYNC110 - a task reads them
                    await asyncio.sleep(0.05)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        assert await stored(make, rows[0]) == {}


def test_two_ratings_of_kiyoh_differ_and_the_overall_answer_counts() -> None:
    def entry(name: str, rating: int, overall: str, more: str = "") -> dict[str, object]:
        answers = [("DEFAULT_OVERALL", overall), ("DEFAULT_OPINION", more), ("positive", "Snel")]
        return {
            "reviewId": name, "reviewAuthor": "Jan", "rating": rating, "city": "Zwolle",
            "dateSince": "2026-01-05T10:00:00.000+01:00", "updatedSince": None,
            "reviewContent": [
                {"questionGroup": group, "questionType": "TEXT", "rating": said}
                for group, said in (*answers, ("DEFAULT_RECOMMEND", "true"))
            ],
        }  # fmt: skip

    found = [
        kiyoh_review(each)
        for each in (entry("KIYNL-1", 9, "8"), entry("2", 1, "9", "Goed"), entry("3", 10, "10"))
    ]
    assert [(each.stated_rating, each.rating) for each in found] == [(9, 8), (1, 9), (10, 10)]
    assert sum(each.stated_rating != each.rating for each in found) == 2
    assert [each.recommends for each in found] == [True] * 3
    assert (found[0].words, found[1].words, found[0].external_id) == (None, "Goed", "KIYNL-1")
