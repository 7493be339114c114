"""Action plans: the list, the mutations, comments of both sides, and the feed."""

from collections.abc import AsyncIterable
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import accounts, action_plans, commitments, surveys
from domain.action_plans import ActionPlanState, ActionPriority, PlanMeasure, TriggerWindow
from domain.core.base import among
from domain.core.errors import Code, Refused
from domain.sentiment import Theme
from schema.accounts import Account
from schema.action_plan_effects import ActionPlanEffect
from schema.commitments import Commitment
from schema.core.actor_name import shown
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.mutations import (
    AccountId,
    ExpectedVersion,
    GlobalIdOf,
    MutationContext,
    UserId,
    mutation,
)
from schema.core.roots import mutation_fields, query_fields, subscription_fields
from schema.core.types import enum, from_row, relation, resolver, subscription
from schema.subscriptions import After, FeedEvent, Item, facts_named
from schema.survey_answers import SurveyResponse

enum(
    ActionPriority,
    "ActionPriority",
    high="High: before all others.",
    medium="Medium: as planned by default.",
    low="Low: when time is left.",
)
enum(
    ActionPlanState,
    "ActionPlanState",
    planned="Planned, and nobody has begun.",
    started="Begun, and not done.",
    done="Done, with what was done.",
    dropped="Not carried out, with the reason.",
)
Row = strawberry.Parent[action_plans.ActionPlan]
CommentRow = strawberry.Parent[action_plans.ActionPlanComment]
PlanId = Annotated[UUID, GlobalIdOf("ActionPlan")]
SurveyIdArgument = Annotated[UUID | None, GlobalIdOf("Survey")]


@from_row(action_plans.ActionPlanComment)
class ActionPlanComment(Node):
    """Comment on an action plan by the client or by the company."""

    words: Annotated[str, "Text of the comment."]
    from_client: Annotated[bool, "Whether somebody of the client wrote it."]
    at: Annotated[datetime, "Time at which it was written."]

    @resolver(str | None)
    @staticmethod
    def author(row: CommentRow, info: Info) -> Any:
        """Author, as named in the ledger. Clients see staff of the company as `staff`."""
        return shown(info, row.account_id, row.author)


@from_row(action_plans.ActionPlan)
class ActionPlan(Node):
    """What a client said, and what the company does about it; the client sees it and can comment."""

    title: Annotated[str, "Line that says what is planned."]
    words: Annotated[str, "What the client said."]
    priority: Annotated[ActionPriority, "Priority among the plans of the company."]
    state: Annotated[ActionPlanState, "State of the work on it."]
    theme: Annotated[Theme | None, "Theme that it is about."]
    question: Annotated[str | None, "Key of the question with the answers that measure it."]
    opened_at: Annotated[datetime, "Time at which it was planned."]
    started_at: Annotated[datetime | None, "Time at which work on it began."]
    done_at: Annotated[datetime | None, "Time at which it was done."]
    outcome: Annotated[str | None, "What was done, in words for the client."]
    dropped_at: Annotated[datetime | None, "Time at which it was dropped."]
    drop_reason: Annotated[str | None, "Why it is not carried out."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(date)
    @staticmethod
    def window_from(row: Row) -> date:
        """First day of the window with the answers that led to it."""
        return row.trigger_from

    @resolver(date)
    @staticmethod
    def window_until(row: Row) -> date:
        """First day after that window."""
        return row.trigger_until

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)

    @resolver(Commitment | None)
    @staticmethod
    async def commitment(row: Row, info: Info) -> commitments.Commitment | None:
        """Commitment with the owner and the due time."""
        return await info.context.get(commitments.Commitment, row.commitment_id)

    @resolver(list[ActionPlanComment])
    @staticmethod
    async def comments(row: Row, info: Info) -> list[action_plans.ActionPlanComment]:
        """Comments of both sides, the oldest first."""
        of_row = action_plans.ActionPlanComment
        return await info.context.children(of_row.plan_id, row.id, order=(of_row.at, of_row.id))

    @resolver(ActionPlanEffect | None)
    @staticmethod
    async def effect(row: Row, info: Info) -> action_plans.ActionPlanEffect | None:
        """Effect by the answers; null until a window after the plan is over, and without a question."""
        found: action_plans.ActionPlanEffect | None = await info.context.get_by(
            action_plans.ActionPlanEffect.plan_id, row.id
        )
        return found

    @relation("Survey")
    @staticmethod
    async def survey(row: Row, info: Info) -> Any:
        """Survey with the answers that measure it."""
        return await info.context.get(surveys.Survey, row.survey_id)

    @resolver(list[SurveyResponse])
    @staticmethod
    async def responses(row: Row, info: Info) -> list[surveys.SurveyResponse]:
        """Responses that led to it."""
        return await info.context.get_all(surveys.SurveyResponse, row.response_ids)


