"""Service recovery cases: steps after a failure, until the client is satisfied."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, compensation, incidents, recovery, surveys
from domain.recovery import CaseState, Remedy, Size, StepKind
from schema.accounts import Account
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.mutations import (
    AccountId,
    CreditId,
    ExpectedVersion,
    GlobalIdOf,
    IncidentId,
    MutationContext,
    UserId,
    mutation,
)
from schema.core.relations import to_one
from schema.core.roots import mutation_fields
from schema.core.types import RESTRICTED, enum, from_row, resolver
from schema.credits import Credit
from schema.users import User

enum(
    Size,
    "RecoverySize",
    small="Small: more service, or a training session.",
    medium="Medium: a service credit, or priority support.",
    major="Major: an apology by management, and a recovery plan.",
)
enum(
    Remedy,
    "Remedy",
    extended_service="More of the agreed service, free of charge.",
    training_session="Training session for the people on site.",
    service_credit="Service credit in money or service.",
    priority_support="Priority support for a limited time.",
    executive_apology="Apology by the company's management.",
    recovery_plan="Recovery plan made for this client.",
)
enum(
    StepKind,
    "RecoveryStepKind",
    apologize="Apologise to the client.",
    listen="Listen to the client's experience.",
    resolve="Resolve what went wrong.",
    compensate="Compensate the client for it.",
    follow_up="Follow up: ask whether the client is satisfied.",
)
enum(
    CaseState,
    "RecoveryState",
    open="Open: steps are still to be done.",
    closed="Closed: the client is satisfied.",
)

RecoveryCaseId = Annotated[UUID, GlobalIdOf("RecoveryCase")]
Row = strawberry.Parent[recovery.RecoveryCase]
StepRow = strawberry.Parent[recovery.RecoveryStep]


@from_row(recovery.RecoveryStep)
class RecoveryStep:
    """Step of one round of a case, with its owner, due time and completion."""

    round: Annotated[int, "Number of the round: 1, 2, 3 …"]
    kind: Annotated[StepKind, "Kind of step, such as apologise or compensate."]
    due_at: Annotated[datetime, "Time by which the step is due."]
    done_at: Annotated[datetime | None, "Time at which the step was done; null before."]
    note: Annotated[str | None, "Note on what was done or said.", RESTRICTED]

    @resolver(list[Remedy])
    @staticmethod
    def remedies(row: StepRow) -> list[Remedy]:
        """Remedies that were offered in the step."""
        return [Remedy(each) for each in row.remedies]

    credit = to_one(
        Credit,
        compensation.Credit,
        "credit_id",
        "Service credit given in the step; null when none was given.",
    )

    owner = to_one(
        User,
        accounts.User,
        "owner_id",
        "User of the company responsible for the step. Null for clients.",
    )


@from_row(recovery.RecoveryCase)
class RecoveryCase(Node):
    """Service recovery case for a failure; it ends when the client is satisfied."""

    size: Annotated[Size, "Size of the failure, which decides the remedies and due times."]
    summary: Annotated[str, "Summary of what went wrong."]
    state: Annotated[CaseState, "State of the case: open or closed."]
    round: Annotated[
        int, "Number of the round: 1, and one more each time the client was not satisfied."
    ]
    opened_at: Annotated[datetime, "Time at which the case was opened."]
    closed_at: Annotated[datetime | None, "Time at which the case was closed; null while open."]
    satisfied: Annotated[
        bool | None, "Result of the last follow-up: whether the client was satisfied; null before."
    ]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(list[RecoveryStep])
    @staticmethod
    async def steps(row: Row, info: Info) -> list[recovery.RecoveryStep]:
        """Steps of the case, by round."""
        return await info.context.children(
            recovery.RecoveryStep.case_id,
            row.id,
            order=(recovery.RecoveryStep.round, recovery.RecoveryStep.due_at),
        )

    incident = to_one(
        "Incident",
        incidents.Incident,
        "incident_id",
        "Incident on which it went wrong; null for a case about none.",
    )

    survey_response = to_one(
        "SurveyResponse",
        surveys.SurveyResponse,
        "response_id",
        "Low answer to a survey that it follows up; null for others.",
    )

    account = to_one(Account, accounts.Account, "account_id", "Account of the client concerned.")


@mutation_fields
class RecoveryMutation:
    """Mutations of service recovery cases."""

    @mutation(RecoveryCase)
    @staticmethod
    async def open_recovery(
        ask: MutationContext,
        size: Annotated[Size, "Size of the failure, which decides the remedies and due times."],
        summary: Annotated[str, "Summary in one line of what went wrong."],
        owner_user_id: Annotated[UserId, "User of the company responsible for the steps."],
        incident_id: Annotated[
            IncidentId | None, "Incident on which it went wrong; null when it is about none."
        ] = None,
        account_id: Annotated[
            AccountId | None, "Account of the client; may be left out for a case about an incident."
        ] = None,
    ) -> recovery.RecoveryCase:
        """Open a service recovery case for an incident or an account; its five steps get their due times at once."""
        return await recovery.open_case(
            ask.tx,
            incident_id,
            account_id=account_id,
            size=size,
            summary=summary,
            owner_id=owner_user_id,
        )

    @mutation(RecoveryCase)
    @staticmethod
    async def take_recovery_step(
        ask: MutationContext,
        id: Annotated[RecoveryCaseId, "Case with the step."],
        kind: Annotated[
            StepKind, "Next step of the case; the last step is done with `followUpRecovery`."
        ],
        note: Annotated[str, "Note on what was done or said."],
        remedies: Annotated[
            list[Remedy] | None, "Remedies offered, for the step of compensation."
        ] = None,
        credit_id: Annotated[CreditId | None, "Service credit that was given."] = None,
        expected_version: ExpectedVersion = None,
    ) -> recovery.RecoveryCase:
        """Record that the next step of a case was done."""
        return await recovery.take_step(
            ask.tx,
            id,
            kind=kind,
            note=note,
            remedies=remedies or (),
            credit_id=credit_id,
            expected_version=expected_version,
        )

    @mutation(RecoveryCase)
    @staticmethod
    async def follow_up_recovery(
        ask: MutationContext,
        id: Annotated[RecoveryCaseId, "Case to follow up."],
        satisfied: Annotated[bool, "Whether the client is satisfied."],
        note: Annotated[str, "Note on the response of the client."],
        expected_version: ExpectedVersion = None,
    ) -> recovery.RecoveryCase:
        """Record whether the client is satisfied: true closes the case, false starts another round."""
        return await recovery.follow_up(
            ask.tx, id, satisfied=satisfied, note=note, expected_version=expected_version
        )

    @mutation(RecoveryCase)
    @staticmethod
    async def hand_over_recovery_step(
        ask: MutationContext,
        id: Annotated[RecoveryCaseId, "Case with the step."],
        kind: Annotated[StepKind, "Step to be handed over."],
        owner_user_id: Annotated[UserId, "User of the company responsible from now on."],
        expected_version: ExpectedVersion = None,
    ) -> recovery.RecoveryCase:
        """Hand over a step that is not done to another user of the company."""
        return await recovery.hand_over(
            ask.tx, id, kind=kind, owner_id=owner_user_id, expected_version=expected_version
        )
