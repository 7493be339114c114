"""Success plans: the list, value against cost, comments of both sides, and the feed."""

import asyncio
from collections.abc import AsyncIterable, Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import strawberry
from strawberry.dataloader import DataLoader

from domain import accounts, success_plans
from domain.access import Actor
from domain.core.db import Sessions
from domain.success_plans import PlanCost
from schema.accounts import Account
from schema.core import ids
from schema.core.actor_name import shown
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.roots import query_fields, subscription_fields
from schema.core.scalars import Long
from schema.core.types import RESTRICTED, from_row, resolver, subscription
from schema.subscriptions import After, FeedEvent, Item, facts_named
from schema.success_goals import SuccessGoal, share, value_line
from schema.users import User

PlanRow = strawberry.Parent[success_plans.SuccessPlan]
CommentRow = strawberry.Parent[success_plans.SuccessComment]
LineRow = strawberry.Parent[success_plans.ValueLine]
ValueRow = strawberry.Parent[success_plans.SuccessValue]


def _costs(make: Sessions, actor: Actor) -> DataLoader[tuple[UUID, datetime], PlanCost]:
    """Make a loader of the cost of plans, each with the present instant."""

    async def batch(keys: list[tuple[UUID, datetime]]) -> Sequence[PlanCost]:
        async with make() as session:
            found = await success_plans.costs_of(
                session, actor, [key[0] for key in keys], at=keys[0][1]
            )
        return [found[key[0]] for key in keys]

    return DataLoader(batch)


@from_row(success_plans.SuccessComment)
class SuccessComment(Node):
    """Comment on a success plan by the client or by the company."""

    words: Annotated[str, "Text of the comment."]
    from_client: Annotated[bool, "Whether somebody of the client wrote it."]
    at: Annotated[datetime, "Time at which it was written."]

    @resolver(str | None)
    @staticmethod
    def author(row: CommentRow, info: Info) -> Any:
        """Author, as named in the ledger. Clients see staff of the company as `staff`."""
        return shown(info, row.account_id, row.author)


@from_row(success_plans.ValueLine)
class ValueLine:
    """What one goal adds to the value of a success plan."""

    value_cents: Annotated[Long | None, "What the whole goal is worth, in cents.", RESTRICTED]
    realised_cents: Annotated[
        Long | None, "Worth × attained share, rounded down to cents.", RESTRICTED
    ]

    @resolver(strawberry.ID | None)
    @staticmethod
    def goal_id(row: LineRow) -> str:
        """Global id of the goal."""
        return ids.write("SuccessGoal", row.goal_id)

    @resolver(float | None)
    @staticmethod
    def attainment(row: LineRow) -> float | None:
        """Attained share of the goal, from 0 to 1; null without a value, which counts as 0."""
        return share(row.attained_ppm)


@from_row(success_plans.SuccessValue)
class SuccessValue:
    """Value of a success plan for the client against what the service cost, with all that it is computed from."""

    from_on: Annotated[date | None, "First day of the invoices and credits that count.", RESTRICTED]
    until_on: Annotated[date | None, "Last day of them: due, closed or today.", RESTRICTED]
    possible_cents: Annotated[Long | None, "Worth of all goals together, in cents.", RESTRICTED]
    realised_cents: Annotated[Long | None, "Realised worth of all goals, in cents.", RESTRICTED]
    cost_cents: Annotated[
        Long | None, "Net amount of the invoices of these days, in cents.", RESTRICTED
    ]
    credits_cents: Annotated[
        Long | None, "Credits granted in these days, in cents; not part of the cost.", RESTRICTED
    ]
    currency: Annotated[str | None, "Currency of all amounts: the company's.", RESTRICTED]

    @resolver(list[ValueLine] | None)
    @staticmethod
    def lines(row: ValueRow) -> Sequence[success_plans.ValueLine]:
        """One line for each goal that has a worth."""
        return row.lines

    @resolver(float | None)
    @staticmethod
    def roi(row: ValueRow) -> float | None:
        """(Realised − cost) / cost; null without a goal that has a worth, or without a cost."""
        return share(row.roi_ppm)


