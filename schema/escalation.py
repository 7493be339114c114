"""Escalation: policies, how far each ticket is, and who was told when. Clients are not shown these."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import escalation
from domain.access import Role
from domain.escalation import Cycle, StepDraft
from domain.escalation import Escalation as EscalationRow
from domain.escalation import EscalationPolicy as PolicyRow
from domain.escalation import EscalationStep as StepRow
from domain.escalation.reads import steps_of
from schema.accounts import Account, Contact, User
from schema.core import ids
from schema.core.context import Info
from schema.core.enums import Priority
from schema.core.ids import Node
from schema.core.lists import Rows, lists, naming, visible
from schema.core.mutations import AccountId, GlobalIdOf, MutationContext, mutation
from schema.core.types import enum, from_row, input_type, resolver
from schema.incidents import Incident

enum(
    Cycle, "EscalationCycle",
    unacknowledged="Nobody took the ticket up.", stale="Its next news is overdue.",
    management="It has been open for four hours.",
)  # fmt: skip

PolicyId = Annotated[UUID, GlobalIdOf("EscalationPolicy")]
Row = strawberry.Parent[EscalationRow]
Policy = strawberry.Parent[PolicyRow]
Taken = strawberry.Parent[StepRow]


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of a policy as it is shown."""

    after_minutes: int
    roles: list[Role]
    urgent: bool
    user_ids: list[UUID]
    contact_ids: list[UUID]


StepParent = strawberry.Parent[StepView]


@from_row(StepView)
class EscalationPolicyStep:
    """So many minutes after its cycle began, these are told."""

    after_minutes: Annotated[int, "Minutes after the ticket was opened, or its news was due."]
    roles: Annotated[list[Role], "Everybody of these roles who looks after the client."]
    urgent: Annotated[bool, "Whether it goes past quiet hours."]

    @resolver(list[User])
    @staticmethod
    async def users(row: StepParent, info: Info) -> list[Any]:
        """These colleagues."""
        found = await info.context.loaders.user.load_many(row.user_ids)
        return [user for user in found if user is not None]

    @resolver(list[Contact])
    @staticmethod
    async def contacts(row: StepParent, info: Info) -> list[Any]:
        """These people on the client's side."""
        found = await info.context.loaders.contact.load_many(row.contact_ids)
        return [contact for contact in found if contact is not None]


@from_row(PolicyRow)
class EscalationPolicy(Node):
    """Who is told of a ticket that nobody takes up or speaks about, and after how long."""

    name: Annotated[str, "What it is called."]
    repeat_minutes: Annotated[int | None, "How often the last step is repeated; null for once."]
    stale_minutes: Annotated[
        int | None,
        "After how long without news a ticket is stale where no next update is promised.",
    ]
    warn_percents: Annotated[
        list[int], "At which shares of a promise's time ops is warned: of 50, 75 and 90."
    ]
    made_at: Annotated[datetime, "Since when it holds."]
    ended_at: Annotated[datetime | None, "Until when it held."]
    version: Annotated[int, "Raised by every change."]

    @resolver(list[Priority])
    @staticmethod
    def priorities(row: Policy) -> list[Priority]:
        """For which tickets; empty for all."""
        return [Priority(each) for each in row.priorities]

    @resolver(list[EscalationPolicyStep])
    @staticmethod
    def steps(row: Policy) -> list[StepView]:
        """The steps, in order."""
        return [
            StepView(s.after_minutes, s.roles, s.urgent, s.user_ids, s.contact_ids)
            for s in steps_of(row)
        ]

    @resolver(Account | None)
    @staticmethod
    async def account(row: Policy, info: Info) -> Any:
        """The client; null for all that have no policy of their own."""
        if row.account_id is None:
            return None
        return await info.context.loaders.account.load(row.account_id)


@from_row(StepRow)
class EscalationStep:
    """Somebody was told."""

    cycle: Annotated[Cycle, "Why."]
    number: Annotated[int, "Which step, from 0; beyond the policy's last one, a repeat of it."]
    due_at: Annotated[datetime, "When it was due."]
    taken_at: Annotated[datetime, "When it was taken."]

    @resolver(list[User])
    @staticmethod
    async def users(row: Taken, info: Info) -> list[Any]:
        """The colleagues who were told."""
        found = await info.context.loaders.user.load_many(row.user_ids)
        return [user for user in found if user is not None]

    @resolver(list[Contact])
    @staticmethod
    async def contacts(row: Taken, info: Info) -> list[Any]:
        """Those on the client's side who were told."""
        found = await info.context.loaders.contact.load_many(row.contact_ids)
        return [contact for contact in found if contact is not None]


