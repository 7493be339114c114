"""Answers to surveys: what was answered, and answering from an app."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import accounts, feedback, incidents, surveys
from domain.access import Right
from domain.core.errors import Code, Refused
from domain.sentiment import FoundTheme, themes_of
from schema.accounts import Account
from schema.contacts import Contact
from schema.core.context import Context, Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, naming, visible
from schema.core.mutations import MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import from_row, relation, resolver
from schema.questionnaires import AnswerInput, QuestionnaireVersion, answers_of
from schema.sites import Site
from schema.surveys import Survey, SurveyFilter
from schema.theme_words import FoundSurveyTheme

ResponseRow = strawberry.Parent[surveys.SurveyResponse]
AnswerRow = strawberry.Parent[surveys.SurveyAnswer]


@from_row(surveys.SurveyAnswer)
class SurveyAnswer:
    """Answer to one question: a number, chosen keys, or words."""

    question: Annotated[str, "Key of the question in the questionnaire."]
    kind: Annotated[surveys.QuestionKind, "Kind of question that was answered."]
    number: Annotated[int | None, "Number on the scale of the question."]
    chosen: Annotated[list[str] | None, "Keys of the chosen choices."]
    words: Annotated[str | None, "Answer in words; null where erased."]

    @resolver(list[FoundSurveyTheme])
    @staticmethod
    def themes(row: AnswerRow) -> list[FoundTheme]:
        """Themes by the words of the program alone; `sentiment` has those by the company's words."""
        return themes_of(row.words or "")

    @relation("TextSentiment")
    @staticmethod
    async def sentiment(row: AnswerRow, info: Info) -> Any:
        """Sentiment of an answer in words; null until a worker has read it."""
        return await info.context.get_by(feedback.TextSentiment.answer_id, row.id)


@from_row(surveys.SurveyResponse)
class SurveyResponse(Node):
    """Answers of one respondent; anonymous answers are shown in scores only."""

    language: Annotated[str, "Language in which it was answered: `nl` or `en`."]
    answered_at: Annotated[datetime, "Time of the first answer."]
    changed_at: Annotated[datetime | None, "Time of the last correction; null without one."]
    weight: Annotated[float, "Number of contacts of the audience for whom this response counts."]

    @resolver(list[SurveyAnswer])
    @staticmethod
    async def answers(row: ResponseRow, info: Info) -> list[surveys.SurveyAnswer]:
        """Answers of the respondent, by question."""
        of_row = surveys.SurveyAnswer.response_id
        return await info.context.children(of_row, row.id, order=(surveys.SurveyAnswer.id,))

    survey = to_one(Survey, surveys.Survey, "survey_id", "Survey that was answered.")

    questionnaire_version = to_one(
        QuestionnaireVersion,
        surveys.QuestionnaireVersion,
        "version_id",
        "Version of the questionnaire with the questions that were asked.",
    )

    account = to_one(Account, accounts.Account, "account_id", "Account of the client who answered.")

    contact = to_one(Contact, accounts.Contact, "contact_id", "Contact who gave the answers.")

    site = to_one(Site, accounts.Site, "site_id", "Site of the incident that was asked about.")

    incident = to_one(
        "Incident",
        incidents.Incident,
        "incident_id",
        "Incident that was asked about; null for a period.",
    )


@dataclass(frozen=True, slots=True)
class AnsweredRound:
    """What an app that answered gets back."""

    row: accounts.Account
    answered_at: datetime | None


AnsweredRow = strawberry.Parent[AnsweredRound]


@from_row(AnsweredRound)
class AnsweredSurvey:
    """Confirmation that the answers are stored."""

    answered_at: Annotated[
        datetime | None, "Time of the first answer; null when the response is repeated."
    ]

    @resolver(Account)
    @staticmethod
    def account(row: AnsweredRow) -> accounts.Account:
        """Account of the contact who answered."""
        return row.row


def _repeated(row: accounts.Account) -> AnsweredRound:
    return AnsweredRound(row, None)


def _invitation(ctx: Context, token: str) -> UUID:
    """Return the invitation of a link; refuse what we did not sign as if there were none."""
    found = None if ctx.survey_links is None else ctx.survey_links.read(token)
    if found is None:
        raise Refused(Code.NOT_FOUND, "No such survey.", argument="token")
    return found


@query_fields
class SurveyResponseQuery:
    """Queries of answers to surveys."""

    @lists(
        SurveyResponse,
        surveys.SurveyResponse.answered_at,
        surveys.SurveyResponse.id,
        descending=True,
    )
    @staticmethod
    def survey_responses(
        info: Info, account_id: AccountFilter = None, survey_id: SurveyFilter = None
    ) -> Rows:
        """Responses, the latest first, without anonymous ones."""
        row = surveys.SurveyResponse
        return naming(info, visible(info, row, account_id), row.survey_id, "Survey", survey_id)


@mutation_fields
class SurveyAnswerMutation:
    """Mutations of answers to surveys."""

    @mutation(AnsweredSurvey, again=_repeated)
    @staticmethod
    async def answer_survey(
        ask: MutationContext,
        token: Annotated[str, "Token at the end of the link in the invitation."],
        answers: Annotated[list[AnswerInput], "Answers, one for each question."],
        language: Annotated[str | None, "Language that was shown: `nl` or `en`."] = None,
    ) -> AnsweredRound:
        """Answer a survey for an app of the client, or correct the answers until it closes."""
        ask.actor.must(Right.FOLLOW_UP)
        if not ask.actor.is_client:
            raise Refused(Code.NOT_ALLOWED, "Only people of the client can answer its surveys.")
        response = await surveys.answer(
            ask.session,
            _invitation(ask.ctx, token),
            answers_of(answers),
            at=ask.at,
            language="en" if language == "en" else "nl" if language == "nl" else None,
            within=ask.actor.scope(surveys.SurveyInvitation),
        )
        account = await ask.session.get_one(accounts.Account, response.account_id)
        return AnsweredRound(account, response.answered_at)