@from_row(success_plans.SuccessPlan)
class SuccessPlan(Node):
    """What a client wants to reach with the service in a period. The client sees it once it is shared."""

    title: Annotated[str, "Line that names the plan."]
    words: Annotated[str, "What the client wants to reach."]
    dependencies: Annotated[str | None, "What it depends on, in words."]
    resources: Annotated[str | None, "What it needs, in words."]
    starts_on: Annotated[date, "First day of the plan."]
    due_on: Annotated[date, "Last day of the plan."]
    opened_at: Annotated[datetime, "Time at which it was opened."]
    shared_at: Annotated[datetime | None, "Time from which the client sees it; null before."]
    closed_at: Annotated[datetime | None, "Time at which it was closed; null before."]
    outcome: Annotated[str | None, "What came of it, in words; null before it is closed."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(Account | None)
    @staticmethod
    async def account(row: PlanRow, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)

    @resolver(User | None)
    @staticmethod
    async def owner(row: PlanRow, info: Info) -> accounts.User | None:
        """Colleague who is accountable for it."""
        return await info.context.get(accounts.User, row.owner_id)

    @resolver(list[SuccessGoal])
    @staticmethod
    async def goals(row: PlanRow, info: Info) -> list[success_plans.SuccessGoal]:
        """Goals in the order in which they were set."""
        goal = success_plans.SuccessGoal
        return await info.context.children(goal.plan_id, row.id, order=(goal.set_at, goal.id))

    @resolver(list[SuccessComment])
    @staticmethod
    async def comments(row: PlanRow, info: Info) -> list[success_plans.SuccessComment]:
        """Comments of both sides, the oldest first."""
        of_row = success_plans.SuccessComment
        return await info.context.children(of_row.plan_id, row.id, order=(of_row.at, of_row.id))

    @resolver(SuccessValue | None, work=200)
    @staticmethod
    async def value(row: PlanRow, info: Info) -> success_plans.SuccessValue:
        """Realised value against cost, with its inputs. Null for roles that read no money."""
        goal = success_plans.SuccessGoal
        goals = await info.context.children(goal.plan_id, row.id, order=(goal.set_at, goal.id))
        valued = [each for each in goals if each.value_cents is not None]
        now = info.context.at
        account, cost, lines = await asyncio.gather(
            info.context.get(accounts.Account, row.account_id),
            info.context.load(_costs, (row.id, now)),
            asyncio.gather(*(value_line(each, info) for each in valued)),
        )
        zone = ZoneInfo("UTC" if account is None else account.time_zone)
        today = (row.closed_at or now).astimezone(zone).date()
        return success_plans.value_of(
            lines,
            (row.starts_on, min(row.due_on, today)),
            cost.invoiced_cents,
            cost.credits_cents,
            cost.currency,
        )


@query_fields
class SuccessPlanQuery:
    """Queries of success plans."""

    @lists(
        SuccessPlan,
        success_plans.SuccessPlan.opened_at,
        success_plans.SuccessPlan.id,
        descending=True,
    )
    @staticmethod
    def success_plans(
        info: Info,
        account_id: AccountFilter = None,
        is_open: Annotated[
            bool | None, "True: only those that are not closed; false: only closed ones."
        ] = None,
    ) -> Rows:
        """Success plans, the newest first; clients see those that are shared with them."""
        row = success_plans.SuccessPlan
        query = visible(info, row, account_id)
        if is_open is None:
            return query
        return query.where(row.closed_at.is_(None) if is_open else row.closed_at.is_not(None))


@subscription_fields
class SuccessPlanSubscription:
    """Subscriptions about success plans."""

    @subscription(FeedEvent)
    def success_plan_events(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all accounts that you can access."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Success plans and their goals as they are opened, shared, measured, commented on and closed."""
        return facts_named(info, account_id, after, "success_plan.")
