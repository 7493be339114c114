"""A bitter comment beside a 5: answered by link, read by a worker, followed, corrected, hidden from the client."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from domain.core import cursor
from domain.core.db import transaction
from domain.surveys import SurveyInvitation, Trigger
from tests.api import asking
from tests.surveying import ask, survey
from tests.workers.conftest import Working

pytestmark = pytest.mark.anyio

TEXT = "De nachtdienst kwam weer veel te laat, zeer slecht."
READ = """query ($id: ID) { surveyResponses(accountId: $id) { nodes { answers { words sentiment {
  id polarity label readLabel method version taxonomyVersion words suggestedTheme score scoreDisagrees rowVersion
  themes { theme parent words } response { id } } } } } }"""
LIST = """query ($id: ID) { textSentiments(accountId: $id, disagreeing: true) { nodes { id label } } }"""
CORRECT = """mutation ($input: CorrectSentimentInput!) { correctSentiment(input: $input) {
  ... on TextSentiment { label readLabel scoreDisagrees correctedBy } ... on Refusal { code } } }"""
REVISE = """mutation ($input: ReviseThemeWordsInput!) { reviseThemeWords(input: $input) {
  ... on ThemeTaxonomy { number changes { theme added removed } } ... on Refusal { code argument } } }"""
FOLLOW = """subscription ($id: ID, $after: String) { sentimentEvents(accountId: $id, disagreeing: true, after: $after) {
  kind body subjectId ids } }"""
FORCE = "{ themesInForce { version themes { theme parent words } } }"
TREND = (
    "query ($id: ID) { sentimentTrend(accountId: $id) { monthOn n negative tooFew share { low } } }"
)


async def test_a_bitter_comment_is_read_followed_and_corrected(
    database_url: str, redis_url: str, tmp_path: Path, working: Working
) -> None:
    async with asking.serving(asking.settings(database_url, redis_url, tmp_path)) as server:
        api = server.api
        office = await asking.office(api)
        await survey(api.make, office.world.tenant.id, api.state.now(), Trigger.QUARTERLY)
        [invitation, *_] = await ask(api.make, office.world.account, api.state.now())
        link = f"/s/{api.state.survey_links.token(invitation.id)}"
        given = {"experience": "5", "improve": TEXT}
        assert (await api.http.post(link, data=given)).status_code == 200

        async def sentiment(token: str) -> Any:
            found = (await api.data(token, READ, id=office.account))["surveyResponses"]["nodes"]
            answers = [each for row in found for each in row["answers"] if each["words"]]
            return answers[0]["sentiment"] if answers else None

        async with working(), asyncio.timeout(90):
            while await sentiment(office.manager) is None:  # noqa: ASYNC110 - a worker reads it
                await asyncio.sleep(0.1)
        found = await sentiment(office.manager)
        assert (found["label"], found["scoreDisagrees"], found["score"]) == ("NEGATIVE", True, 1.0)
        assert (found["method"] in {"PLAIN", "E5"}, found["version"] != "") == (True, True)
        assert -1 <= found["polarity"] <= -0.25
        assert found["words"]
        [late] = [each for each in found["themes"] if each["theme"] == "PUNCTUALITY"]
        assert (late["parent"], late["words"]) == ("QUALITY", ["kwam weer veel te laat"])
        for wrong in (office.client, office.dispatcher):
            assert await sentiment(wrong) is None
            assert (await api.data(wrong, LIST, id=office.account))["textSentiments"]["nodes"] == []
            assert (await api.ask(wrong, FORCE))["errors"]
            assert (await api.data(wrong, TREND, id=office.account))["sentimentTrend"] == []
            refused = await api.data(wrong, CORRECT, input={"id": found["id"], "label": "POSITIVE"})
            assert refused["correctSentiment"]["code"] == "NOT_ALLOWED"
            words = {"theme": "TECHNOLOGY", "add": ["zoemer"]}
            refused = await api.data(wrong, REVISE, input=words)
            assert refused["reviseThemeWords"]["code"] == "NOT_ALLOWED"
        [listed] = (await api.data(office.manager, LIST, id=office.account))["textSentiments"][
            "nodes"
        ]
        assert listed["id"] == found["id"]
        [month] = (await api.data(office.manager, TREND, id=office.account))["sentimentTrend"]
        assert (month["n"], month["tooFew"], month["share"]) == (1, True, None)

        stale = {"id": found["id"], "label": "POSITIVE", "expectedVersion": 7}
        assert (await api.data(office.manager, CORRECT, input=stale))["correctSentiment"] == {
            "code": "STALE_VERSION"
        }
        right = {"id": found["id"], "label": "NEUTRAL", "expectedVersion": found["rowVersion"]}
        done = (await api.data(office.manager, CORRECT, input=right))["correctSentiment"]
        assert (done["label"], done["readLabel"], done["scoreDisagrees"]) == (
            "NEUTRAL", "NEGATIVE", False,
        )  # fmt: skip
        assert done["correctedBy"].startswith("user:")
        revised = (
            await api.data(office.manager, REVISE, input={"theme": "TECHNOLOGY", "add": ["Zoemer"]})
        )["reviseThemeWords"]
        assert revised == {
            "number": 1,
            "changes": [{"theme": "TECHNOLOGY", "added": ["zoemer"], "removed": []}],
        }
        force = (await api.data(office.manager, FORCE))["themesInForce"]
        assert force["version"].endswith(".1")
        assert len(force["themes"]) == 12

        start = cursor.of_seq(api.state.cursor_secret, office.world.tenant.id, 0)
        # A worker may stop between the reading of an answer and the numbering of its fact: another numbers it.
        async with working(), server.socket(office.manager) as socket:
            await socket.subscribe("1", FOLLOW, id=office.account, after=start)
            event = (await socket.next())["sentimentEvents"]
        assert (event["kind"], event["body"]["disagrees"]) == ("sentiment.read", True)
        assert event["subjectId"] == found["id"]
        assert event["ids"]["response_id"] == found["response"]["id"]
        async with transaction(api.make) as session:
            answered = await session.scalar(
                select(SurveyInvitation.is_answered).where(SurveyInvitation.id == invitation.id)
            )
        assert answered
