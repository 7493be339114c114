"""Recovery cases: making good what went wrong, step by step, until the client is satisfied."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from domain import accounts, recovery
from domain.recovery import CaseState, Remedy, Size, StepKind
from schema.accounts import Account, User
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lazy_types import ItsIncident
from schema.core.mutations import (
    CreditId,
    ExpectedVersion,
    IncidentId,
    MutationContext,
    RecoveryCaseId,
    UserId,
    mutation,
)
from schema.core.types import RESTRICTED, enum, from_row, resolver
from schema.credits import Credit

enum(
    Size, "RecoverySize",
    small="More service, or a training session.", medium="A service credit, or priority.",
    major="An apology of the management, and a plan.",
)  # fmt: skip
enum(
    Remedy, "Remedy",
    extended_service="More of the service.", training_session="A session for the people on site.",
    service_credit="Money back.", priority_support="Priority for a while.",
    executive_apology="The management says sorry.", recovery_plan="A plan made for this client.",
)  # fmt: skip
enum(
    StepKind, "RecoveryStepKind",
    apologize="Say sorry.", listen="Hear what it was like.", resolve="Put it right.",
    compensate="Make up for it.", follow_up="Ask whether the client is satisfied.",
)  # fmt: skip
enum(CaseState, "RecoveryState", open="Being worked on.", closed="The client is satisfied.")

Row = strawberry.Parent[recovery.RecoveryCase]
StepRow = strawberry.Parent[recovery.RecoveryStep]


@from_row(recovery.RecoveryStep)
class RecoveryStep:
    """One step of one round: who does it by when, and when it was done."""

    round: Annotated[int, "Which round it belongs to."]
    kind: Annotated[StepKind, "Which step."]
    due_at: Annotated[datetime, "By when."]
    done_at: Annotated[datetime | None, "When it was done."]
    note: Annotated[str | None, "What was done or said.", RESTRICTED]

    @resolver(list[Remedy])
    @staticmethod
    def remedies(row: StepRow) -> list[Remedy]:
        """What was offered."""
        return [Remedy(each) for each in row.remedies]

    @resolver(Credit | None)
    @staticmethod
    async def credit(row: StepRow, info: Info) -> Any:
        """The service credit that was given."""
        if row.credit_id is None:
            return None
        return await info.context.loaders.of_type["Credit"].load(row.credit_id)

    @resolver(User | None)
    @staticmethod
    async def owner(row: StepRow, info: Info) -> accounts.User | None:
        """Who does it. Null for clients."""
        return await info.context.loaders.user.load(row.owner_id)


@from_row(recovery.RecoveryCase)
class RecoveryCase(Node):
    """Making good what went wrong on a ticket; ends with a satisfied client."""

    size: Annotated[Size, "How much there is to make good."]
    summary: Annotated[str, "What went wrong."]
    state: Annotated[CaseState, "How it stands."]
    round: Annotated[int, "1, and one more for each time the client was not satisfied."]
    opened_at: Annotated[datetime, "When it began."]
    closed_at: Annotated[datetime | None, "When it ended."]
    satisfied: Annotated[bool | None, "What the last follow-up found."]
    version: Annotated[int, "Raised by every change."]

    @resolver(list[RecoveryStep])
    @staticmethod
    async def steps(row: Row, info: Info) -> list[recovery.RecoveryStep]:
        """Its steps, round by round."""
        return await info.context.loaders.steps_of_case.load(row.id)

    @resolver(ItsIncident | None)
    @staticmethod
    async def incident(row: Row, info: Info) -> Any:
        """The ticket it is about."""
        return await info.context.loaders.incident.load(row.incident_id)

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """The client."""
        return await info.context.loaders.account.load(row.account_id)


@strawberry.type
class RecoveryMutation:
    """Verbs about recovery cases."""

    @mutation(RecoveryCase)
    @staticmethod
    async def open_recovery(
        ask: MutationContext,
        incident_id: Annotated[IncidentId, "The ticket on which it went wrong."],
        size: Annotated[Size, "How much there is to make good."],
        summary: Annotated[str, "What went wrong, in a line."],
        owner_user_id: Annotated[UserId, "Who of the company does the steps."],
    ) -> recovery.RecoveryCase:
        """Begin to make good; five steps with their dates are laid out at once."""
        return await recovery.open_case(
            ask.session, ask.actor, incident_id, size=size, summary=summary, owner_id=owner_user_id,
            at=ask.at,
        )  # fmt: skip

    @mutation(RecoveryCase)
    @staticmethod
    async def take_recovery_step(
        ask: MutationContext,
        id: Annotated[RecoveryCaseId, "The case."],
        kind: Annotated[StepKind, "The next step; to follow up is `followUpRecovery`."],
        note: Annotated[str, "What was done or said."],
        remedies: Annotated[list[Remedy] | None, "What is offered, when compensating."] = None,
        credit_id: Annotated[CreditId | None, "The service credit that was given."] = None,
        expected_version: ExpectedVersion = None,
    ) -> recovery.RecoveryCase:
        """Do the next step of a case."""
        return await recovery.take_step(
            ask.session, ask.actor, id, kind=kind, note=note, remedies=remedies or (),
            credit_id=credit_id, at=ask.at, expected_version=expected_version,
        )  # fmt: skip

    @mutation(RecoveryCase)
    @staticmethod
    async def follow_up_recovery(
        ask: MutationContext,
        id: Annotated[RecoveryCaseId, "The case."],
        satisfied: Annotated[bool, "Whether the client is satisfied."],
        note: Annotated[str, "What the client said."],
        expected_version: ExpectedVersion = None,
    ) -> recovery.RecoveryCase:
        """Say whether the client is satisfied: yes closes the case, no begins another round."""
        return await recovery.follow_up(
            ask.session, ask.actor, id, satisfied=satisfied, note=note, at=ask.at,
            expected_version=expected_version,
        )  # fmt: skip

    @mutation(RecoveryCase)
    @staticmethod
    async def hand_over_recovery_step(
        ask: MutationContext,
        id: Annotated[RecoveryCaseId, "The case."],
        kind: Annotated[StepKind, "The step."],
        owner_user_id: Annotated[UserId, "Who of the company does it from now on."],
        expected_version: ExpectedVersion = None,
    ) -> recovery.RecoveryCase:
        """Give a step that is not done to a colleague."""
        return await recovery.hand_over(
            ask.session, ask.actor, id, kind=kind, owner_id=owner_user_id, at=ask.at,
            expected_version=expected_version,
        )  # fmt: skip
