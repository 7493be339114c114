"""The page of a survey: looking changes nothing, sending answers, correcting until it closes, and only by its link."""

import base64
import random
import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from api.support.telemetry import _shown
from domain.core.ledger import LedgerRow
from domain.surveys import SurveyAnswer, SurveyInvitation, SurveyLinks, SurveyResponse, Trigger
from tests.api import asking
from tests.api.asking import Api, Office
from tests.surveying import ask, decisions, survey

pytestmark = pytest.mark.anyio
FULL = {"experience": "2", "resolved": "0", "recommend": "4", "improve": "Te laat.\r\nTwee keer."}


async def invited(api: Api, office: Office, **more: object) -> list[tuple[SurveyInvitation, str]]:
    """Ask the office's two contacts now; return the invitations with their paths, the Dutch reader's first."""
    at = api.state.now()
    await survey(api.make, office.world.tenant.id, at, Trigger.QUARTERLY, **more)
    await ask(api.make, office.world.account, at + timedelta(seconds=1))
    found = [each for each in await decisions(api.make, office.world.account) if not each.skipped]
    by_contact = {each.contact_id: each for each in found}
    return [
        (by_contact[each.id], f"/s/{api.state.survey_links.token(by_contact[each.id].id)}")
        for each in office.world.contacts
    ]


async def counted(api: Api, office: Office) -> tuple[int, int]:
    """How many responses and facts about answers there are."""
    async with api.make() as session:
        responses = await session.scalar(
            select(func.count()).where(SurveyResponse.account_id == office.world.account.id)
        )
        facts = await session.scalar(
            select(func.count()).where(
                LedgerRow.account_id == office.world.account.id,
                LedgerRow.kind.in_(["survey.answered", "survey.corrected"]),
            )
        )
        return responses or 0, facts or 0


async def answers(api: Api, office: Office) -> dict[str, object]:
    """The stored answers of the account, by question."""
    async with api.make() as session:
        rows = await session.scalars(
            select(SurveyAnswer).where(SurveyAnswer.account_id == office.world.account.id)
        )
        return {each.question: each.words if each.number is None else each.number for each in rows}


async def test_a_scanner_that_follows_every_link_leaves_no_answer(api: Api, office: Office) -> None:
    [(_, dutch), (_, english)] = await invited(api, office)
    for _ in range(50):
        for path in (dutch, f"{english}?experience=1", f"{dutch}?recommend=0&experience=5"):
            assert (await api.http.get(path)).status_code == 200
    assert await counted(api, office) == (0, 0)
    assert 'lang="nl"' in (await api.http.get(dutch)).text
    page = await api.http.get(f"{english}?experience=4")
    filled = page.text
    assert "How would you rate your support experience?" in filled
    assert re.search(r'name="experience" value="4" checked', filled)
    assert "<script" not in filled
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"


async def test_answers_are_stored_once_and_can_be_corrected(api: Api, office: Office) -> None:
    [(invitation, path), _] = await invited(api, office)
    done = await api.http.post(path, data=FULL)
    assert (done.status_code, "Dank u wel" in done.text) == (200, True)
    assert await answers(api, office) == {
        "experience": 2, "resolved": 0, "recommend": 4, "improve": "Te laat.\nTwee keer.",
    }  # fmt: skip
    for _ in range(3):
        assert (
            await api.http.post(path, data=FULL)
        ).status_code == 200  # the button, pressed again
    assert await counted(api, office) == (1, 1)
    shown = (await api.http.get(path)).text
    assert "Te laat.\nTwee keer." in shown
    assert re.search(r'name="recommend" value="4" checked', shown)
    await api.http.post(path, data={"experience": "5", "recommend": ""})
    assert await answers(api, office) == {"experience": 5}
    assert await counted(api, office) == (1, 2)
    async with api.make() as session:
        row = await session.get_one(SurveyInvitation, invitation.id)
        assert row.is_answered


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"experience": "6"},
        {"experience": "x"},
        {"experience": "٣"},
        {"recommend": "10"},
        {"experience": "3", "recommend": "11"},
        {"experience": "3", "improve": "a" * 4_001},
    ],
)
async def test_what_does_not_fit_is_shown_again_and_stores_nothing(
    api: Api, office: Office, wrong: dict[str, str]
) -> None:
    [(_, path), _] = await invited(api, office)
    answer = await api.http.post(path, data=wrong)
    assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)
    assert await counted(api, office) == (0, 0)


