"""Surveys: rules by which clients are asked, who was asked or skipped and why, and what was answered."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, incidents, surveys
from domain.surveys import Audience, SkipReason, SurveyPurpose, Trigger
from schema.accounts import Account
from schema.contacts import Contact
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, naming, visible
from schema.core.mutations import ExpectedVersion, GlobalIdOf, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import enum, from_row, resolver
from schema.questionnaires import (
    Questionnaire,
    QuestionnaireId,
)

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

    questionnaire = to_one(
        Questionnaire,
        surveys.Questionnaire,
        "questionnaire_id",
        "Questionnaire of which the published version is asked.",
    )


@from_row(surveys.SurveyWave)
class SurveyWave(Node):
    """Round of a survey at an account; one that asked nobody is a gap, and its invitations say why."""

    name: Annotated[str, "Period, such as `2026-11` or `2026-Q4`, or `incident:` with an id."]
    due_at: Annotated[datetime, "Time from which people are asked."]
    decided_at: Annotated[datetime | None, "Time at which it was decided who is asked."]
    contacts: Annotated[int, "Number of contacts of the audience at that time."]
    asked: Annotated[int, "Number of them who were asked."]

    survey = to_one(Survey, surveys.Survey, "survey_id", "Survey of which this is a round.")

    account = to_one(
        Account, accounts.Account, "account_id", "Account with the contacts that it concerns."
    )

    incident = to_one(
        "Incident",
        incidents.Incident,
        "incident_id",
        "Incident that it asks about; null for a period.",
    )


@from_row(surveys.SurveyInvitation)
class SurveyInvitation(Node):
    """Decision about one contact in a wave: asked, or skipped with the reason."""

    purpose: Annotated[SurveyPurpose, "SurveyPurpose of the survey."]
    decided_at: Annotated[datetime, "Time of the decision."]
    skipped: Annotated[SkipReason | None, "Why the contact was not asked; null when asked."]
    closes_at: Annotated[datetime | None, "Time until which it can be answered."]
    reminded_at: Annotated[datetime | None, "Time of the reminder; null when there was none."]

    survey = to_one(
        Survey,
        surveys.Survey,
        "survey_id",
        "Survey that the contact was asked or not asked to answer.",
    )

    wave = to_one(
        SurveyWave,
        surveys.SurveyWave,
        "wave_id",
        "Round of the survey that the decision belongs to.",
    )

    contact = to_one(Contact, accounts.Contact, "contact_id", "Contact whom the decision is about.")

    @resolver(bool | None)
    @staticmethod
    async def is_answered(row: InvitationRow, info: Info) -> bool | None:
        """Whether it was answered. Null for anonymous surveys."""
        survey = await info.context.get(surveys.Survey, row.survey_id)
        return None if survey is None or survey.is_anonymous else row.is_answered


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
            QuestionnaireId, "Questionnaire of which the published version is asked."
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
