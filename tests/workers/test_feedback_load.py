"""Ten thousand comments in a worker of its own: each is read once while the API answers as before."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from domain.core.base import uuid7
from domain.core.db import transaction
from domain.core.settings import Settings
from domain.feedback import TextSentiment
from domain.surveys import QuestionKind
from domain.surveys.model import SurveyAnswer, SurveyResponse
from tests.answering import answered
from tests.api import asking
from tests.api.asking import Api
from tests.journeys.watching import Workers

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

MANY = 10_000
QUERY = "query ($id: ID) { incidents(accountId: $id, first: 20) { nodes { id status promises { state } } } }"
TEXTS = (
    "De nachtdienst kwam weer een half uur te laat en niemand belde ons daarover.",
    "Vriendelijke beveiliger, kent het terrein goed en is altijd op tijd aanwezig.",
    "The report arrived on Monday, complete and with photos of the broken gate.",
)


async def stored(api: Api, office: asking.Office) -> None:
    """Store ten thousand responses with one comment each, which no worker has read."""
    world, at = office.world, datetime.now(UTC)
    [first] = await answered(api.make, world, [(5, TEXTS[0])], at)
    async with transaction(api.make) as session:
        answer = await session.get_one(SurveyAnswer, first)
        response = await session.get_one(SurveyResponse, answer.response_id)
        same = {
            "tenant_id": world.tenant.id, "account_id": world.account.id, "survey_id": response.survey_id,
            "version_id": response.version_id, "language": "nl", "answered_at": at,
        }  # fmt: skip
        ids = [uuid7() for _ in range(MANY - 1)]
        await session.execute(insert(SurveyResponse), [same | {"id": each} for each in ids])
        own = {"tenant_id": world.tenant.id, "account_id": world.account.id}
        await session.execute(
            insert(SurveyAnswer),
            [
                own
                | {
                    "response_id": each, "question": "improve", "kind": QuestionKind.TEXT,
                    "words": f"{TEXTS[at % len(TEXTS)]} ({at})",
                }
                for at, each in enumerate(ids)
            ],
        )  # fmt: skip


async def asked(api: Api, office: asking.Office, seconds: float) -> list[float]:
    """Ask ten times a second; the seconds that each answer took, sorted."""
    took, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        await api.data(office.manager, QUERY, id=office.account)
        took.append(time.perf_counter() - began)
        await asyncio.sleep(max(0.0, 0.1 - took[-1]))
    return sorted(took)


def p99(took: list[float]) -> float:
    return took[int(len(took) * 0.99)] * 1e3


async def test_ten_thousand_comments_are_read_while_the_api_answers(
    database_url: str, redis_url: str, system_url: str, tmp_path: Path
) -> None:
    configured = asking.settings(
        database_url, redis_url, tmp_path, budget_per_s=1e9, budget_burst=1e12
    )
    async with asking.running(configured) as api:
        office = await asking.office(api)
        await stored(api, office)
        mine = (SurveyAnswer.account_id == office.world.account.id, SurveyAnswer.words.is_not(None))
        async with transaction(api.make) as session:  # nothing to read yet
            await session.execute(update(SurveyAnswer).where(*mine).values(words_unread=False))
        workers = Workers(
            Settings(database_url=system_url, redis_url=redis_url, data=tmp_path, sentiment="plain")
        )
        try:
            workers.start()
            await asyncio.sleep(10)  # the worker compiles and loads
            before = await asked(api, office, 20)
            async with transaction(api.make) as session:
                await session.execute(update(SurveyAnswer).where(*mine).values(words_unread=True))
            began = time.perf_counter()
            during: list[float] = []
            count = 0
            while count < MANY and time.perf_counter() - began < 900:
                during += await asked(api, office, 2)
                async with api.make() as session:
                    found = await session.scalar(
                        select(func.count()).where(
                            TextSentiment.account_id == office.world.account.id
                        )
                    )
                    count = found or 0
            took = time.perf_counter() - began
        finally:
            workers.kill()
        during.sort()
        print(  # noqa: T201
            f"{count} texts in {took:.1f} s, {took / MANY * 1e3:.2f} ms each with storing; API p50"
            f" {before[len(before) // 2] * 1e3:.1f} → {during[len(during) // 2] * 1e3:.1f} ms,"
            f" p99 {p99(before):.1f} → {p99(during):.1f} ms of {len(during)}"
        )
        assert count == MANY
        assert p99(during) < max(3 * p99(before), p99(before) + 100)
