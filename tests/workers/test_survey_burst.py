"""A burst of answers over HTTP to real processes: each is stored once, and live subscribers see each score in order."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import func, insert, select
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

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
from tests.uploading import Program

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

MANY = int(os.environ.get("WAARBORG_BURST", "240"))
SUBSCRIBERS = int(os.environ.get("WAARBORG_BURST_SUBSCRIBERS", "2"))
PROTOCOL = "graphql-transport-ws"

FOLLOW = """subscription ($id: ID!, $after: String) { surveyEvents(accountId: $id, after: $after) {
  kind gap cursor subjectId surveyScores { answered questions { question score { n } } } } }"""
SCORES = "{ surveyScores { answered questions { question score { n } } } }"
AT_ONCE = 24
TWICE = 10
"""Every so many-th link is pressed twice, at the same time."""


async def invited(api: Api, office: Office) -> list[str]:
    """Ask many contacts, and return the paths of their links."""
    world, at = office.world, api.state.now()
    rule = await survey(api.make, world.tenant.id, at, Trigger.YEARLY)
    people, invitations = ([uuid7() for _ in range(MANY)] for _ in range(2))
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
            contacts=MANY,
            asked=MANY,
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
async def at_work(program: Program, workers: Workers) -> AsyncIterator[None]:
    """The API and a worker, each in processes of its own as in an installation."""
    program.start()
    workers.start()
    try:
        async with httpx2.AsyncClient() as http, asyncio.timeout(120):
            while True:
                with suppress(httpx2.TransportError):
                    if (await http.get(f"{program.address}/readyz")).status_code == 200:
                        break
                await asyncio.sleep(0.2)
        yield
    finally:
        workers.kill()
        program.kill()


async def followed(program: Program, api: Api, office: Office, token: str) -> list[tuple[str, int]]:
    """Follow answers until there were so many; resume by cursor as a client does. Subject and n of each event."""
    seen: list[tuple[str, int]] = []
    place = cursor.of_seq(api.state.cursor_secret, office.world.tenant.id, 0)
    url = program.address.replace("http", "ws", 1)
    while len(seen) < MANY:
        async with connect(f"{url}/graphql", subprotocols=[Subprotocol(PROTOCOL)]) as connection:
            socket = asking.Socket(connection)
            await socket.init(token)
            await socket.subscribe("1", FOLLOW, id=office.account, after=place)
            while len(seen) < MANY:
                event = (await socket.next())["surveyEvents"]
                place = event["cursor"]
                if event["gap"]:
                    break
                if event["kind"] == "survey.answered":
                    found = event["surveyScores"]["questions"]
                    counts = {each["question"]: each["score"]["n"] for each in found}
                    seen.append((event["subjectId"], counts["experience"]))
    return seen


async def stored(api: Api, office: Office) -> list[UUID]:
    """Return the responses of the account by the order of their facts; each is one row."""
    account_id = office.world.account.id
    async with api.make() as session:
        mine = SurveyResponse.account_id == account_id
        assert await session.scalar(select(func.count()).where(mine)) == MANY
        order = await session.scalars(
            select(LedgerRow.subject_id)
            .where(LedgerRow.account_id == account_id, LedgerRow.kind == "survey.answered")
            .order_by(LedgerRow.seq)
        )
        return list(order)


async def test_a_burst_of_answers_is_stored_once_each_and_followed_in_order(
    database_url: str,
    redis_url: str,
    system_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WAARBORG_BUDGET_PER_S", "1e9")  # scores for each of thousands of events
    monkeypatch.setenv("WAARBORG_BUDGET_BURST", "1e12")
    configured = asking.settings(database_url, redis_url, tmp_path)
    program = Program(configured)
    workers = Workers(
        Settings(database_url=system_url, redis_url=redis_url, data=tmp_path, sentiment="plain")
    )
    async with asking.running(configured) as api, at_work(program, workers):
        office = await asking.office(api)
        links = await invited(api, office)
        turns = asyncio.Semaphore(AT_ONCE)
        took: list[float] = []

        async def send(http: httpx2.AsyncClient, number: int, path: str) -> int:
            async with turns:
                data = {"experience": str(1 + number % 5), "recommend": str(number % 11)}
                began = time.perf_counter()
                status = (await http.post(path, data=data)).status_code
                took.append(time.perf_counter() - began)
                return status

        watching = [
            asyncio.create_task(followed(program, api, office, token))
            for token in (office.manager, office.manager, office.dispatcher)[:SUBSCRIBERS]
        ]
        jobs = [
            (n, path) for n, path in enumerate(links) for _ in range(2 if n % TWICE == 0 else 1)
        ]
        idle = program.cpu_s()
        began = time.perf_counter()
        async with httpx2.AsyncClient(base_url=program.address, timeout=60) as http:
            statuses = Counter(await asyncio.gather(*(send(http, n, path) for n, path in jobs)))
        sent = time.perf_counter() - began
        async with asyncio.timeout(30 + MANY / 10):
            seen = await asyncio.gather(*watching)
        lag = time.perf_counter() - began - sent
        spent = program.cpu_s() - idle
        took.sort()
        print(  # noqa: T201
            f"{MANY} answers in {sent:.1f} s, {MANY / sent:.0f} a second; p50 {took[len(took) // 2] * 1e3:.0f} ms,"
            f" p99 {took[int(len(took) * 0.99)] * 1e3:.0f} ms; the subscribers {lag:.1f} s behind;"
            f" {1e3 * spent / MANY:.2f} ms of CPU of the API an answer; {dict(statuses)}"
        )
        assert statuses == {200: len(jobs)}
        in_order = await stored(api, office)
        assert len(set(in_order)) == MANY
        for events in seen:
            assert [ids.known(subject, "SurveyResponse") for subject, _ in events] == in_order
            counts = [count for _, count in events]
            assert counts == sorted(counts)
            assert counts[-1] == MANY
        found = (await api.data(office.manager, SCORES))["surveyScores"]
        assert found["answered"] == MANY
        assert {each["score"]["n"] for each in found["questions"]} == {MANY}
        # The time of the clock is the machine's; the CPU says whether one core answers 2,000 in a minute.
        assert 2_000 * spent / MANY < 60
