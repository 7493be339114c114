"""Questionnaires: questions in both languages, their versions, and a preview of what is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import surveys
from domain.core.errors import Code, Refused
from domain.surveys import GivenAnswer, QuestionKind, Wording
from schema.core import ids
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import Rows, lists, visible
from schema.core.mutations import GlobalIdOf, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import enum, from_row, input_type, resolver

enum(
    QuestionKind,
    "QuestionKind",
    rating="Rating from 1 to 5.",
    yes_no="Yes (1) or no (0).",
    nps="Likelihood to recommend, 0 to 10 (Net Promoter Score).",
    ces="Ease of getting help, 1 to 7 (Customer Effort Score).",
    single_choice="One of several choices.",
    multiple_choice="Some of several choices.",
    text="An answer in words.",
)

QuestionnaireId = Annotated[UUID, GlobalIdOf("Questionnaire")]
VersionId = Annotated[UUID, GlobalIdOf("QuestionnaireVersion")]
TitleNl = Annotated[str, "Title in Dutch, above the questions."]
TitleEn = Annotated[str, "Title in English, above the questions."]
Row = strawberry.Parent[surveys.Questionnaire]
VersionRow = strawberry.Parent[surveys.QuestionnaireVersion]
ChoiceRow = strawberry.Parent[surveys.Choice]
QuestionRow = strawberry.Parent[surveys.Question]
Language = Annotated[str, "Language: `nl` or `en`."]


@from_row(surveys.Choice)
class SurveyChoice:
    """One of the choices of a question."""

    key: Annotated[str, "Key by which answers name it."]

    @resolver(str)
    @staticmethod
    def label_nl(row: ChoiceRow) -> str:
        """Label of the choice in Dutch."""
        return row.label.nl

    @resolver(str)
    @staticmethod
    def label_en(row: ChoiceRow) -> str:
        """Label of the choice in English."""
        return row.label.en


@from_row(surveys.ShownIf)
class SurveyCondition:
    """Condition under which a question is asked."""

    question: Annotated[str, "Key of the earlier question."]
    answers: Annotated[list[str], "Answers to it after which the question is asked."]


@from_row(surveys.Question)
class SurveyQuestion:
    """Question of a questionnaire, in both languages."""

    key: Annotated[str, "Key by which answers and scores name it; the same in every version."]
    kind: Annotated[QuestionKind, "Kind of question, which decides what an answer can be."]
    is_required: Annotated[bool, "Whether it must be answered."]
    choices: Annotated[list[SurveyChoice], "Choices, for questions of choice."]
    shown_if: Annotated[SurveyCondition | None, "When it is asked; null for always."]

    @resolver(str)
    @staticmethod
    def words_nl(row: QuestionRow) -> str:
        """Wording of the question in Dutch."""
        return row.words.nl

    @resolver(str)
    @staticmethod
    def words_en(row: QuestionRow) -> str:
        """Wording of the question in English."""
        return row.words.en


@from_row(surveys.QuestionnaireVersion)
class QuestionnaireVersion(Node):
    """Version of a questionnaire; what was published never changes."""

    number: Annotated[int, "Number of the version: 1, 2, 3 …"]
    title_nl: TitleNl
    title_en: TitleEn
    created_at: Annotated[datetime, "Time at which it was written."]
    published_at: Annotated[datetime | None, "Time from which it is asked; null before."]
    questions: Annotated[list[SurveyQuestion], "Questions, in the order in which they are asked."]

    questionnaire = to_one(
        "Questionnaire",
        surveys.Questionnaire,
        "questionnaire_id",
        "Questionnaire of which this is a version.",
    )


@from_row(surveys.Questionnaire)
class Questionnaire(Node):
    """List of questions that the company asks its clients."""

    name: Annotated[str, "Name; unique in the company."]
    created_at: Annotated[datetime, "Time at which the first version was written."]

    @resolver(list[QuestionnaireVersion])
    @staticmethod
    async def versions(row: Row, info: Info) -> list[surveys.QuestionnaireVersion]:
        """Versions, the newest first."""
        return await _versions(row, info)

    @resolver(QuestionnaireVersion | None)
    @staticmethod
    async def published(row: Row, info: Info) -> surveys.QuestionnaireVersion | None:
        """Version that is asked now; null before the first publication."""
        return next((each for each in await _versions(row, info) if each.published_at), None)


async def _versions(row: surveys.Questionnaire, info: Info) -> list[surveys.QuestionnaireVersion]:
    of_row = surveys.QuestionnaireVersion.questionnaire_id
    newest_first = (surveys.QuestionnaireVersion.number,)
    return await info.context.children(of_row, row.id, order=newest_first, descending=True)


@dataclass(frozen=True, slots=True)
class LabelledChoice:
    """A choice in one language."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class QuestionInLanguage:
    """A question in one language, and whether it is asked after the given answers."""

    key: str
    kind: QuestionKind
    words: str
    is_required: bool
    choices: list[LabelledChoice]
    is_asked: bool


