"""A survey from the rule to the score: asked by letter, looked at by scanners, answered by link, followed, exported."""

import asyncio
import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from domain.core import cursor
from schema.core import ids
from tests.api import asking
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