@query_fields
class ActionPlanQuery:
    """Queries of action plans."""

    @lists(
        ActionPlan, action_plans.ActionPlan.opened_at, action_plans.ActionPlan.id, descending=True
    )
    @staticmethod
    def action_plans(
        info: Info,
        account_id: AccountFilter = None,
        states: Annotated[
            list[ActionPlanState] | None, "Only plans in these states; null for all."
        ] = None,
        priority: Annotated[ActionPriority | None, "Only plans of this priority."] = None,
    ) -> Rows:
        """Action plans, the newest first."""
        row = action_plans.ActionPlan
        query = visible(info, row, account_id)
        if states is not None:
            query = query.where(among(row.state, states))
        return query if priority is None else query.where(row.priority == priority)


@mutation_fields
class ActionPlanMutation:
    """Mutations of action plans."""

    @mutation(ActionPlan)
    @staticmethod
    async def open_action_plan(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the client."],
        title: Annotated[str, "One line that says what is planned; the client is promised it."],
        words: Annotated[str, "What the client said."],
        owner_user_id: Annotated[UserId, "User of the company responsible for it."],
        due_at: Annotated[datetime, "Time by which it is due, later than now."],
        window_from: Annotated[date, "First day of the window with the answers that led to it."],
        window_until: Annotated[date, "First day after that window."],
        priority: Annotated[
            ActionPriority, "Priority among the plans of the company."
        ] = ActionPriority.MEDIUM,
        theme: Annotated[Theme | None, "Theme that it is about."] = None,
        survey_id: Annotated[
            SurveyIdArgument, "Survey with the answers that measure the effect; with `question`."
        ] = None,
        question: Annotated[
            str | None, "Key of the question with the answers that measure the effect."
        ] = None,
        response_ids: Annotated[
            list[Annotated[UUID, GlobalIdOf("SurveyResponse")]] | None,
            "Responses that led to it; their authors are written what was done.",
        ] = None,
    ) -> action_plans.ActionPlan:
        """Plan an action because of what a client said, with an owner and a due time."""
        if (survey_id is None) != (question is None):
            raise Refused(Code.INVALID, "Give surveyId and question together.", argument="question")
        measure = (
            None if survey_id is None or question is None else PlanMeasure(survey_id, question)
        )
        return await action_plans.open_plan(
            ask.tx,
            account_id,
            title=title,
            words=words,
            priority=priority,
            owner_id=owner_user_id,
            due_at=due_at,
            window=TriggerWindow(window_from, window_until),
            theme=theme,
            measure=measure,
            response_ids=response_ids or (),
        )

    @mutation(ActionPlan)
    @staticmethod
    async def prioritise_action_plan(
        ask: MutationContext,
        id: Annotated[PlanId, "Plan that gets another priority."],
        priority: Annotated[ActionPriority, "Priority among the plans of the company."],
        expected_version: ExpectedVersion = None,
    ) -> action_plans.ActionPlan:
        """Give an open action plan another priority."""
        return await action_plans.prioritise(
            ask.tx, id, priority, expected_version=expected_version
        )

    @mutation(ActionPlan)
    @staticmethod
    async def start_action_plan(
        ask: MutationContext,
        id: Annotated[PlanId, "Plan that is begun."],
        expected_version: ExpectedVersion = None,
    ) -> action_plans.ActionPlan:
        """Begin the work on an action plan."""
        return await action_plans.start_plan(ask.tx, id, expected_version=expected_version)

    @mutation(ActionPlan)
    @staticmethod
    async def finish_action_plan(
        ask: MutationContext,
        id: Annotated[PlanId, "Plan that is done."],
        outcome: Annotated[str, "What was done, in words for the client."],
        expected_version: ExpectedVersion = None,
    ) -> action_plans.ActionPlan:
        """Say what was done; the authors of the answers that led to the plan are written."""
        return await action_plans.finish_plan(
            ask.tx, id, outcome=outcome, expected_version=expected_version
        )

    @mutation(ActionPlan)
    @staticmethod
    async def drop_action_plan(
        ask: MutationContext,
        id: Annotated[PlanId, "Plan that is not carried out."],
        reason: Annotated[str, "Why not, in words for the client."],
        expected_version: ExpectedVersion = None,
    ) -> action_plans.ActionPlan:
        """Drop an action plan; its commitment is withdrawn unless it is overdue."""
        return await action_plans.drop_plan(
            ask.tx, id, reason=reason, expected_version=expected_version
        )

    @mutation(ActionPlan)
    @staticmethod
    async def comment_on_action_plan(
        ask: MutationContext,
        id: Annotated[PlanId, "Plan that is commented on."],
        words: Annotated[str, "Text of the comment; both sides read it."],
    ) -> action_plans.ActionPlan:
        """Comment on an action plan, as the client or as the company."""
        return await action_plans.comment(ask.tx, id, words=words)


@subscription_fields
class ActionPlanSubscription:
    """Subscriptions about action plans."""

    @subscription(FeedEvent)
    def action_plan_events(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all accounts that you can access."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Action plans as they are opened, commented on, done and measured."""
        return facts_named(info, account_id, after, "action_plan.")
