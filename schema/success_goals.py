"""Goals of success plans: values in units, the share that is attained, and the readings with their evidence."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import strawberry
from strawberry.dataloader import DataLoader

from domain import accounts, success_plans
from domain.access import Actor
from domain.core.db import Sessions
from domain.kpis import KpiKey
from domain.quality import Window
from domain.success_plans import GoalKpi, GoalState
from schema.core.actor_name import shown
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.scalars import Long
from schema.core.types import RESTRICTED, enum, from_row, resolver
from schema.users import User

enum(
    GoalState,
    "GoalState",
    open="Not attained, and its last day is not over.",
    attained="The target is reached, in time or later.",
    missed="The last day is over, and the target is not reached.",
)
GoalRow = strawberry.Parent[success_plans.SuccessGoal]
ReadingRow = strawberry.Parent[success_plans.SuccessReading]


def units(milli: int | None) -> float | None:
    """Return thousandths as units."""
    return None if milli is None else milli / 1_000


def share(ppm: int | None) -> float | None:
    """Return millionths as a share."""
    return None if ppm is None else ppm / 1_000_000


def _kpis(make: Sessions, actor: Actor) -> DataLoader[tuple[GoalKpi, datetime], int | None]:
    """Make a loader of the KPIs of goals, each with the present instant."""

    async def batch(keys: list[tuple[GoalKpi, datetime]]) -> Sequence[int | None]:
        async with make() as session:
            return await success_plans.goal_values(
                session, actor, [kpi for kpi, _ in keys], now=keys[0][1]
            )

    return DataLoader(batch)


async def value_milli(row: success_plans.SuccessGoal, info: Info) -> int | None:
    """Return the value of a goal in thousandths: of a KPI as it is now, unless the plan was closed."""
    plan = await info.context.get(success_plans.SuccessPlan, row.plan_id)
    closed = plan is None or plan.closed_at is not None
    if row.kpi is None or row.kpi_window is None or closed:
        return row.value_milli
    account = await info.context.get(accounts.Account, row.account_id)
    if account is None:
        return None
    now = info.context.at
    at = success_plans.measured_at(success_plans.end_of(row.due_on, account.time_zone), now)
    kpi = GoalKpi(row.account_id, row.kpi, row.kpi_window, at)
    found: int | None = await info.context.load(_kpis, (kpi, now))
    return found


async def attained(row: success_plans.SuccessGoal, info: Info) -> int | None:
    """Return the share of a goal that is attained, in millionths."""
    value = await value_milli(row, info)
    return success_plans.attained_ppm(row.baseline_milli, row.target_milli, value)


async def value_line(row: success_plans.SuccessGoal, info: Info) -> success_plans.ValueLine:
    """Return what a goal with a worth adds to the value of its plan."""
    value, cents = await value_milli(row, info), row.value_cents or 0
    ends = (row.baseline_milli, row.target_milli)
    exact = success_plans.attained_share(*ends, value)
    ppm = success_plans.attained_ppm(*ends, value)
    return success_plans.ValueLine(row.id, ppm, cents, success_plans.realised(cents, exact))


@from_row(success_plans.SuccessReading)
class SuccessReading(Node):
    """Value of a goal on a day, with the evidence for it."""

    measured_on: Annotated[date, "Day of the measurement."]
    evidence_words: Annotated[str, "What proves the value, in words."]
    at: Annotated[datetime, "Time at which it was entered."]

    @resolver(float)
    @staticmethod
    def value(row: ReadingRow) -> float | None:
        """Value in the unit of the goal."""
        return units(row.value_milli)

    @resolver(str | None)
    @staticmethod
    def author(row: ReadingRow, info: Info) -> Any:
        """Who entered it, as named in the ledger. Clients see staff of the company as `staff`."""
        return shown(info, row.account_id, row.author)


@from_row(success_plans.SuccessGoal)
class SuccessGoal(Node):
    """Goal of a success plan, from a baseline to a target, measured by a KPI or by values that people enter."""

    title: Annotated[str, "Line that says what is to be reached."]
    criterion_words: Annotated[str, "When the goal counts as reached, in words."]
    kpi: Annotated[KpiKey | None, "KPI that measures it; null where people enter values."]
    kpi_window: Annotated[Window | None, "Window of that KPI; null without one."]
    unit: Annotated[str | None, "Unit of entered values; null for a KPI, which has its own."]
    due_on: Annotated[date, "Last day on which it is reached in time."]
    set_at: Annotated[datetime, "Time at which it was set."]
    value_cents: Annotated[
        Long | None, "What the whole goal is worth to the client, in cents.", RESTRICTED
    ]
    measured_on: Annotated[
        date | None, "Day of the last entered value; of a KPI the day that was kept at the closing."
    ]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(float)
    @staticmethod
    def baseline(row: GoalRow) -> float | None:
        """Value from which it starts, in its unit."""
        return units(row.baseline_milli)

    @resolver(float)
    @staticmethod
    def target(row: GoalRow) -> float | None:
        """Value that is to be reached, in its unit; it may be lower than the baseline."""
        return units(row.target_milli)

    @resolver(float | None, work=100)
    @staticmethod
    async def value(row: GoalRow, info: Info) -> float | None:
        """Value now, in its unit: of the KPI, or as it was entered last; null without one."""
        return units(await value_milli(row, info))

    @resolver(float | None, work=100)
    @staticmethod
    async def attainment(row: GoalRow, info: Info) -> float | None:
        """Share of the way from baseline to target, from 0 to 1, rounded down; null without a value."""
        return share(await attained(row, info))

    @resolver(GoalState, work=100)
    @staticmethod
    async def state(row: GoalRow, info: Info) -> GoalState:
        """State of the goal on the day of the account."""
        account = await info.context.get(accounts.Account, row.account_id)
        zone = ZoneInfo("UTC" if account is None else account.time_zone)
        plan = await info.context.get(success_plans.SuccessPlan, row.plan_id)
        at = info.context.at if plan is None else plan.closed_at or info.context.at
        return success_plans.state_of(
            await attained(row, info), row.due_on, at.astimezone(zone).date()
        )

    @resolver(User | None)
    @staticmethod
    async def owner(row: GoalRow, info: Info) -> accounts.User | None:
        """Colleague who is accountable for it."""
        return await info.context.get(accounts.User, row.owner_id)

    @resolver(list[SuccessReading])
    @staticmethod
    async def readings(row: GoalRow, info: Info) -> list[success_plans.SuccessReading]:
        """Values that were entered, the oldest day first."""
        reading = success_plans.SuccessReading
        return await info.context.children(
            reading.goal_id, row.id, order=(reading.measured_on, reading.id)
        )
