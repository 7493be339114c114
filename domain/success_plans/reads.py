"""Read what goals are measured by and what plans cost: a constant number of SELECTs for any number of them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Date, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor
from domain.accounts.model import Account, Tenant
from domain.compensation.model import Credit, CreditState
from domain.core.base import among
from domain.invoices.model import Invoice
from domain.kpis import KpiKey, KpiRequest, KpiScope, measured_all, readable
from domain.quality import Window
from domain.success_plans.model import SuccessPlan


class GoalKpi(NamedTuple):
    """What a goal is measured by: a KPI of an account in a window around an instant."""

    account_id: UUID
    key: KpiKey
    window: Window
    at: datetime


class PlanCost(NamedTuple):
    """What a plan's period cost the client, and what was credited, in cents of the company's currency."""

    invoiced_cents: int
    credits_cents: int
    currency: str


async def goal_values(
    session: AsyncSession, actor: Actor, wanted: Sequence[GoalKpi], *, now: datetime
) -> list[int | None]:
    """Measure the KPIs of goals in thousandths of their units; None without data, or without the right to read it."""
    seen = {each.key for each in readable(actor)}
    found: dict[GoalKpi, int | None] = {}
    for at in {each.at for each in wanted}:
        asked = [each for each in dict.fromkeys(wanted) if each.at == at and each.key in seen]
        requests = [KpiRequest(each.key, KpiScope(each.account_id), each.window) for each in asked]
        values = await measured_all(session, actor, requests, at=at, now=now)
        for each, value in zip(asked, values, strict=True):
            figure = None if value is None else value.figure
            found[each] = None if figure is None else round(figure.exact * 1_000)
    return [found.get(each) for each in wanted]


async def costs_of(
    session: AsyncSession, actor: Actor, plan_ids: Collection[UUID], *, at: datetime
) -> Mapping[UUID, PlanCost]:
    """Return what each plan cost: net invoices and granted credits from its first day until its last, or until now."""
    zone = Account.time_zone
    last = func.least(
        SuccessPlan.due_on,
        cast(func.timezone(zone, func.coalesce(SuccessPlan.closed_at, at.astimezone(UTC))), Date),
    )
    invoiced = (
        select(func.coalesce(func.sum(Invoice.net_cents), 0))
        .where(
            Invoice.account_id == SuccessPlan.account_id,
            Invoice.currency == Tenant.currency,
            Invoice.issued_on.between(SuccessPlan.starts_on, last),
        )
        .correlate(SuccessPlan, Tenant, Account)
        .scalar_subquery()
    )
    decided_on = cast(func.timezone(zone, Credit.decided_at), Date)
    credited = (
        select(func.coalesce(func.sum(Credit.amount_cents), 0))
        .where(
            and_(Credit.account_id == SuccessPlan.account_id, Credit.currency == Tenant.currency),
            Credit.state == CreditState.GRANTED,
            decided_on.between(SuccessPlan.starts_on, last),
        )
        .correlate(SuccessPlan, Tenant, Account)
        .scalar_subquery()
    )
    rows = await session.execute(
        select(SuccessPlan.id, invoiced, credited, Tenant.currency)
        .join(Account, Account.id == SuccessPlan.account_id)
        .join(Tenant, Tenant.id == SuccessPlan.tenant_id)
        .where(among(SuccessPlan.id, plan_ids), actor.scope(SuccessPlan))
    )
    return {row[0]: PlanCost(int(row[1]), int(row[2]), row[3]) for row in rows}


def measured_at(goal_due: datetime, now: datetime) -> datetime:
    """Return the instant around which the KPI of a goal is measured: now, but not after its last day."""
    return min(now, goal_due - timedelta(microseconds=1))
