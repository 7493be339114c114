"""A burst of answers over HTTP: each stored once though pressed twice, and live subscribers see each score in order."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, insert, select

from domain.access import Tx
from domain.accounts import Contact
from domain.core import cursor
from domain.core.base import uuid7
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.core.settings import Settings
from domain.surveys import (
    SurveyInvitation,
    SurveyPurpose,
    SurveyResponse,
    SurveyWave,
    Trigger,
    published,
)
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api, Office
from tests.journeys.watching import Workers
from tests.surveying import survey, system

pytestmark = pytest.mark.anyio

FOLLOW = """subscription ($id: ID!, $after: String) { surveyEvents(accountId: $id, after: $after) {
  kind gap cursor subjectId surveyScores { answered questions { question score { n } } } } }"""
SCORES = "{ surveyScores { answered questions { question score { n } } } }"
AT_ONCE = 24


async def invited(api: Api, office: Office, many: int) -> list[str]:
    """Ask so many contacts, and return the paths of their links."""
    world, at = office.world, api.state.now()
    rule = await survey(api.make, world.tenant.id, at, Trigger.YEARLY)
    people, invitations = ([uuid7() for _ in range(many)] for _ in range(2))
    own = {"tenant_id": world.tenant.id, "account_id": world.account.id}
    async with transaction(api.make) as session:
        version = await published(Tx(session, system(world.tenant.id), at), rule.questionnaire_id)
        assert version is not None
        wave = SurveyWave(
            **own,
            survey_id=rule.id,
            name="burst",
            due_at=at,
            decided_at=at,
            contacts=many,
            asked=many,
        )
        session.add(wave)
        await session.flush()
        await session.execute(
            insert(Contact),
            [own | {"id": each, "name": f"C {each}", "role": "x"} for each in people],
        )
        asked = {
            "survey_id": rule.id, "wave_id": wave.id, "version_id": version.id,
            "purpose": SurveyPurpose.RELATIONSHIP, "decided_at": at, "closes_at": at + timedelta(days=14),
        }  # fmt: skip
        await session.execute(
            insert(SurveyInvitation),
            [
                own | asked | {"id": each, "contact_id": contact, "person": str(contact)}
                for each, contact in zip(invitations, people, strict=True)
            ],
        )
    return [f"/s/{api.state.survey_links.token(each)}" for each in invitations]


@asynccontextmanager
async def at_work(workers: Workers) -> AsyncIterator[None]:
    """A worker in a process of its own, as in an installation."""
    workers.start()
    try:
        yield
    finally:
        workers.kill()


async def followed(server: Any, office: Office, many: int) -> list[tuple[str, int]]:
    """Follow answers until there were so many; resume by cursor as a client does. Subject and n of each event."""
    seen: list[tuple[str, int]] = []
    place = cursor.of_seq(server.api.state.cursor_secret, office.world.tenant.id, 0)
    while len(seen) < many:
        async with server.socket(office.manager) as socket:
            await socket.subscribe("1", FOLLOW, id=office.account, after=place)
            while len(seen) < many:
                event = (await socket.next())["surveyEvents"]
                place = event["cursor"]
                if event["gap"]:
                    break
                if event["kind"] == "survey.answered":
                    found = event["surveyScores"]["questions"]
                    counts = {each["question"]: each["score"]["n"] for each in found}
                    seen.append((event["subjectId"], counts["experience"]))
    return seen


@pytest.mark.parametrize(
    "many", [pytest.param(60, id="60"), pytest.param(2_000, id="2000", marks=pytest.mark.slow)]
)
async def test_a_burst_of_answers_is_stored_once_each_and_followed_in_order(
    database_url: str, redis_url: str, system_url: str, tmp_path: Path, many: int
) -> None:
    configured = asking.settings(
        database_url, redis_url, tmp_path, budget_per_s=1e9, budget_burst=1e12
    )
    workers = Workers(
        Settings(database_url=system_url, redis_url=redis_url, data=tmp_path, sentiment="plain")
    )
    async with asking.serving(configured) as server, at_work(workers):
        api = server.api
        office = await asking.office(api)
        links = await invited(api, office, many)
        turns = asyncio.Semaphore(AT_ONCE)
        took: list[float] = []

        async def send(http: httpx2.AsyncClient, number: int, path: str) -> int:
            async with turns:
                data = {"experience": str(1 + number % 5), "recommend": str(number % 11)}
                began = time.perf_counter()
                status = (await http.post(path, data=data)).status_code
                took.append(time.perf_counter() - began)
                return status

        watching = asyncio.create_task(followed(server, office, many))
        jobs = [(n, path) for n, path in enumerate(links) for _ in range(2)]  # pressed twice
        url = f"http://127.0.0.1:{server.port}"
        began = time.perf_counter()
        async with httpx2.AsyncClient(base_url=url, timeout=60) as http:
            statuses = Counter(await asyncio.gather(*(send(http, n, path) for n, path in jobs)))
        sent = time.perf_counter() - began
        async with asyncio.timeout(30 + many / 10):
            seen = await watching
        lag = time.perf_counter() - began - sent
        took.sort()
        print(  # noqa: T201
            f"{2 * many} requests in {sent:.1f} s, {2 * many / sent:.0f} a second; p50 {took[many] * 1e3:.0f} ms,"
            f" p99 {took[int(len(took) * 0.99)] * 1e3:.0f} ms; the subscriber {lag:.1f} s behind; {dict(statuses)}"
        )
        assert statuses == {200: 2 * many}
        async with api.make() as session:
            mine = SurveyResponse.account_id == office.world.account.id
            stored = await session.scalar(select(func.count()).where(mine))
            order = await session.scalars(
                select(LedgerRow.subject_id)
                .where(
                    LedgerRow.account_id == office.world.account.id,
                    LedgerRow.kind == "survey.answered",
                )
                .order_by(LedgerRow.seq)
            )
            assert stored == many
            in_order = list(order)
        assert [ids.known(subject, "SurveyResponse") for subject, _ in seen] == in_order
        assert len(set(in_order)) == many
        counts = [count for _, count in seen]
        assert counts == sorted(counts)
        assert counts[-1] == many
        found = (await api.data(office.manager, SCORES))["surveyScores"]
        assert found["answered"] == many
        assert {each["score"]["n"] for each in found["questions"]} == {many}
