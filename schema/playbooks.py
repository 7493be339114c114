"""Playbooks of the company: what opens them, and their tasks."""

from collections.abc import AsyncIterable, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import playbooks
from domain.account_teams import TeamRole
from domain.health import HealthBand, WarningRule
from domain.kpis import KpiKey
from domain.playbooks import PlaybookDate, PlaybookTrigger, TaskTemplate, TriggerDraft
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import Rows, lists, visible
from schema.core.mutations import ExpectedVersion, GlobalIdOf, MutationContext, mutation
from schema.core.roots import mutation_fields, query_fields, subscription_fields
from schema.core.types import enum, from_row, input_type, resolver, subscription
from schema.subscriptions import After, FeedEvent, Item, facts_named

enum(
    PlaybookTrigger,
    "PlaybookTrigger",
    band="The confirmed band of an account's health falls to it.",
    warning="An early warning of the rule is raised.",
    date="A date of the account comes within the days before it.",
    kpi="The account missed the target of the KPI in the last 28 days.",
)
enum(
    PlaybookDate,
    "PlaybookDate",
    notice_date="Last day on which notice can be given of an agreement.",
    term_end="Last day that is agreed of an agreement.",
    anniversary="Day on which the client has been one for another year.",
)
Row = strawberry.Parent[playbooks.Playbook]
PlaybookId = Annotated[UUID, GlobalIdOf("Playbook")]


@from_row(TaskTemplate)
class PlaybookTaskTemplate:
    """Task of a playbook: it becomes a commitment of its owner in each run."""

    key: Annotated[str, "Short name of the task, for `dependsOn`."]
    words: Annotated[str, "Line that says what is to be done."]
    owner_role: Annotated[TeamRole, "Role in the account team that does it."]
    working_days: Annotated[int, "Working days until it is due; 0: the same day."]
    wanted: Annotated[str, "Outcome that the task should bring."]
    depends_on: Annotated[list[str], "Keys of tasks that must be finished before it begins."]


@input_type
class PlaybookTaskInput:
    """What is to be done by whom, until when, and after what."""

    key: Annotated[str, "Short name of the task; unique in the playbook."]
    words: Annotated[str, "Line that says what is to be done."]
    owner_role: Annotated[TeamRole, "Role in the account team that does it."]
    working_days: Annotated[int, "Working days until it is due, 0 to 250; 0: the same day."]
    wanted: Annotated[str, "Outcome that the task should bring."]
    depends_on: Annotated[list[str], "Keys of tasks before it that must be finished first."] = []

    def template(self) -> TaskTemplate:
        """Return the task as the domain knows it."""
        return TaskTemplate(
            self.key, self.words, self.owner_role, self.working_days, self.wanted,
            tuple(self.depends_on),
        )  # fmt: skip


@from_row(playbooks.Playbook)
class Playbook(Node):
    """What the company does when something happens with an account: a trigger and tasks."""

    name: Annotated[str, "Name of the playbook; unique in the company."]
    trigger_value: Annotated[str, "Band, rule, date or KPI that opens it, in lower case."]
    days_before: Annotated[int, "Days before the date at which it opens; 0 for other triggers."]
    set_at: Annotated[datetime, "Time at which it was last changed."]
    retired_at: Annotated[datetime | None, "Time from which on it opens no runs; null: in use."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(PlaybookTrigger)
    @staticmethod
    def trigger(row: Row) -> PlaybookTrigger:
        """Kind of event that opens it."""
        return row.trigger_kind

    @resolver(list[PlaybookTaskTemplate])
    @staticmethod
    def tasks(row: Row) -> Sequence[TaskTemplate]:
        """Tasks, in their order."""
        return playbooks.tasks_of(row)


@query_fields
class PlaybookQuery:
    """Queries of playbooks."""

    @lists(Playbook, playbooks.Playbook.name, playbooks.Playbook.id)
    @staticmethod
    def playbooks(info: Info) -> Rows:
        """Playbooks of the company by name, also retired ones; the shipped ones from the first trigger on."""
        return visible(info, playbooks.Playbook)


@mutation_fields
class PlaybookMutation:
    """Mutations of playbooks."""

    @mutation(Playbook)
    @staticmethod
    async def define_playbook(
        ask: MutationContext,
        name: Annotated[str, "Name of the playbook; one of this name is changed."],
        tasks: Annotated[list[PlaybookTaskInput], "All of its tasks, in their order; 1 to 30."],
        band: Annotated[HealthBand | None, "Opens it when an account falls to this band."] = None,
        warning: Annotated[WarningRule | None, "Opens it when this rule raises a warning."] = None,
        date: Annotated[PlaybookDate | None, "Opens it before this date."] = None,
        days_before: Annotated[int, "Days before the date at which it opens, 0 to 730."] = 0,
        kpi: Annotated[KpiKey | None, "Opens it when the target of this KPI is missed."] = None,
        expected_version: ExpectedVersion = None,
    ) -> playbooks.Playbook:
        """Make a playbook, or change the one of this name. Its one trigger must be free of other playbooks."""
        return await playbooks.define(
            ask.tx,
            name=name,
            trigger=TriggerDraft(band, warning, date, days_before, kpi),
            tasks=[each.template() for each in tasks],
            expected_version=expected_version,
        )

    @mutation(Playbook)
    @staticmethod
    async def retire_playbook(
        ask: MutationContext,
        id: Annotated[PlaybookId, "Playbook to be retired."],
        expected_version: ExpectedVersion = None,
    ) -> playbooks.Playbook:
        """Retire a playbook: it opens no more runs, the open ones go on."""
        return await playbooks.retire(ask.tx, id, expected_version=expected_version)


@subscription_fields
class PlaybookSubscription:
    """Subscriptions to runs of playbooks."""

    @subscription(FeedEvent)
    def playbook_events(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all accounts that you can access."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Runs of playbooks as they are opened, go on and are closed."""
        return facts_named(info, account_id, after, "playbook_run.")
