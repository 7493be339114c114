"""Questionnaires are written, previewed, versioned and published by those who manage accounts, and by nobody else."""

from typing import Any

from domain import accounts
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api, Office
from tests.build import T0

CREATE = """mutation ($input: CreateQuestionnaireInput!) { createQuestionnaire(input: $input) {
  ... on Refusal { code argument message }
  ... on Questionnaire { id name published { number } versions { id number publishedAt titleEn
    questions { key kind wordsNl wordsEn isRequired choices { key labelNl } shownIf { question answers } } } } } }"""
ADD = """mutation ($input: AddQuestionnaireVersionInput!) { addQuestionnaireVersion(input: $input) {
  ... on Refusal { code argument message } ... on QuestionnaireVersion { id number questionnaire { id } } } }"""
PUBLISH = """mutation ($input: PublishQuestionnaireVersionInput!) { publishQuestionnaireVersion(input: $input) {
  ... on Refusal { code argument message } ... on QuestionnaireVersion { number publishedAt
    questionnaire { published { number } } } } }"""
STANDARD = """mutation { addStandardQuestionnaire(input: {}) { ... on Refusal { code }
  ... on Questionnaire { id name published { number questions { key kind wordsNl wordsEn } } } } }"""
PREVIEW = """query ($id: ID!, $language: String!, $answers: [AnswerInput!]) {
  questionnairePreview(versionId: $id, language: $language, answers: $answers) {
    title language questions { key words isAsked choices { key label } } } }"""
LIST = "{ questionnaires { nodes { name versions { number } } } }"

QUESTIONS: list[dict[str, Any]] = [
    {"key": "recommend", "kind": "NPS", "wordsNl": "Beveelt u ons aan?", "wordsEn": "Recommend?"},
    {
        "key": "why", "kind": "MULTIPLE_CHOICE", "wordsNl": "Waarom niet?", "wordsEn": "Why not?",
        "choices": [
            {"key": "late", "labelNl": "Te laat", "labelEn": "Late"},
            {"key": "rude", "labelNl": "Onbeleefd", "labelEn": "Rude"},
        ],
        "shownIf": {"question": "recommend", "answers": ["0", "1", "2", "3", "4", "5", "6"]},
    },
]  # fmt: skip
DRAFT = {"name": "Kwartaal", "titleNl": "Hoe gaat het?", "titleEn": "How is it going?"}


async def test_a_questionnaire_is_written_previewed_and_published(api: Api, office: Office) -> None:
    made = (
        await api.data(office.manager, CREATE, input=DRAFT | {"questions": QUESTIONS})
    )["createQuestionnaire"]  # fmt: skip
    [first] = made["versions"]
    assert (made["published"], first["number"], first["publishedAt"]) == (None, 1, None)
    assert [each["key"] for each in first["questions"]] == ["recommend", "why"]
    assert first["questions"][1]["shownIf"]["question"] == "recommend"

    async def asked(*answers: dict[str, Any], language: str = "nl") -> dict[str, Any]:
        answer = await api.data(
            office.manager, PREVIEW, id=first["id"], language=language, answers=list(answers)
        )
        found: dict[str, Any] = answer["questionnairePreview"]
        return found

    happy = await asked({"question": "recommend", "number": 9})
    sad = await asked({"question": "recommend", "number": 2}, language="en")
    assert (happy["title"], sad["title"]) == ("Hoe gaat het?", "How is it going?")
    assert [each["isAsked"] for each in happy["questions"]] == [True, False]
    assert [each["isAsked"] for each in sad["questions"]] == [True, True]
    assert sad["questions"][1]["choices"][0] == {"key": "late", "label": "Late"}

    published = (await api.data(office.manager, PUBLISH, input={"id": first["id"]}))[
        "publishQuestionnaireVersion"
    ]
    assert published["questionnaire"]["published"] == {"number": 1}
    twice = (await api.data(office.manager, PUBLISH, input={"id": first["id"]}))[
        "publishQuestionnaireVersion"
    ]
    assert twice["code"] == "ALREADY_DONE"

    change = {key: DRAFT[key] for key in ("titleNl", "titleEn")} | {"questions": QUESTIONS[:1]}
    second, third = [
        (await api.data(office.manager, ADD, input=change | {"questionnaireId": made["id"]}))[
            "addQuestionnaireVersion"
        ]
        for _ in range(2)
    ]
    assert (second["number"], third["number"]) == (2, 3)
    await api.data(office.manager, PUBLISH, input={"id": third["id"]})
    older = (await api.data(office.manager, PUBLISH, input={"id": second["id"]}))[
        "publishQuestionnaireVersion"
    ]
    assert (older["code"], "Version 3" in older["message"]) == ("INVALID", True)


