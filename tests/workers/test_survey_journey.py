"""A survey from the rule to the score: asked by letter, looked at by scanners, answered by link, followed, exported."""

import asyncio
import re
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, insert, select

from domain.access import Tx
from domain.accounts import Contact
from domain.core import cursor
from domain.core.base import uuid7
from domain.core.db import transaction
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
from tests.surveying import survey, system
from tests.workers.conftest import Working

pytestmark = pytest.mark.anyio

STANDARD = "mutation { addStandardQuestionnaire(input: {}) { ... on Questionnaire { id } } }"
ADD = """mutation ($input: AddSurveyInput!) { addSurvey(input: $input) {
  ... on Survey { id purpose oneIn } ... on Refusal { code argument } } }"""
FOLLOW = """subscription ($id: ID!, $after: String) { surveyEvents(accountId: $id, after: $after) {
  kind body surveyScores { answered questions { question score { n } } } } }"""
SCORES = "{ surveyScores { asked answered questions { question score { n estimate { value } } } } }"


def about_surveys(folder: Path) -> list[EmailMessage]:
    """Read the letters with a link to a survey."""
    read = [message_from_bytes(path.read_bytes(), policy=default) for path in folder.rglob("*.eml")]
    return [each for each in read if "/s/" in _text(each)]


async def letters(folder: Path, many: int) -> list[EmailMessage]:
    """Wait for so many letters with a link to a survey."""
    async with asyncio.timeout(90):
        while len(found := about_surveys(folder)) < many:  # noqa: ASYNC110 - a worker writes them
            await asyncio.sleep(0.1)
        return found


def _text(letter: object) -> str:
    assert isinstance(letter, EmailMessage)
    body = letter.get_body(("plain",))
    return "" if body is None else body.get_content()


async def test_a_survey_is_asked_by_letter_answered_by_link_and_followed(
    database_url: str, redis_url: str, tmp_path: Path, working: Working
) -> None:
    async with asking.serving(asking.settings(database_url, redis_url, tmp_path)) as server:
        api = server.api
        office = await asking.office(api)
        standard = (await api.data(office.manager, STANDARD))["addStandardQuestionnaire"]
        given = {"questionnaireId": standard["id"], "name": "Kwartaal", "trigger": "QUARTERLY"}
        for wrong in (office.client, office.dispatcher):
            assert (await api.data(wrong, ADD, input=given))["addSurvey"]["code"] == "NOT_ALLOWED"
        made = (await api.data(office.manager, ADD, input=given))["addSurvey"]
        assert (made["purpose"], made["oneIn"]) == ("RELATIONSHIP", 1)
        start = cursor.of_seq(api.state.cursor_secret, office.world.tenant.id, 0)
        async with working():
            sent = await letters(tmp_path, 2)
            links = {each["To"]: re.findall(r"http://\S+/s/(\S+)", _text(each))[0] for each in sent}
            assert all(
                "List-Unsubscribe" not in each or "/u/" in each["List-Unsubscribe"] for each in sent
            )
            tokens = sorted(links.values())
            for token in tokens * 50:
                assert (await api.http.get(f"/s/{token}?experience=1")).status_code == 200
            assert (await api.data(office.manager, SCORES))["surveyScores"]["answered"] == 0
            for token, number in zip(tokens, ("5", "2"), strict=True):
                done = await api.http.post(f"/s/{token}", data={"experience": number})
                assert done.status_code == 200
            async with server.socket(office.manager) as socket:
                await socket.subscribe("1", FOLLOW, id=office.account, after=start)
                events = [(await socket.next())["surveyEvents"] for _ in range(4)]
        assert [each["kind"] for each in events] == ["survey.asked"] * 2 + ["survey.answered"] * 2
        assert events[3]["surveyScores"]["questions"][0]["score"]["n"] == 2
        assert events[3]["body"]["numbers"] == {"experience": 2}
        path = f"/surveys/{ids.read(made['id'])[1]}.csv"  # type: ignore[index]
        for token, status in (
            (office.manager, 200),
            (office.client, 404),
            (office.dispatcher, 404),
        ):
            answer = await api.http.get(path, headers={"authorization": f"Bearer {token}"})
            assert answer.status_code == status
            if status == 200:
                assert answer.text.splitlines()[0].endswith("weight,experience")
                assert len(answer.text.splitlines()) == 3


@pytest.mark.slow
async def test_two_thousand_answers_in_a_minute_are_each_stored_once(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async with asking.serving(asking.settings(database_url, redis_url, tmp_path)) as server:
        api = server.api
        office = await asking.office(api)
        world, at = office.world, api.state.now()
        rule = await survey(api.make, world.tenant.id, at, Trigger.YEARLY)
        async with transaction(api.make) as session:
            tx = Tx(session, system(world.tenant.id), at)
            version = await published(tx, rule.questionnaire_id)
            assert version is not None
            own = {"tenant_id": world.tenant.id, "account_id": world.account.id}
            wave = SurveyWave(
                **own, survey_id=rule.id, name="burst", due_at=at, decided_at=at,
                contacts=2_000, asked=2_000,
            )  # fmt: skip
            session.add(wave)
            await session.flush()
            people = [uuid7() for _ in range(2_000)]
            invitations = [uuid7() for _ in range(2_000)]
            await session.execute(
                insert(Contact),
                [own | {"id": each, "name": f"C {each}", "role": "x"} for each in people],
            )
            await session.execute(
                insert(SurveyInvitation),
                [
                    own
                    | {
                        "id": each, "survey_id": rule.id, "wave_id": wave.id,
                        "version_id": version.id, "contact_id": contact, "person": str(contact),
                        "purpose": SurveyPurpose.RELATIONSHIP, "decided_at": at,
                        "closes_at": at + timedelta(days=14),
                    }
                    for each, contact in zip(invitations, people, strict=True)
                ],
            )  # fmt: skip
        links = [f"/s/{api.state.survey_links.token(each)}" for each in invitations]
        turns = asyncio.Semaphore(24)
        began = asyncio.get_running_loop().time()

        async def send(http: httpx2.AsyncClient, number: int, path: str) -> int:
            async with turns:
                data = {"experience": str(1 + number % 5), "recommend": str(number % 11)}
                return (await http.post(path, data=data)).status_code

        jobs = [(n, path) for n, path in enumerate(links) for _ in range(2)]  # pressed twice
        url = f"http://127.0.0.1:{server.port}"
        async with httpx2.AsyncClient(base_url=url, timeout=60) as http:
            statuses = await asyncio.gather(*(send(http, n, path) for n, path in jobs))
        took = asyncio.get_running_loop().time() - began
        async with api.make() as session:
            stored = await session.scalar(
                select(func.count()).where(SurveyResponse.survey_id == rule.id)
            )
        print(f"4,000 requests in {took:.1f} s: {4_000 / took:.0f} a second")  # noqa: T201
        assert (set(statuses), stored) == ({200}, 2_000)
        found = (await api.data(office.manager, SCORES))["surveyScores"]
        assert found["answered"] == 2_000
        assert {each["score"]["n"] for each in found["questions"]} == {2_000}
