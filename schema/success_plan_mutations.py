"""Mutations of success plans and of their goals."""

from datetime import date
from typing import Annotated
from uuid import UUID

from domain import success_plans
from domain.kpis import KpiKey
from domain.quality import Window
from domain.success_plans import GoalDraft
from schema.core.mutations import (
    AccountId,
    ExpectedVersion,
    GlobalIdOf,
    MutationContext,
    UserId,
    mutation,
)
from schema.core.roots import mutation_fields
from schema.core.scalars import Long
from schema.success_goals import SuccessGoal
from schema.success_plans import SuccessPlan

PlanId = Annotated[UUID, GlobalIdOf("SuccessPlan")]
GoalId = Annotated[UUID, GlobalIdOf("SuccessGoal")]
OtherUser = Annotated[UUID | None, GlobalIdOf("User")]


@mutation_fields
class SuccessPlanMutation:
    """Mutations of success plans."""

    @mutation(SuccessPlan)
    @staticmethod
    async def open_success_plan(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the client."],
        title: Annotated[str, "Line that names the plan."],
        words: Annotated[str, "What the client wants to reach."],
        owner_user_id: Annotated[UserId, "Colleague who is accountable for it."],
        starts_on: Annotated[date, "First day of the plan."],
        due_on: Annotated[date, "Last day of the plan, at most five years later."],
        dependencies: Annotated[str | None, "What it depends on, in words."] = None,
        resources: Annotated[str | None, "What it needs, in words."] = None,
    ) -> success_plans.SuccessPlan:
        """Open a success plan, which the client sees when it is shared."""
        return await success_plans.open_plan(
            ask.tx,
            account_id,
            title=title,
            words=words,
            owner_id=owner_user_id,
            starts_on=starts_on,
            due_on=due_on,
            dependencies=dependencies,
            resources=resources,
        )

    @mutation(SuccessPlan)
    @staticmethod
    async def share_success_plan(
        ask: MutationContext,
        id: Annotated[PlanId, "Plan with a goal, which the client does not see yet."],
        expected_version: ExpectedVersion = None,
    ) -> success_plans.SuccessPlan:
        """Share a success plan with the client, who can comment on it from then on."""
        return await success_plans.share(ask.tx, id, expected_version=expected_version)

    @mutation(SuccessPlan)
    @staticmethod
    async def close_success_plan(
        ask: MutationContext,
        id: Annotated[PlanId, "Plan that is closed."],
        outcome: Annotated[str, "What came of it, in words for the client."],
        expected_version: ExpectedVersion = None,
    ) -> success_plans.SuccessPlan:
        """Close a success plan; goals that a KPI measures keep the value that they have now."""
        return await success_plans.close_plan(
            ask.tx, id, outcome=outcome, expected_version=expected_version
        )

    @mutation(SuccessPlan)
    @staticmethod
    async def comment_on_success_plan(
        ask: MutationContext,
        id: Annotated[PlanId, "Plan that is commented on."],
        words: Annotated[str, "Text of the comment; both sides read it."],
    ) -> success_plans.SuccessPlan:
        """Comment on a success plan, as the client or as the company."""
        return await success_plans.comment(ask.tx, id, words=words)

    @mutation(SuccessGoal)
    @staticmethod
    async def set_success_goal(
        ask: MutationContext,
        id: Annotated[PlanId, "Open plan that gets the goal."],
        title: Annotated[str, "Line that says what is to be reached."],
        criterion_words: Annotated[str, "When the goal counts as reached, in words."],
        baseline: Annotated[float, "Value from which it starts, in its unit."],
        target: Annotated[float, "Value that is to be reached, higher or lower."],
        owner_user_id: Annotated[UserId, "Colleague who is accountable for it."],
        due_on: Annotated[date, "Last day on which it is reached in time, within the plan."],
        kpi: Annotated[KpiKey | None, "KPI that measures it; null to enter values."] = None,
        kpi_window: Annotated[
            Window | None, "Window of the KPI; null for the last 28 days."
        ] = None,
        unit: Annotated[str | None, "Unit of entered values, such as `hours per week`."] = None,
        value_cents: Annotated[
            Long | None, "What the whole goal is worth to the client, in cents."
        ] = None,
    ) -> success_plans.SuccessGoal:
        """Add a goal to a success plan, measured by a KPI or by values that you enter."""
        draft = GoalDraft(
            title=title,
            criterion_words=criterion_words,
            baseline=baseline,
            target=target,
            owner_id=owner_user_id,
            due_on=due_on,
            kpi=kpi,
            kpi_window=kpi_window,
            unit=unit,
            value_cents=value_cents,
        )
        return await success_plans.set_goal(ask.tx, id, draft)

    @mutation(SuccessGoal)
    @staticmethod
    async def revise_success_goal(
        ask: MutationContext,
        id: Annotated[GoalId, "Goal of an open plan."],
        baseline: Annotated[float | None, "Value from which it starts; null: unchanged."] = None,
        target: Annotated[float | None, "Value that is to be reached; null: unchanged."] = None,
        due_on: Annotated[date | None, "Last day, within the plan; null: unchanged."] = None,
        owner_user_id: Annotated[
            OtherUser, "Colleague who is accountable; null: unchanged."
        ] = None,
        value_cents: Annotated[
            Long | None, "Worth of the whole goal in cents; null: unchanged."
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> success_plans.SuccessGoal:
        """Revise a goal; the fact states what it was before."""
        return await success_plans.revise_goal(
            ask.tx,
            id,
            baseline=baseline,
            target=target,
            due_on=due_on,
            owner_id=owner_user_id,
            value_cents=value_cents,
            expected_version=expected_version,
        )

    @mutation(SuccessGoal)
    @staticmethod
    async def measure_success_goal(
        ask: MutationContext,
        id: Annotated[GoalId, "Goal without a KPI, of an open plan."],
        value: Annotated[float, "Value in the unit of the goal."],
        evidence_words: Annotated[str, "What proves the value, in words."],
        measured_on: Annotated[date | None, "Day of the measurement; null for today."] = None,
        expected_version: ExpectedVersion = None,
    ) -> success_plans.SuccessGoal:
        """Enter a value of a goal with its evidence."""
        return await success_plans.measure_goal(
            ask.tx,
            id,
            value=value,
            evidence=evidence_words,
            measured_on=measured_on,
            expected_version=expected_version,
        )