@from_row(EscalationRow)
class Escalation(Node):
    """How far the escalation of a ticket is."""

    cycle: Annotated[Cycle | None, "What there is to tell; null while there is nothing."]
    since: Annotated[datetime | None, "From when the minutes of the steps count."]
    next_step_at: Annotated[
        datetime | None, "When somebody is told next, unless something happens."
    ]
    management_at: Annotated[datetime | None, "When management was told first."]

    @resolver(Incident | None)
    @staticmethod
    async def incident(row: Row, info: Info) -> Any:
        """The ticket."""
        return await info.context.loaders.incident.load(row.incident_id)

    @resolver(EscalationPolicy | None)
    @staticmethod
    async def policy(row: Row, info: Info) -> Any:
        """The policy it follows; without one management is told after four hours all the same."""
        if row.policy_id is None:
            return None
        return await info.context.loaders.of_type["EscalationPolicy"].load(row.policy_id)

    @resolver(list[EscalationStep])
    @staticmethod
    async def steps(row: Row, info: Info) -> list[Any]:
        """Who was told when, oldest first."""
        return await info.context.loaders.steps_of_escalation.load(row.id)


@input_type
class EscalationStepInput:
    """A step of a policy: it tells somebody."""

    after_minutes: Annotated[int, "Minutes after the ticket was opened, or its news was due."]
    roles: Annotated[list[Role], "Everybody of these roles who looks after the client."] = []
    user_ids: Annotated[list[strawberry.ID], "These colleagues."] = []
    contact_ids: Annotated[list[strawberry.ID], "These people on the client's side."] = []
    urgent: Annotated[bool, "Whether it goes past quiet hours."] = False


@strawberry.type
class EscalationQuery:
    """What can be asked about escalations."""

    @resolver(Escalation | None)
    @staticmethod
    async def escalation(
        info: Info, incident_id: Annotated[strawberry.ID, "The ticket."]
    ) -> EscalationRow | None:
        """The escalation of one ticket; null until a worker has looked at it, and for clients."""
        query = naming(
            visible(info, EscalationRow), EscalationRow.incident_id, "Incident", incident_id
        )
        async with info.context.sessions() as session:
            row: EscalationRow | None = await session.scalar(query)
            return row

    @lists(Escalation, EscalationRow.id, descending=True)
    @staticmethod
    def escalations(
        info: Info,
        waiting: Annotated[bool, "Only those of whom somebody will be told."] = False,
    ) -> Rows:
        """Escalations, the newest tickets first."""
        query = visible(info, EscalationRow)
        return query.where(EscalationRow.next_step_at.is_not(None)) if waiting else query

    @lists(EscalationPolicy, PolicyRow.id, descending=True)
    @staticmethod
    def escalation_policies(
        info: Info,
    ) -> Rows:
        """Policies that hold, newest first."""
        return visible(info, PolicyRow).where(PolicyRow.ended_at.is_(None))


@strawberry.type
class EscalationMutation:
    """Verbs about escalation."""

    @mutation(EscalationPolicy)
    @staticmethod
    async def set_escalation_policy(
        ask: MutationContext,
        name: Annotated[str, "What it is called."],
        steps: Annotated[list[EscalationStepInput], "Who is told after how long, in order."],
        account_id: Annotated[
            AccountId | None, "For this client; null for all that have none of their own."
        ] = None,
        priorities: Annotated[
            list[Priority] | None, "For tickets of these priorities; null for all."
        ] = None,
        repeat_minutes: Annotated[
            int | None, "How often the last step is repeated; null for once."
        ] = None,
        stale_minutes: Annotated[
            int | None,
            "After how long without news a ticket is stale where no next update is promised.",
        ] = None,
        warn_percents: Annotated[
            list[int] | None, "At which shares of a promise's time ops is warned; null: 75, 90."
        ] = None,
    ) -> PolicyRow:
        """Say who is told of tickets that nobody takes up or speaks about. The newest policy that fits holds."""
        return await escalation.set_policy(
            ask.session,
            ask.actor,
            name=name,
            steps=[_draft(step) for step in steps],
            account_id=account_id,
            priorities=priorities or (),
            repeat_minutes=repeat_minutes,
            stale_minutes=stale_minutes,
            warn_percents=(75, 90) if warn_percents is None else warn_percents,
            at=ask.at,
        )

    @mutation(EscalationPolicy)
    @staticmethod
    async def end_escalation_policy(
        ask: MutationContext, id: Annotated[PolicyId, "The policy."]
    ) -> PolicyRow:
        """Let a policy hold no more."""
        return await escalation.end_policy(ask.session, ask.actor, id, at=ask.at)


def _draft(step: EscalationStepInput) -> StepDraft:
    return StepDraft(
        after_minutes=step.after_minutes,
        roles=step.roles,
        user_ids=[ids.wanted(each, "User", "userIds") for each in step.user_ids],
        contact_ids=[ids.wanted(each, "Contact", "contactIds") for each in step.contact_ids],
        urgent=step.urgent,
    )
