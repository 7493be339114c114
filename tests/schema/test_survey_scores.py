"""Scores through the API: with n and interval, for whom they are, and a low answer that somebody follows up."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain import accounts, surveys
from domain.access import Role, Tx
from domain.accounts import Contact
from domain.core.db import transaction
from domain.core.erasable_text import ErasableText
from domain.core.ledger import LedgerRow
from domain.privacy import Person
from domain.privacy import erase as erase_person
from domain.surveys import GivenAnswer, SurveyAnswer, Trigger
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api, Office
from tests.surveying import ask, survey, system

pytestmark = pytest.mark.anyio

SCORES = """query ($account: ID, $survey: ID, $from: DateTime, $until: DateTime, $weighted: Boolean! = true) {
  surveyScores(accountId: $account, surveyId: $survey, fromAt: $from, untilAt: $until, weighted: $weighted) {
    asked answered undeliverable responseRate { value low high }
    questions { question wordsEn kind change { value low high }
      score { kind n nEffective excluded tooFew method estimate { value low high } } } } }"""
TREND = """query ($account: ID) { surveyTrend(question: "recommend", accountId: $account) {
  monthOn score { n tooFew estimate { value } } change { value low high } } }"""
CASES = """{ recoveryCases { nodes { id summary size incident { id } surveyResponse { id answers { question number } }
  account { id } steps { kind dueAt owner { id } } openedAt } } }"""
RESPONSES = (
    """{ surveyResponses { nodes { contact { name } answers { question number words } } } }"""
)


@pytest.fixture
async def office(api: Api) -> Office:
    """A company whose client has eight contacts."""
    return await asking.office(api, contacts=8)


async def answered(api: Api, office: Office, *numbers: tuple[int, int], **more: Any) -> list[str]:
    """Ask everybody, and answer with a rating and a likelihood each; return the ids of the contacts."""
    at = api.state.now()
    await survey(api.make, office.world.tenant.id, at, Trigger.QUARTERLY, **more)
    found = await ask(api.make, office.world.account, at + timedelta(seconds=1))
    for invitation, (rating, likelihood) in zip(found, numbers, strict=False):
        given = {
            "experience": GivenAnswer(number=rating),
            "recommend": GivenAnswer(number=likelihood),
            "improve": GivenAnswer(words=f"Rating {rating}"),
        }
        async with transaction(api.make) as session:
            response = await surveys.answer(session, invitation.id, given, at=api.state.now())
            tx = Tx(session, system(office.world.tenant.id), api.state.now())
            await surveys.follow_up_low_answers(tx, response.id)  # as the job does
    return [str(each.contact_id) for each in found]


async def test_scores_have_n_and_an_interval_for_staff_and_the_client(
    api: Api, office: Office
) -> None:
    await answered(api, office, (5, 10), (5, 9), (4, 9), (3, 7), (4, 8), (5, 10))
    for token in (office.manager, office.client, office.dispatcher):
        found = (await api.data(token, SCORES, account=office.account))["surveyScores"]
        assert (found["asked"], found["answered"]) == (8, 6)
        assert found["responseRate"]["value"] == 75
        assert found["responseRate"]["low"] < 75 < found["responseRate"]["high"]
        [rating, likelihood] = found["questions"]
        assert (rating["question"], likelihood["question"]) == ("experience", "recommend")
        assert rating["score"]["kind"] == "CSAT"
        assert rating["score"]["estimate"]["value"] == pytest.approx(100 * 5 / 6)
        assert likelihood["score"]["n"] == 6
        assert likelihood["score"]["estimate"]["value"] == pytest.approx(100 * 4 / 6)
        assert likelihood["score"]["method"] == "ADJUSTED_WALD"
        assert likelihood["change"] is None
    stranger = await asking.office(api)
    nothing = (await api.data(stranger.manager, SCORES, account=office.account))["surveyScores"]
    assert (nothing["asked"], nothing["questions"]) == (0, [])
    [month] = (await api.data(office.client, TREND, account=office.account))["surveyTrend"]
    assert (month["score"]["n"], month["score"]["tooFew"], month["change"]) == (6, False, None)


async def test_fewer_than_five_answers_have_no_score(api: Api, office: Office) -> None:
    await answered(api, office, (5, 10), (5, 9), (4, 9), (3, 7), is_anonymous=True)
    found = (await api.data(office.manager, SCORES))["surveyScores"]
    assert [each["score"]["tooFew"] for each in found["questions"]] == [True, True]
    assert [each["score"]["estimate"] for each in found["questions"]] == [None, None]
    assert (await api.data(office.manager, RESPONSES))["surveyResponses"]["nodes"] == []
    assert (await api.data(office.manager, CASES))["recoveryCases"]["nodes"] == []


async def test_only_who_reads_the_relationship_reads_single_answers(
    api: Api, office: Office
) -> None:
    await answered(api, office, (5, 10))
    assert len((await api.data(office.manager, RESPONSES))["surveyResponses"]["nodes"]) == 1
    for token in (office.client, office.dispatcher):
        assert (await api.data(token, RESPONSES))["surveyResponses"]["nodes"] == []


async def test_a_low_answer_opens_one_case_within_48_hours_for_an_owner(
    api: Api, office: Office
) -> None:
    async with transaction(api.make) as session:
        tx = Tx(session, system(office.world.tenant.id), api.state.now())
        owner = await accounts.add_user(
            tx, email="rm@example.org", name="Rm", role=Role.RELATIONSHIP_MANAGER
        )
    await answered(api, office, (2, 4), (5, 10))
    [case] = (await api.data(office.manager, CASES))["recoveryCases"]["nodes"]
    assert (case["incident"], case["account"]["id"]) == (None, office.account)
    assert {each["number"] for each in case["surveyResponse"]["answers"]} == {2, 4, None}
    listen = next(each for each in case["steps"] if each["kind"] == "LISTEN")
    assert listen["owner"]["id"] == ids.write("User", owner.id)
    [seen] = (await api.data(office.client, CASES))["recoveryCases"]["nodes"]
    assert seen["surveyResponse"] is None  # the client's colleagues do not read who answered what


async def test_erasing_a_contact_erases_the_words_and_the_name_and_keeps_the_numbers(
    api: Api, office: Office
) -> None:
    await answered(api, office, (2, 4))
    async with api.make() as session:
        [response] = await session.scalars(
            select(surveys.SurveyResponse).where(
                surveys.SurveyResponse.account_id == office.world.account.id
            )
        )
        contact = await session.get_one(Contact, response.contact_id)
    async with transaction(api.make) as session:
        tx = Tx(session, system(office.world.tenant.id), api.state.now())
        await erase_person(tx, Person.CONTACT, contact.id)
    async with api.make() as session:
        rows = await session.scalars(
            select(SurveyAnswer).where(SurveyAnswer.response_id == response.id)
        )
        found = {each.question: (each.number, each.words) for each in rows}
        [fact] = await session.scalars(
            select(LedgerRow).where(
                LedgerRow.subject_id == response.id, LedgerRow.kind == "survey.answered"
            )
        )
        words = await session.scalar(
            select(ErasableText.words).where(ErasableText.commitment == fact.body["words"])
        )
        gone = await session.get_one(surveys.SurveyResponse, response.id)
    assert found == {"experience": (2, None), "recommend": (4, None), "improve": (None, None)}
    assert (words, gone.contact_id) == (None, None)
    assert fact.body["words"].startswith("sha256:")
