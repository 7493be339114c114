"""Surveys for the probes of the gate: the standard questionnaire, and the input of what changes it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from domain import surveys
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.surveys import (
    GivenAnswer,
    Question,
    QuestionKind,
    Questionnaire,
    QuestionnaireVersion,
    SurveyInvitation,
    SurveyWave,
    Trigger,
    Wording,
)
from domain.surveys.questionnaires import published
from schema.core import ids
from tests.api.asking import Api, Office
from tests.build import T0

ASK = Wording(nl="Hoe ging het?", en="How was it?")
QUESTIONS = (Question(key="recommend", kind=QuestionKind.NPS, words=ASK),)
GIVEN: dict[str, Any] = {
    "titleNl": "Kwartaal", "titleEn": "Quarter",
    "questions": [{"key": "recommend", "kind": "NPS", "wordsNl": "Hoe?", "wordsEn": "How?"}],
}  # fmt: skip


def _tx(session: Any, office: Office) -> Tx:
    return Tx(session, Actor.system(office.world.tenant.id, "test"), T0)


async def _asked(api: Api, office: Office) -> SurveyInvitation:
    """A survey of its own that asked the contacts of the account."""
    async with transaction(api.make) as session:
        tx = _tx(session, office)
        standard = await surveys.add_standard(tx)
        survey = await surveys.add_survey(
            tx, standard.id, name=f"Probe {uuid4()}", trigger=Trigger.YEARLY
        )
        version = await published(tx, standard.id)
        assert version is not None
        wave = SurveyWave(
            tenant_id=survey.tenant_id, account_id=office.world.account.id, survey_id=survey.id,
            name="2026", due_at=T0, decided_at=T0, contacts=1, asked=1,
        )  # fmt: skip
        session.add(wave)
        await session.flush()
        row = SurveyInvitation(
            tenant_id=survey.tenant_id, account_id=wave.account_id, survey_id=survey.id,
            wave_id=wave.id, version_id=version.id, contact_id=office.world.contacts[0].id,
            person=uuid4().hex, purpose=survey.purpose, decided_at=T0,
            closes_at=T0 + timedelta(days=30_000),
        )  # fmt: skip
        session.add(row)
        await session.flush()
        return row


async def furnish(api: Api, office: Office) -> None:
    """Add a survey that was answered."""
    row = await _asked(api, office)
    async with transaction(api.make) as session:
        given = {"experience": GivenAnswer(number=2), "improve": GivenAnswer(words="Probe words")}
        response = await surveys.answer(session, row.id, given, at=T0)
        await surveys.follow_up_low_answers(_tx(session, office), response.id)


async def _to_answer(api: Api, office: Office) -> dict[str, Any]:
    row = await _asked(api, office)
    answers = [{"question": "experience", "number": 5}]
    return {"token": api.state.survey_links.token(row.id), "answers": answers, "language": "en"}


async def _to_add(api: Api, office: Office) -> dict[str, Any]:
    async with transaction(api.make) as session:
        standard = await surveys.add_standard(_tx(session, office))
    return {
        "questionnaireId": ids.write("Questionnaire", standard.id), "name": f"Probe {uuid4()}",
        "trigger": "MONTHLY", "oneIn": 3, "openDays": 14, "delaySeconds": 0,
    }  # fmt: skip


async def _to_change(api: Api, office: Office) -> dict[str, Any]:
    row = await _asked(api, office)
    return {"id": ids.write("Survey", row.survey_id), "isActive": False, "openDays": 7, "oneIn": 2}


async def _draft(api: Api, office: Office) -> tuple[Questionnaire, QuestionnaireVersion]:
    async with transaction(api.make) as session:
        tx = _tx(session, office)
        row = await surveys.create_questionnaire(
            tx, name=f"Probe {uuid4()}", title=ASK, questions=QUESTIONS
        )
        return row, await surveys.add_version(tx, row.id, title=ASK, questions=QUESTIONS)


async def _written(api: Api, office: Office) -> dict[str, Any]:
    return GIVEN | {"name": f"Probe {uuid4()}"}


async def _added(api: Api, office: Office) -> dict[str, Any]:
    row, _version = await _draft(api, office)
    return GIVEN | {"questionnaireId": ids.write("Questionnaire", row.id)}


async def _unpublished(api: Api, office: Office) -> dict[str, Any]:
    _row, version = await _draft(api, office)
    return {"id": ids.write("QuestionnaireVersion", version.id)}


DOABLE = {
    "addSurvey": _to_add,
    "answerSurvey": _to_answer,
    "changeSurvey": _to_change,
    "createQuestionnaire": _written,
    "addQuestionnaireVersion": _added,
    "publishQuestionnaireVersion": _unpublished,
}
LAST_FACTS = {"surveyEvents": "survey.answered"}
