"""Escalation: policies, and the progress and notifications of each incident. Not visible to clients."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import accounts, escalation, incidents
from domain.access import Role
from domain.escalation import Cycle, StepDraft, steps_of
from domain.escalation import Escalation as EscalationRow
from domain.escalation import EscalationPolicy as PolicyRow
from domain.escalation import EscalationStep as StepRow
from schema.accounts import Account
from schema.contacts import Contact
from schema.core import ids
from schema.core.context import Info
from schema.core.enums import Priority
from schema.core.ids import Node
from schema.core.lists import Rows, lists, naming, visible
from schema.core.mutations import AccountId, GlobalIdOf, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import enum, from_row, input_type, resolver
from schema.incidents import Incident
from schema.users import User

enum(
    Cycle,
    "EscalationCycle",
    unacknowledged="Nobody has acknowledged the incident.",
    stale="The next update of the incident is overdue.",
    management="The incident has been open for the time that the parameter `escalation.management_after` says.",
)

PolicyId = Annotated[UUID, GlobalIdOf("EscalationPolicy")]
Row = strawberry.Parent[EscalationRow]
Policy = strawberry.Parent[PolicyRow]
Taken = strawberry.Parent[StepRow]


@dataclass(frozen=True, slots=True)
class StepView:
    """Step of a policy with its users and contacts."""

    after_minutes: int
    roles: list[Role]
    urgent: bool
    user_ids: list[UUID]
    contact_ids: list[UUID]


StepParent = strawberry.Parent[StepView]


@from_row(StepView)
class EscalationPolicyStep:
    """Step of an escalation policy: the people to notify, a number of minutes after the cycle began."""

    after_minutes: Annotated[int, "Minutes since the incident was opened or its update was due."]
    roles: Annotated[list[Role], "Roles to notify: all their users who look after the account."]
    urgent: Annotated[bool, "Whether the notification ignores quiet hours."]

    @resolver(list[User])
    @staticmethod
    async def users(row: StepParent, info: Info) -> list[Any]:
        """Users of the company to notify."""
        return await info.context.get_all(accounts.User, row.user_ids)

    @resolver(list[Contact])
    @staticmethod
    async def contacts(row: StepParent, info: Info) -> list[Any]:
        """Contacts of the client to notify."""
        return await info.context.get_all(accounts.Contact, row.contact_ids)


@from_row(PolicyRow)
class EscalationPolicy(Node):
    """Policy for incidents without acknowledgement or updates: the people to notify, and after how long."""

    name: Annotated[str, "Name of the policy, as shown to people."]
    repeat_minutes: Annotated[
        int | None, "Minutes between repeats of the last step; null for no repeat."
    ]
    stale_minutes: Annotated[
        int | None,
        "Minutes without an update after which an incident is stale, where no next update is promised.",
    ]
    warn_percents: Annotated[
        list[int],
        "Warnings that operations get: 50 is the first, 75 the second, 90 the third (`promises.warnings`).",
    ]
    made_at: Annotated[datetime, "Time from which the policy applies."]
    ended_at: Annotated[datetime | None, "Time at which the policy ended; null while it applies."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(list[Priority])
    @staticmethod
    def priorities(row: Policy) -> list[Priority]:
        """Priorities of incidents that the policy covers; empty for all."""
        return [Priority(each) for each in row.priorities]

    @resolver(list[EscalationPolicyStep])
    @staticmethod
    def steps(row: Policy) -> list[StepView]:
        """Steps of the policy, in order."""
        return [
            StepView(s.after_minutes, s.roles, s.urgent, s.user_ids, s.contact_ids)
            for s in steps_of(row)
        ]

    account = to_one(
        Account,
        accounts.Account,
        "account_id",
        "Account that the policy covers; null for all without their own policy.",
    )


@from_row(StepRow)
class EscalationStep:
    """Escalation step that was taken: people were notified."""

    cycle: Annotated[Cycle, "Reason for the escalation."]
    number: Annotated[
        int,
        "Number of the step, from 0; above the last step of the policy, a repeat of that step.",
    ]
    due_at: Annotated[datetime, "Time at which the step was due."]
    taken_at: Annotated[datetime, "Time at which the step was taken."]

    @resolver(list[User])
    @staticmethod
    async def users(row: Taken, info: Info) -> list[Any]:
        """Users of the company who were notified."""
        return await info.context.get_all(accounts.User, row.user_ids)

    @resolver(list[Contact])
    @staticmethod
    async def contacts(row: Taken, info: Info) -> list[Any]:
        """Contacts of the client who were notified."""
        return await info.context.get_all(accounts.Contact, row.contact_ids)


@from_row(EscalationRow)
class Escalation(Node):
    """Progress of the escalation of an incident."""

    cycle: Annotated[Cycle | None, "Reason for the current escalation; null while there is none."]
    since: Annotated[datetime | None, "Time from which the minutes of the steps count."]
    next_step_at: Annotated[
        datetime | None, "Time of the next notification, unless the incident changes."
    ]
    management_at: Annotated[datetime | None, "Time of the first notification of management."]

    incident = to_one(Incident, incidents.Incident, "incident_id", "Incident that is escalated.")

    policy = to_one(
        EscalationPolicy,
        PolicyRow,
        "policy_id",
        "Policy that applies. Without one, only management is notified (parameter `escalation.management_after`).",
    )

    @resolver(list[EscalationStep])
    @staticmethod
    async def steps(row: Row, info: Info) -> list[Any]:
        """Steps taken so far, oldest first."""
        return await info.context.children(
            StepRow.escalation_id, row.id, order=(StepRow.due_at, StepRow.id)
        )


@input_type
class EscalationStepInput:
    """Step of an escalation policy: notifies people."""

    after_minutes: Annotated[int, "Minutes since the incident was opened or its update was due."]
    roles: Annotated[
        list[Role], "Roles to notify: all their users who look after the account."
    ] = []
    user_ids: Annotated[list[strawberry.ID], "Users of the company to notify."] = []
    contact_ids: Annotated[list[strawberry.ID], "Contacts of the client to notify."] = []
    urgent: Annotated[bool, "Whether the notification ignores quiet hours."] = False


@query_fields
class EscalationQuery:
    """Queries of escalations."""

    @resolver(Escalation | None)
    @staticmethod
    async def escalation(
        info: Info, incident_id: Annotated[strawberry.ID, "Incident to read the escalation of."]
    ) -> EscalationRow | None:
        """Escalation of one incident; null until a worker has evaluated it, and for clients."""
        query = visible(info, EscalationRow)
        query = naming(info, query, EscalationRow.incident_id, "Incident", incident_id)
        async with info.context.sessions() as session:
            row: EscalationRow | None = await session.scalar(query)
            return row

    @lists(Escalation, EscalationRow.id, descending=True)
    @staticmethod
    def escalations(
        info: Info,
        waiting: Annotated[
            bool, "Only escalations with a notification still to come; false for all."
        ] = False,
    ) -> Rows:
        """Escalations, by opening time of the incident, newest first."""
        query = visible(info, EscalationRow)
        return query.where(EscalationRow.next_step_at.is_not(None)) if waiting else query

    @lists(EscalationPolicy, PolicyRow.id, descending=True)
    @staticmethod
    def escalation_policies(
        info: Info,
    ) -> Rows:
        """Escalation policies that apply, newest first."""
        return visible(info, PolicyRow).where(PolicyRow.ended_at.is_(None))


@mutation_fields
class EscalationMutation:
    """Mutations of escalation policies."""

    @mutation(EscalationPolicy)
    @staticmethod
    async def set_escalation_policy(
        ask: MutationContext,
        name: Annotated[str, "Name of the policy, as shown to people."],
        steps: Annotated[
            list[EscalationStepInput],
            "Steps of the policy: the people to notify and after how long, in order.",
        ],
        account_id: Annotated[
            AccountId | None,
            "Account that the policy covers; null for all without their own policy.",
        ] = None,
        priorities: Annotated[
            list[Priority] | None, "Priorities of incidents that the policy covers; null for all."
        ] = None,
        repeat_minutes: Annotated[
            int | None, "Minutes between repeats of the last step; null for no repeat."
        ] = None,
        stale_minutes: Annotated[
            int | None,
            "Minutes without an update after which an incident is stale, where no next update is promised.",
        ] = None,
        warn_percents: Annotated[
            list[int] | None,
            "Warnings that operations get: of 50 (the first), 75 (the second) and 90 (the third); null: 75 and 90.",
        ] = None,
    ) -> PolicyRow:
        """Set a policy for notifications about incidents without acknowledgement or updates.

        The newest policy that fits applies.
        """
        return await escalation.set_policy(
            ask.tx,
            name=name,
            steps=[_draft(step) for step in steps],
            account_id=account_id,
            priorities=priorities or (),
            repeat_minutes=repeat_minutes,
            stale_minutes=stale_minutes,
            warn_percents=(75, 90) if warn_percents is None else warn_percents,
        )

    @mutation(EscalationPolicy)
    @staticmethod
    async def end_escalation_policy(
        ask: MutationContext, id: Annotated[PolicyId, "Policy to be ended."]
    ) -> PolicyRow:
        """End an escalation policy; it no longer applies."""
        return await escalation.end_policy(ask.tx, id)


def _draft(step: EscalationStepInput) -> StepDraft:
    return StepDraft(
        after_minutes=step.after_minutes,
        roles=step.roles,
        user_ids=[ids.wanted(each, "User", "userIds") for each in step.user_ids],
        contact_ids=[ids.wanted(each, "Contact", "contactIds") for each in step.contact_ids],
        urgent=step.urgent,
    )
