"""Surveys: rules by which clients are asked, who was asked or skipped and why, and what was answered."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import accounts, incidents, surveys
from domain.access import Right
from domain.core.errors import Code, Refused
from domain.surveys import Audience, SkipReason, SurveyPurpose, Trigger
from schema.accounts import Account
from schema.contacts import Contact
from schema.core.context import Context, Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, naming, visible
from schema.core.mutations import ExpectedVersion, GlobalIdOf, MutationContext, mutation
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import enum, from_row, relation, resolver
from schema.questionnaires import (
    AnswerInput,
    Questionnaire,
    QuestionnaireId,
    QuestionnaireVersion,
    answers_of,
)
from schema.sites import Site

enum(
    Trigger,
    "SurveyTrigger",
    incident_resolved="After an incident is resolved; it is asked about once.",
    monthly="Once a month, part of an account's contacts.",
    quarterly="Once a quarter, for the relationship.",
    yearly="Once a year, for the relationship.",
)
enum(
    Audience,
    "SurveyAudience",
    everybody="Every contact of the account.",
    decision_makers="Contacts with a decision power of 4 or 5.",
)
enum(
    SurveyPurpose,
    "SurveyPurpose",
    relationship="About the relationship: at most one in 90 days per person.",
    transactional="About an incident: at most one in 30 days per person.",
)
enum(
    SkipReason,
    "SurveySkipReason",
    no_consent="The contact does not want service messages, or unsubscribed from surveys.",
    unreachable="The contact has no e-mail address.",
    same_person="Another contact of the account has the same mailbox.",
    open_invitation="Another survey is open for this person.",
    relationship_cap="A relationship survey was sent to this person within 90 days.",
    transactional_cap="A survey about an incident was sent to this person within 30 days.",
    relationship_first="A relationship survey was sent to this person within 14 days.",
    not_in_panel="It was the turn of other contacts, who were asked longer ago.",
)

SurveyId = Annotated[UUID, GlobalIdOf("Survey")]
SurveyFilter = Annotated[strawberry.ID | None, "Only rows of this survey."]
Row = strawberry.Parent[surveys.Survey]
WaveRow = strawberry.Parent[surveys.SurveyWave]
InvitationRow = strawberry.Parent[surveys.SurveyInvitation]
ResponseRow = strawberry.Parent[surveys.SurveyResponse]
DelaySeconds = Annotated[int | None, "Seconds from the event or period to the invitation."]
OpenDays = Annotated[int | None, "Days for which an invitation can be answered, 1 to 90."]
OneIn = Annotated[
    int | None, "A wave asks one in so many contacts of an account, rounded up; 1 asks everybody."
]
AudienceArgument = Annotated[Audience | None, "Contacts whom the survey is for."]


@from_row(surveys.Survey)
class Survey(Node):
    """Rule by which clients are asked: a questionnaire, what starts it, and for whom."""

    name: Annotated[str, "Name; unique in the company."]
    trigger: Annotated[Trigger, "Event or period that starts it."]
    purpose: Annotated[
        SurveyPurpose, "SurveyPurpose, which decides how often a person may be asked."
    ]
    audience: Annotated[Audience, "Contacts whom it is for."]
    open_days: Annotated[int, "Days for which an invitation can be answered."]
    one_in: Annotated[int, "A wave asks one in so many contacts of an account, rounded up."]
    is_anonymous: Annotated[bool, "Whether answers are stored without who gave them."]
    is_active: Annotated[bool, "Whether it asks clients now."]
    created_at: Annotated[datetime, "Time at which it was added."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(int)
    @staticmethod
    def delay_seconds(row: Row) -> int:
        """Seconds from the event or period to the invitation."""
        return row.delay_s

    @resolver(Questionnaire | None)
    @staticmethod
    async def questionnaire(row: Row, info: Info) -> surveys.Questionnaire | None:
        """Questionnaire whose published version is asked."""
        return await info.context.get(surveys.Questionnaire, row.questionnaire_id)


@from_row(surveys.SurveyWave)
class SurveyWave(Node):
    """Round of a survey at an account; one that asked nobody is a gap, and its invitations say why."""

    name: Annotated[str, "Period, such as `2026-11` or `2026-Q4`, or `incident:` with an id."]
    due_at: Annotated[datetime, "Time from which people are asked."]
    decided_at: Annotated[datetime | None, "Time at which it was decided who is asked."]
    contacts: Annotated[int, "Number of contacts of the audience at that time."]
    asked: Annotated[int, "Number of them who were asked."]

    @resolver(Survey | None)
    @staticmethod
    async def survey(row: WaveRow, info: Info) -> surveys.Survey | None:
        """Survey of which this is a round."""
        return await info.context.get(surveys.Survey, row.survey_id)

    @resolver(Account | None)
    @staticmethod
    async def account(row: WaveRow, info: Info) -> accounts.Account | None:
        """Account whose contacts it concerns."""
        return await info.context.get(accounts.Account, row.account_id)

    @relation("Incident")
    @staticmethod
    async def incident(row: WaveRow, info: Info) -> Any:
        """Incident that it asks about; null for a period."""
        return await info.context.get(incidents.Incident, row.incident_id)


@from_row(surveys.SurveyInvitation)
class SurveyInvitation(Node):
    """Decision about one contact in a wave: asked, or skipped with the reason."""

    purpose: Annotated[SurveyPurpose, "SurveyPurpose of the survey."]
    decided_at: Annotated[datetime, "Time of the decision."]
    skipped: Annotated[SkipReason | None, "Why the contact was not asked; null when asked."]
    closes_at: Annotated[datetime | None, "Time until which it can be answered."]
    reminded_at: Annotated[datetime | None, "Time of the reminder; null when there was none."]

    @resolver(Survey | None)
    @staticmethod
    async def survey(row: InvitationRow, info: Info) -> surveys.Survey | None:
        """Survey that the contact was asked or not asked to answer."""
        return await info.context.get(surveys.Survey, row.survey_id)

    @resolver(SurveyWave | None)
    @staticmethod
    async def wave(row: InvitationRow, info: Info) -> surveys.SurveyWave | None:
        """Round of the survey that the decision belongs to."""
        return await info.context.get(surveys.SurveyWave, row.wave_id)

    @resolver(Contact | None)
    @staticmethod
    async def contact(row: InvitationRow, info: Info) -> accounts.Contact | None:
        """Contact whom the decision is about."""
        return await info.context.get(accounts.Contact, row.contact_id)

    @resolver(bool | None)
    @staticmethod
    async def is_answered(row: InvitationRow, info: Info) -> bool | None:
        """Whether it was answered. Null for anonymous surveys."""
        survey = await info.context.get(surveys.Survey, row.survey_id)
        return None if survey is None or survey.is_anonymous else row.is_answered


@from_row(surveys.SurveyAnswer)
class SurveyAnswer:
    """Answer to one question: a number, chosen keys, or words."""

    question: Annotated[str, "Key of the question in the questionnaire."]
    kind: Annotated[surveys.QuestionKind, "Kind of question that was answered."]
    number: Annotated[int | None, "Number on the scale of the question."]
    chosen: Annotated[list[str] | None, "Keys of the chosen choices."]
    words: Annotated[str | None, "Answer in words; null where erased."]


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
        """Answers, by question."""
        of_row = surveys.SurveyAnswer.response_id
        return await info.context.children(of_row, row.id, order=(surveys.SurveyAnswer.id,))

    @resolver(Survey | None)
    @staticmethod
    async def survey(row: ResponseRow, info: Info) -> surveys.Survey | None:
        """Survey that was answered."""
        return await info.context.get(surveys.Survey, row.survey_id)

    @resolver(QuestionnaireVersion | None)
    @staticmethod
    async def questionnaire_version(
        row: ResponseRow, info: Info
    ) -> surveys.QuestionnaireVersion | None:
        """Version of the questionnaire with the questions that were asked."""
        return await info.context.get(surveys.QuestionnaireVersion, row.version_id)

    @resolver(Account | None)
    @staticmethod
    async def account(row: ResponseRow, info: Info) -> accounts.Account | None:
        """Account of the client who answered."""
        return await info.context.get(accounts.Account, row.account_id)

    @resolver(Contact | None)
    @staticmethod
    async def contact(row: ResponseRow, info: Info) -> accounts.Contact | None:
        """Contact who answered."""
        return await info.context.get(accounts.Contact, row.contact_id)

    @resolver(Site | None)
    @staticmethod
    async def site(row: ResponseRow, info: Info) -> accounts.Site | None:
        """Site of the incident that was asked about."""
        return await info.context.get(accounts.Site, row.site_id)

    @relation("Incident")
    @staticmethod
    async def incident(row: ResponseRow, info: Info) -> Any:
        """Incident that was asked about; null for a period."""
        return await info.context.get(incidents.Incident, row.incident_id)


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
        """Account whose contact answered."""
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
class SurveyQuery:
    """Queries of surveys."""

    @lists(SurveyWave, surveys.SurveyWave.due_at, surveys.SurveyWave.id, descending=True)
    @staticmethod
    def survey_waves(
        info: Info, account_id: AccountFilter = None, survey_id: SurveyFilter = None
    ) -> Rows:
        """Rounds of surveys, the latest first."""
        row = surveys.SurveyWave
        return naming(info, visible(info, row, account_id), row.survey_id, "Survey", survey_id)

    @lists(
        SurveyInvitation,
        surveys.SurveyInvitation.decided_at,
        surveys.SurveyInvitation.id,
        descending=True,
    )
    @staticmethod
    def survey_invitations(
        info: Info,
        account_id: AccountFilter = None,
        survey_id: SurveyFilter = None,
        skipped: Annotated[
            bool | None, "True: only those who were skipped; false: only those asked; null: all."
        ] = None,
        reason: Annotated[SkipReason | None, "Only those skipped for this reason."] = None,
    ) -> Rows:
        """Who was asked and who was skipped, with the reason, the latest first."""
        row = surveys.SurveyInvitation
        query = naming(info, visible(info, row, account_id), row.survey_id, "Survey", survey_id)
        if skipped is not None:
            query = query.where(row.skipped.is_not(None) if skipped else row.skipped.is_(None))
        return query if reason is None else query.where(row.skipped == reason)

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

    @lists(Survey, surveys.Survey.name, surveys.Survey.id)
    @staticmethod
    def surveys(info: Info) -> Rows:
        """Surveys of the company, by name."""
        return visible(info, surveys.Survey)


@mutation_fields
class SurveyMutation:
    """Mutations of surveys."""

    @mutation(Survey)
    @staticmethod
    async def add_survey(
        ask: MutationContext,
        questionnaire_id: Annotated[
            QuestionnaireId, "Questionnaire whose published version is asked."
        ],
        name: Annotated[str, "Name; unique in the company."],
        trigger: Annotated[Trigger, "Event or period that starts it."],
        audience: AudienceArgument = None,
        delay_seconds: DelaySeconds = None,
        open_days: OpenDays = None,
        one_in: OneIn = None,
        is_anonymous: Annotated[
            bool, "Whether answers are stored without who gave them; cannot be changed later."
        ] = False,
    ) -> surveys.Survey:
        """Add a survey; it asks from now on, within the limits per person over all surveys."""
        return await surveys.add_survey(
            ask.tx,
            questionnaire_id,
            name=name,
            trigger=trigger,
            audience=audience,
            delay_s=delay_seconds,
            open_days=open_days,
            one_in=one_in,
            is_anonymous=is_anonymous,
        )

    @mutation(Survey)
    @staticmethod
    async def change_survey(
        ask: MutationContext,
        id: Annotated[SurveyId, "Survey that is changed or stopped."],
        is_active: Annotated[bool | None, "False stops it, true starts it again."] = None,
        audience: AudienceArgument = None,
        delay_seconds: DelaySeconds = None,
        open_days: OpenDays = None,
        one_in: OneIn = None,
        expected_version: ExpectedVersion = None,
    ) -> surveys.Survey:
        """Change a survey or stop it; what is left out stays, and sent invitations stay as they are."""
        return await surveys.change_survey(
            ask.tx,
            id,
            is_active=is_active,
            audience=audience,
            delay_s=delay_seconds,
            open_days=open_days,
            one_in=one_in,
            expected_version=expected_version,
        )

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
