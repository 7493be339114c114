"""Read what a business review says about the relationship: goals, commitments, risks, agreements, market and money."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from domain import success_plans
from domain.access import Actor, Tx
from domain.accounts.model import Account, Tenant
from domain.agreements.model import Agreement
from domain.business_reviews import content as stored
from domain.business_reviews.periods import BusinessPeriod
from domain.commitments.model import Commitment
from domain.compensation.model import Credit, CreditState
from domain.competitors import Competitor, CompetitorFigure
from domain.invoices.model import Invoice
from domain.kpis import CATALOGUE
from domain.raid import RaidEntry
from domain.reputation import Review, ReviewState
from domain.success_plans import GoalKpi, SuccessGoal, SuccessPlan


async def goals_of(tx: Tx, account: Account, period: BusinessPeriod) -> list[stored.BusinessGoal]:
    """Read the goals of plans that the client sees and that touch the period, as they stand now."""
    rows = await tx.session.execute(
        select(SuccessGoal, SuccessPlan.closed_at)
        .join(SuccessPlan, SuccessPlan.id == SuccessGoal.plan_id)
        .where(
            SuccessPlan.account_id == account.id,
            SuccessPlan.shared_at.is_not(None),
            SuccessPlan.starts_on < period.until_on,
            or_(SuccessPlan.closed_at.is_(None), SuccessPlan.closed_at >= period.from_at),
        )
        .order_by(SuccessGoal.due_on, SuccessGoal.id)
        .limit(stored.MOST)
    )
    goals = [(goal, closed_at) for goal, closed_at in rows]
    running = [goal for goal, closed_at in goals if closed_at is None and goal.kpi is not None]
    wanted = [_kpi_of(goal, account.time_zone, tx.at) for goal in running]
    reader = Actor.system(account.tenant_id, "business reviews")
    values = await success_plans.goal_values(tx.session, reader, wanted, now=tx.at)
    measured = {goal.id: value for goal, value in zip(running, values, strict=True)}
    today = tx.at.astimezone(ZoneInfo(account.time_zone)).date()
    found = []
    for goal, _ in goals:
        value = measured.get(goal.id, goal.value_milli)
        ends = (goal.baseline_milli, goal.target_milli)
        ppm = success_plans.attained_ppm(*ends, value)
        share = success_plans.attained_share(*ends, value)
        found.append(
            stored.BusinessGoal(
                goal_id=goal.id,
                kpi_unit=None if goal.kpi is None else str(CATALOGUE[goal.kpi].unit),
                target_milli=goal.target_milli,
                value_milli=value,
                attained_ppm=ppm,
                state=str(success_plans.state_of(ppm, goal.due_on, today)),
                due_on=goal.due_on,
                value_cents=goal.value_cents,
                realised_cents=success_plans.realised(goal.value_cents, share),
            )
        )
    return found


def _kpi_of(goal: SuccessGoal, zone: str, now: datetime) -> GoalKpi:
    if goal.kpi is None or goal.kpi_window is None:
        raise ValueError("The goal has no KPI.")
    at = success_plans.measured_at(success_plans.end_of(goal.due_on, zone), now)
    return GoalKpi(goal.account_id, goal.kpi, goal.kpi_window, at)


async def deeds_of(tx: Tx, account: Account, period: BusinessPeriod) -> list[stored.BusinessDeed]:
    """Read commitments that were due in the period and done, and open ones that are due until three months after."""
    row = Commitment
    done = and_(row.done_at.is_not(None), row.due_at >= period.from_at)
    open_ = and_(row.done_at.is_(None), row.due_at < period.ahead_at)
    ranked = func.row_number().over(
        partition_by=row.done_at.is_(None), order_by=(row.due_at, row.id)
    )
    inner = (
        select(row.id, row.due_at, row.done_at, ranked.label("place"))
        .where(
            row.account_id == account.id,
            row.internal.is_(False),
            row.withdrawn_at.is_(None),
            row.due_at < period.ahead_at,
            or_(and_(done, row.due_at < period.until_at), open_),
        )
        .subquery()
    )
    rows = await tx.session.execute(
        select(inner.c.id, inner.c.due_at, inner.c.done_at)
        .where(inner.c.place <= stored.MOST)
        .order_by(inner.c.due_at, inner.c.id)
    )
    zone = ZoneInfo(account.time_zone)

    def on(at: datetime) -> date:
        return at.astimezone(zone).date()

    return [
        stored.BusinessDeed(
            commitment_id=deed_id,
            due_on=on(due_at),
            done_on=None if done_at is None else on(done_at),
            is_late=(done_at or tx.at) > due_at,
        )
        for deed_id, due_at, done_at in rows
    ]


async def entries_of(
    tx: Tx, account: Account, period: BusinessPeriod
) -> list[stored.BusinessEntry]:
    """Read the entries of the RAID log that a client sees, open ones and the highest scores first."""
    row = RaidEntry
    rows = await tx.session.scalars(
        select(row)
        .where(
            row.account_id == account.id,
            row.internal.is_(False),
            row.raised_at < min(period.until_at, tx.at),
            or_(row.closed_at.is_(None), row.closed_at >= period.from_at),
        )
        .order_by(
            row.closed_at.is_not(None), (row.impact * row.likelihood).desc().nulls_last(), row.id
        )
        .limit(3 * stored.MOST)
    )
    zone = ZoneInfo(account.time_zone)
    return [
        stored.BusinessEntry(
            raid_id=each.id,
            kind=str(each.kind),
            score=each.score,
            raised_on=each.raised_at.astimezone(zone).date(),
            is_open=each.closed_at is None,
        )
        for each in rows
    ]


async def terms_of(tx: Tx, account: Account, period: BusinessPeriod) -> list[stored.BusinessTerm]:
    """Read the agreements that run after the period."""
    rows = await tx.session.scalars(
        select(Agreement)
        .where(
            Agreement.account_id == account.id,
            or_(Agreement.ended_at.is_(None), Agreement.ended_at >= period.until_at),
        )
        .order_by(Agreement.reference)
        .limit(stored.MOST)
    )
    return [
        stored.BusinessTerm(
            each.reference, each.fixed_until, each.notice_by, each.renews_for_months
        )
        for each in rows
    ]


async def market_of(tx: Tx, period: BusinessPeriod) -> stored.BusinessMarket:
    """Read public reviews of the company in the period, and the last figures of the competitors by its end."""
    tenant_id = tx.actor.tenant_id
    own = (
        await tx.session.execute(
            select(func.count(), func.avg(Review.share)).where(
                Review.tenant_id == tenant_id,
                Review.state != ReviewState.GONE,
                Review.written_at >= period.from_at,
                Review.written_at < period.until_at,
            )
        )
    ).one()
    last = (
        select(CompetitorFigure.competitor_id, CompetitorFigure.reviews, CompetitorFigure.share)
        .ext(distinct_on(CompetitorFigure.competitor_id, CompetitorFigure.platform))
        .join(Competitor, Competitor.id == CompetitorFigure.competitor_id)
        .where(
            CompetitorFigure.tenant_id == tenant_id,
            CompetitorFigure.read_on < period.until_on,
            Competitor.ended_at.is_(None),
        )
        .order_by(
            CompetitorFigure.competitor_id,
            CompetitorFigure.platform,
            CompetitorFigure.read_on.desc(),
        )
        .subquery()
    )
    rated = func.sum(last.c.reviews).filter(last.c.share.is_not(None))
    others = (
        await tx.session.execute(
            select(
                func.count(last.c.competitor_id.distinct()),
                func.coalesce(func.sum(last.c.reviews), 0),
                func.sum(last.c.reviews * last.c.share) / func.nullif(rated, 0),
            )
        )
    ).one()

    def ppm(share: Any) -> int | None:
        return None if share is None else round(float(share) * 1_000_000)

    return stored.BusinessMarket(own[0], ppm(own[1]), others[0], int(others[1]), ppm(others[2]))


async def money_of(
    tx: Tx, account: Account, tenant: Tenant, period: BusinessPeriod
) -> stored.BusinessMoney:
    """Add up invoices and credits of the period."""
    invoiced = select(func.sum(Invoice.net_cents)).where(
        Invoice.account_id == account.id,
        Invoice.currency == tenant.currency,
        Invoice.issued_on >= period.from_on,
        Invoice.issued_on < period.until_on,
    )
    credited = select(func.sum(Credit.amount_cents)).where(
        Credit.account_id == account.id,
        Credit.state == CreditState.GRANTED,
        Credit.currency == tenant.currency,
        Credit.decided_at >= period.from_at,
        Credit.decided_at < period.until_at,
    )
    return stored.BusinessMoney(
        tenant.currency,
        int(await tx.session.scalar(invoiced) or 0),
        int(await tx.session.scalar(credited) or 0),
    )