@dataclass(frozen=True, slots=True)
class PreviewOfVersion:
    """A version of a questionnaire in one language."""

    title: str
    language: str
    questions: list[QuestionInLanguage]


@from_row(LabelledChoice)
class PreviewedChoice:
    """Choice in one language."""

    key: Annotated[str, "Key by which answers name it."]
    label: Annotated[str, "Label in the language."]


@from_row(QuestionInLanguage)
class PreviewedQuestion:
    """Question as a respondent sees it in one language."""

    key: Annotated[str, "Key by which answers name it."]
    kind: Annotated[QuestionKind, "Kind of question, which decides what an answer can be."]
    words: Annotated[str, "Question in the language."]
    is_required: Annotated[bool, "Whether it must be answered."]
    choices: Annotated[list[PreviewedChoice], "Choices, for questions of choice."]
    is_asked: Annotated[bool, "Whether it is asked after the given answers."]


@from_row(PreviewOfVersion)
class SurveyPreview:
    """Questionnaire as a respondent sees it in one language."""

    title: Annotated[str, "Title in the language."]
    language: Annotated[str, "Language: `nl` or `en`."]
    questions: Annotated[list[PreviewedQuestion], "All questions, with whether each is asked."]


@input_type
class ChoiceInput:
    """Choice of a question."""

    key: Annotated[str, "Key by which answers name it: a lower-case word."]
    label_nl: Annotated[str, "Label of the choice in Dutch."]
    label_en: Annotated[str, "Label of the choice in English."]


@input_type
class ShownIfInput:
    """Condition under which a question is asked."""

    question: Annotated[str, "Key of an earlier question."]
    answers: Annotated[
        list[str],
        "Answers to it after which the question is asked: numbers as text (no is `0`, yes is `1`), choices by key.",
    ]


@input_type
class QuestionInput:
    """Question in both languages."""

    key: Annotated[
        str, "Key by which answers and scores name it: a lower-case word, kept in later versions."
    ]
    kind: Annotated[QuestionKind, "Kind of question, which decides what an answer can be."]
    words_nl: Annotated[str, "Wording of the question in Dutch."]
    words_en: Annotated[str, "Wording of the question in English."]
    is_required: Annotated[bool, "Whether it must be answered."] = False
    choices: Annotated[list[ChoiceInput] | None, "Choices, for questions of choice."] = None
    shown_if: Annotated[ShownIfInput | None, "When it is asked; null for always."] = None


@input_type
class AnswerInput:
    """Answer to one question: a number, chosen keys, or words."""

    question: Annotated[str, "Key of the question."]
    number: Annotated[int | None, "Number on the scale of the question; for yes or no, 1 or 0."] = (
        None
    )
    chosen: Annotated[list[str] | None, "Keys of the chosen choices."] = None
    words: Annotated[str | None, "Answer in words, for questions of text."] = None


def answers_of(given: Sequence[AnswerInput] | None) -> dict[str, GivenAnswer]:
    """Return answers by question; refuse two for one question."""
    found: dict[str, GivenAnswer] = {}
    for each in given or ():
        if each.question in found:
            raise Refused(Code.INVALID, "Answer each question once at most.", argument="answers")
        found[each.question] = GivenAnswer(
            number=each.number, chosen=tuple(each.chosen or ()), words=each.words
        )
    return found