async def test_what_cannot_be_asked_is_refused_and_leaves_nothing(api: Api, office: Office) -> None:
    wrong = [QUESTIONS[1], QUESTIONS[0]]  # the condition names a later question
    refused = (await api.data(office.manager, CREATE, input=DRAFT | {"questions": wrong}))[
        "createQuestionnaire"
    ]
    assert (refused["code"], refused["argument"]) == ("INVALID", "questions")
    assert (await api.data(office.manager, LIST))["questionnaires"]["nodes"] == []
    await api.data(office.manager, CREATE, input=DRAFT | {"questions": QUESTIONS})
    again = (await api.data(office.manager, CREATE, input=DRAFT | {"questions": QUESTIONS}))[
        "createQuestionnaire"
    ]
    assert (again["code"], again["argument"]) == ("ALREADY_EXISTS", "name")


async def test_the_standard_questionnaire_has_the_four_questions(api: Api, office: Office) -> None:
    one, other = [
        (await api.data(office.manager, STANDARD))["addStandardQuestionnaire"] for _ in range(2)
    ]
    assert one == other
    questions = one["published"]["questions"]
    assert [each["kind"] for each in questions] == ["RATING", "YES_NO", "NPS", "TEXT"]
    assert questions[3]["wordsEn"] == "What could we improve?"
    assert questions[3]["wordsNl"] == "Wat kunnen wij verbeteren?"


async def test_only_who_manages_accounts_writes_and_no_client_or_stranger_reads(
    api: Api, office: Office
) -> None:
    made = (await api.data(office.manager, STANDARD))["addStandardQuestionnaire"]
    version = (await api.data(office.manager, LIST))["questionnaires"]["nodes"][0]["versions"]
    assert version == [{"number": 1}]
    for wrong in (office.client, office.dispatcher):
        for document, given in (
            (CREATE, DRAFT | {"questions": QUESTIONS}),
            (
                ADD,
                {"titleNl": "a", "titleEn": "b", "questions": QUESTIONS}
                | {"questionnaireId": made["id"]},
            ),
        ):
            [answer] = (await api.data(wrong, document, input=given)).values()
            assert answer["code"] == "NOT_ALLOWED"
        assert (await api.data(wrong, LIST))["questionnaires"]["nodes"] == []
    stranger = await asking.office(api)
    assert (await api.data(stranger.manager, LIST))["questionnaires"]["nodes"] == []
    [foreign] = (
        await api.data(
            stranger.manager,
            ADD,
            input={
                "titleNl": "a",
                "titleEn": "b",
                "questions": QUESTIONS,
                "questionnaireId": made["id"],
            },
        )
    ).values()
    assert (foreign["code"], foreign["argument"]) == ("NOT_FOUND", "questionnaireId")
    assert ids.read(made["id"]) is not None


async def test_who_is_limited_to_some_accounts_reads_questionnaires_and_writes_none(
    api: Api, office: Office
) -> None:
    """A new version would be asked of clients whom the writer cannot access."""
    given = DRAFT | {"questions": QUESTIONS}
    made = (await api.data(office.manager, CREATE, input=given))["createQuestionnaire"]
    texts = {key: value for key, value in given.items() if key != "name"}
    asked = {
        CREATE: given | {"name": "Another"},
        ADD: texts | {"questionnaireId": made["id"]},
        PUBLISH: {"id": made["versions"][0]["id"]},
    }
    async with transaction(api.make) as session:
        user = await accounts.add_user(
            Tx(session, Actor.system(office.world.tenant.id, "test"), T0), email="rm@example.org",
            name="Rm", role=Role.RELATIONSHIP_MANAGER, accounts=[office.world.account.id],
        )  # fmt: skip
    limited = api.token(user.id)
    for document, values in asked.items():
        [answer] = (await api.data(limited, document, input=values)).values()
        assert answer["code"] == "NOT_ALLOWED", answer
        assert "limited to some" in answer["message"]
    seen = await api.data(limited, LIST)
    assert seen == await api.data(office.manager, LIST)
    for document, values in asked.items():
        [answer] = (await api.data(office.manager, document, input=values)).values()
        assert "code" not in answer
