"""Surveys for the probes of the gate: the standard questionnaire, and the input of what changes it."""

from typing import Any
from uuid import uuid4

from domain import surveys
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.surveys import Question, QuestionKind, Questionnaire, QuestionnaireVersion, Wording
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


async def furnish(api: Api, office: Office) -> None:
    """Add the standard questionnaire."""
    async with transaction(api.make) as session:
        await surveys.add_standard(_tx(session, office))


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
    "createQuestionnaire": _written,
    "addQuestionnaireVersion": _added,
    "publishQuestionnaireVersion": _unpublished,
}