def _questions_of(given: Sequence[QuestionInput]) -> list[surveys.Question]:
    return [
        surveys.Question(
            key=each.key,
            kind=each.kind,
            words=Wording(nl=each.words_nl, en=each.words_en),
            is_required=each.is_required,
            choices=tuple(
                surveys.Choice(key=one.key, label=Wording(nl=one.label_nl, en=one.label_en))
                for one in each.choices or ()
            ),
            shown_if=None
            if each.shown_if is None
            else surveys.ShownIf(
                question=each.shown_if.question, answers=tuple(each.shown_if.answers)
            ),
        )
        for each in given
    ]


@query_fields
class QuestionnaireQuery:
    """Queries of questionnaires."""

    @lists(Questionnaire, surveys.Questionnaire.name, surveys.Questionnaire.id)
    @staticmethod
    def questionnaires(info: Info) -> Rows:
        """Questionnaires of the company, by name."""
        return visible(info, surveys.Questionnaire)

    @resolver(SurveyPreview | None)
    @staticmethod
    async def questionnaire_preview(
        info: Info,
        version_id: Annotated[strawberry.ID, "Version of a questionnaire to preview."],
        language: Language = "nl",
        answers: Annotated[
            list[AnswerInput] | None, "Answers so far, which decide the questions that follow."
        ] = None,
    ) -> PreviewOfVersion | None:
        """Version of a questionnaire as a respondent sees it; nothing is stored. Null for an unknown version."""
        row_id = ids.known(version_id, "QuestionnaireVersion")
        version = await info.context.get(surveys.QuestionnaireVersion, row_id)
        if version is None:
            return None
        kept = answers_of(answers)
        return PreviewOfVersion(
            title=version.title.of(language),
            language="nl" if language == "nl" else "en",
            questions=[
                QuestionInLanguage(
                    key=each.key,
                    kind=each.kind,
                    words=each.words.of(language),
                    is_required=each.is_required,
                    choices=[
                        LabelledChoice(one.key, one.label.of(language)) for one in each.choices
                    ],
                    is_asked=surveys.is_asked(each, kept),
                )
                for each in version.questions
            ],
        )


@mutation_fields
class QuestionnaireMutation:
    """Mutations of questionnaires."""

    @mutation(Questionnaire)
    @staticmethod
    async def create_questionnaire(
        ask: MutationContext,
        name: Annotated[str, "Name; unique in the company."],
        title_nl: TitleNl,
        title_en: TitleEn,
        questions: Annotated[
            list[QuestionInput], "Questions, in the order in which they are asked."
        ],
    ) -> surveys.Questionnaire:
        """Write a questionnaire; its first version can be previewed, and is asked once it is published."""
        title = Wording(nl=title_nl, en=title_en)
        return await surveys.create_questionnaire(
            ask.tx, name=name, title=title, questions=_questions_of(questions)
        )

    @mutation(QuestionnaireVersion)
    @staticmethod
    async def add_questionnaire_version(
        ask: MutationContext,
        questionnaire_id: Annotated[QuestionnaireId, "Questionnaire that gets the version."],
        title_nl: TitleNl,
        title_en: TitleEn,
        questions: Annotated[list[QuestionInput], "All questions of the new version, in order."],
    ) -> surveys.QuestionnaireVersion:
        """Write the next version of a questionnaire; the published one is asked until this one is published."""
        title = Wording(nl=title_nl, en=title_en)
        return await surveys.add_version(
            ask.tx, questionnaire_id, title=title, questions=_questions_of(questions)
        )

    @mutation(QuestionnaireVersion)
    @staticmethod
    async def publish_questionnaire_version(
        ask: MutationContext, id: Annotated[VersionId, "Version that is asked from now on."]
    ) -> surveys.QuestionnaireVersion:
        """Ask a version from now on; invitations that were sent keep the version that they were sent with."""
        return await surveys.publish(ask.tx, id)

    @mutation(Questionnaire)
    @staticmethod
    async def add_standard_questionnaire(ask: MutationContext) -> surveys.Questionnaire:
        """Add the standard questionnaire of four questions and publish it; returns it when the company has it."""
        return await surveys.add_standard(ask.tx)