async def test_what_people_write_is_text_and_never_markup(api: Api, office: Office) -> None:
    [(_, path), _] = await invited(api, office)
    await api.http.post(path, data=FULL | {"improve": "</textarea><script>alert(1)</script>"})
    shown = (await api.http.get(path)).text
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


async def test_a_link_ends_with_its_survey_and_with_a_withdrawal(api: Api, office: Office) -> None:
    [(invitation, path), (_, other)] = await invited(api, office, open_days=1)
    await api.http.post(path, data=FULL)
    async with api.make() as session, session.begin():
        row = await session.get_one(SurveyInvitation, invitation.id)
        row.closes_at = api.state.now() - timedelta(seconds=1)
    late = await api.http.post(path, data={"experience": "5"})
    assert late.status_code in {200, 410}
    assert "gesloten" in late.text
    assert (await answers(api, office))["experience"] == 2
    assert (await api.http.get(other)).status_code == 200


async def test_an_anonymous_answer_names_nobody_and_is_final(api: Api, office: Office) -> None:
    [(invitation, path), _] = await invited(api, office, is_anonymous=True)
    assert "anoniem" in (await api.http.get(path)).text
    assert (await api.http.post(path, data=FULL)).status_code == 200
    again = await api.http.post(path, data={"experience": "5"})
    assert "anoniem" in again.text
    assert (await answers(api, office))["experience"] == 2
    assert "Te laat" not in (await api.http.get(path)).text
    async with api.make() as session:
        [response] = await session.scalars(
            select(SurveyResponse).where(SurveyResponse.account_id == office.world.account.id)
        )
        [fact] = await session.scalars(
            select(LedgerRow).where(
                LedgerRow.account_id == office.world.account.id,
                LedgerRow.kind == "survey.answered",
            )
        )
    assert (response.invitation_id, response.contact_id) == (None, None)
    assert response.answered_at.hour == response.answered_at.minute == 0
    assert response.id.version == 4
    assert (fact.body["numbers"], fact.body["contact_id"], fact.body["words"]) == ({}, None, None)
    assert str(invitation.id) not in str(fact.body)
    manager = await api.data(
        office.manager,
        "{ surveyResponses { nodes { id } } surveyInvitations { nodes { isAnswered } } }",
    )
    assert manager["surveyResponses"]["nodes"] == []
    assert {each["isAnswered"] for each in manager["surveyInvitations"]["nodes"]} == {None}


async def test_altered_links_all_get_the_same_answer(api: Api, office: Office) -> None:
    [(_, path), _] = await invited(api, office)
    token = path.removeprefix("/s/")
    raw = base64.urlsafe_b64decode(token + "=")
    altered = [
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token[:5] + ("A" if token[5] != "A" else "B") + token[6:],
        token + "A", token[:-1], token.lower(), "x",
        base64.urlsafe_b64encode(raw[:16] + bytes(16)).rstrip(b"=").decode(),
        SurveyLinks(b"another key").token(UUID(bytes=raw[:16])),
        api.state.survey_links.token(UUID(bytes=raw[:16][::-1])),  # signed, and of no invitation
    ]  # fmt: skip
    pages = {
        (page.status_code, page.text)
        for page in [await api.http.get(f"/s/{each}") for each in altered]
    }
    assert {status for status, _ in pages} == {404}
    assert len(pages) == 1
    for each in altered[:4]:
        assert (await api.http.post(f"/s/{each}", data=FULL)).status_code == 404
    assert await counted(api, office) == (0, 0)


async def test_a_hundred_thousand_altered_tokens_are_none(api: Api) -> None:
    links, chance = api.state.survey_links, random.Random(15)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for _ in range(100):
        good = links.token(uuid4())
        assert links.read(good) is not None
        for _ in range(1_000):
            at = chance.randrange(43)
            bad = good[:at] + chance.choice(alphabet.replace(good[at], "")) + good[at + 1 :]
            assert links.read(bad) is None


def test_the_token_is_not_in_the_log() -> None:
    assert _shown("/s/AaIrRZ_5d5GdZKnMeDIS60bBUIZjGwpaRES4JgHNc4o") == "/s/…"


async def test_one_link_takes_so_many_answers_and_no_more(api: Api, office: Office) -> None:
    [(_, path), _] = await invited(api, office)
    statuses = [
        (await api.http.post(path, data=FULL | {"recommend": str(n % 11)})).status_code
        for n in range(30)
    ]
    assert statuses[:10] == [200] * 10
    assert statuses[-1] == 429
    stranger = await asking.office(api)
    assert (await api.data(stranger.manager, "{ surveyResponses { nodes { id } } }"))[
        "surveyResponses"
    ]["nodes"] == []
