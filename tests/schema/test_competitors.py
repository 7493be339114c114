"""Competitors: figures are entered with day and source, and the share of voice guesses nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.reputation import ReviewSourceKind
from tests.api import asking
from tests.api.asking import Api, Office
from tests.reviewing import read, source, take

pytestmark = pytest.mark.anyio
REFUSAL = "... on Refusal { code argument }"
ADD = f"""mutation ($input: AddCompetitorInput!) {{ addCompetitor(input: $input) {{
  ... on Competitor {{ id name }} {REFUSAL} }} }}"""
ENTER = f"""mutation ($input: EnterCompetitorFigureInput!) {{ enterCompetitorFigure(input: $input) {{
  ... on CompetitorFigure {{ id reviews }} {REFUSAL} }} }}"""
LIST = "{ competitors { nodes { id figures { reviews url } } } }"
VOICE = """query ($from: Date!, $until: Date!) { shareOfVoice(platform: GOOGLE, fromOn: $from, untilOn: $until) {
  competitor { name } n share rating } }"""


async def one(api: Api, token: str, document: str, **given: Any) -> dict[str, Any]:
    """What a mutation answers."""
    [answer] = (await api.data(token, document, input=given)).values()
    found: dict[str, Any] = answer
    return found


async def test_share_of_voice_counts_new_reviews_of_those_with_figures(
    api: Api, office: Office
) -> None:
    today = api.state.now().date()
    start = today - timedelta(days=30)
    for token in (office.client, office.dispatcher):
        assert (await one(api, token, ADD, name="Ander"))["code"] == "NOT_ALLOWED"
    ids = [(await one(api, office.manager, ADD, name=name))["id"] for name in ("Ander", "Nieuw")]
    assert (await one(api, office.manager, ADD, name="Ander"))["code"] == "ALREADY_EXISTS"
    figure = {"platform": "GOOGLE", "url": "https://maps.example/a", "share": 0.7}
    for competitor, day, reviews in ((0, start, 40), (0, today, 46), (1, today, 500)):
        entered = await one(
            api, office.manager, ENTER, competitorId=ids[competitor], readOn=day.isoformat(),
            reviews=reviews, **figure,
        )  # fmt: skip
        assert entered["reviews"] == reviews
    for wrong, argument in (
        ({"readOn": (today + timedelta(days=2)).isoformat()}, "readOn"), ({"reviews": -1}, "reviews"),
        ({"share": 1.5}, "share"), ({"url": " "}, "url"), ({}, "readOn"),
    ):  # fmt: skip
        given = figure | {"readOn": today.isoformat(), "reviews": 1} | wrong
        answer = await one(api, office.manager, ENTER, competitorId=ids[0], **given)
        assert answer.get("argument") == argument, (wrong, answer)
    found = await source(api.make, office.world.tenant.id, ReviewSourceKind.GOOGLE)
    at = datetime.now(UTC) - timedelta(days=3)
    page = [read(f"r{n}", rating=5.0, written_at=at, changed_at=at) for n in range(2)]
    await take(api.make, found, *page, at=at)
    asked = {"from": start.isoformat(), "until": today.isoformat()}
    shares = (await api.data(office.manager, VOICE, **asked))["shareOfVoice"]
    assert [(each["competitor"], each["n"], each["share"]) for each in shares] == [
        ({"name": "Ander"}, 6, 0.75), (None, 2, 0.25),
    ]  # fmt: skip
    assert (shares[1]["rating"], shares[0]["rating"]) == (1, 0.7)
    stranger = await asking.office(api)
    assert (await api.data(stranger.manager, LIST))["competitors"]["nodes"] == []
    answer = await one(
        api, stranger.manager, ENTER, competitorId=ids[0], readOn=today.isoformat(), reviews=1,
        **figure,
    )  # fmt: skip
    assert answer["code"] == "NOT_FOUND"
    for token in (office.client, office.dispatcher):
        assert (await api.data(token, LIST))["competitors"]["nodes"] == []
