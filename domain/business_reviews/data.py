"""Read the content of a business review, as it is known now."""

from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import Date, cast, func, select

from domain import kpis
from domain.access import Actor, Tx
from domain.accounts.model import Account, Site, Tenant
from domain.business_reviews import content as stored
from domain.business_reviews.model import BusinessReviewKind
from domain.business_reviews.periods import BusinessPeriod
from domain.business_reviews.relations import (
    deeds_of,
    entries_of,
    goals_of,
    market_of,
    money_of,
    terms_of,
)
from domain.business_reviews.rules import KEYS, spans_of
from domain.incidents.model import Incident
from domain.kpis import KpiOfPeriod
from domain.meetings import Meeting
from domain.promises import State
from domain.promises.model import Promise
from domain.status_reports import StatusReport


async def content_of(tx: Tx, account: Account, period: BusinessPeriod) -> stored.BusinessContent:
    """Read a review: figures that a client may see, goals, commitments, risks and money of the period."""
    tenant = await tx.session.get_one(Tenant, account.tenant_id)
    deeds = await deeds_of(tx, account, period)
    held, planned = await _meetings(tx, account, period)
    status = await tx.session.scalar(
        select(StatusReport)
        .where(
            StatusReport.account_id == account.id,
            StatusReport.confirmed_at.is_not(None),
            StatusReport.until_on <= period.until_on,
        )
        .order_by(StatusReport.until_on.desc(), StatusReport.id.desc())
        .limit(1)
    )
    return stored.BusinessContent(
        version=stored.VERSION,
        kind=period.kind,
        company=tenant.name,
        account=account.name,
        zone=account.time_zone,
        from_on=period.from_on,
        last_on=period.until_on - timedelta(days=1),
        as_of_at=tx.at,
        figures=await _figures(tx, account, period),
        spans=await _spans(tx, account, period),
        promises=await _promises(tx, account, period),
        goals=await goals_of(tx, account, period),
        done=[each for each in deeds if each.done_on is not None and each.due_on < period.until_on],
        coming=[each for each in deeds if each.done_on is None],
        entries=await entries_of(tx, account, period),
        terms=await terms_of(tx, account, period),
        market=await market_of(tx, period),
        money=await money_of(tx, account, tenant, period),
        sites=int(
            await tx.session.scalar(
                select(func.count()).select_from(Site).where(Site.account_id == account.id)
            )
            or 0
        ),
        meetings_held=held,
        meetings_planned=planned,
        status=None if status is None or status.confirmed is None else str(status.confirmed),
        status_until_on=None if status is None else status.until_on,
    )


async def _figures(tx: Tx, account: Account, period: BusinessPeriod) -> list[stored.BusinessFigure]:
    """Measure the KPIs that clients read, for all of the account whoever makes the review."""
    reader = Actor.system(account.tenant_id, "business reviews")
    found = await kpis.measured_between(
        tx.session,
        reader,
        account.id,
        KEYS,
        before_at=period.before_at,
        from_at=period.from_at,
        until_at=min(period.until_at, tx.at),
    )
    by_key = {each.definition.key: _figure(each) for each in found}
    return [by_key[key] for key in KEYS if key in by_key]


def _figure(found: KpiOfPeriod) -> stored.BusinessFigure:
    now, then = (
        None if each is None else int(each.exact * 1_000 // 1)
        for each in (found.figure, found.previous)
    )
    kpi = found.definition
    return stored.BusinessFigure(
        key=str(kpi.key),
        unit=str(kpi.unit),
        n=found.n,
        value_milli=now,
        before_milli=then,
        target=found.target,
        status=str(found.status),
        trend=None if found.trend is None else str(found.trend),
        higher_is_better=kpi.comparator.higher_is_better,
    )


async def _spans(tx: Tx, account: Account, period: BusinessPeriod) -> list[stored.BusinessSpan]:
    """Count verdicts and incidents by local day, and add the days of each week or month."""
    zone = account.time_zone

    async def by_day(column: Any, model: Any, *conditions: Any) -> dict[date, int]:
        day = cast(func.timezone(zone, column), Date)
        rows = await tx.session.execute(
            select(day, func.count())
            .where(
                model.account_id == account.id,
                column >= period.from_at,
                column < min(period.until_at, tx.at),
                *conditions,
            )
            .group_by(day)
        )
        return {row[0]: row[1] for row in rows}

    shown = Promise.internal.is_(False)
    kept = await by_day(Promise.decided_at, Promise, shown, Promise.state == State.KEPT)
    late = await by_day(Promise.decided_at, Promise, shown, Promise.state == State.LATE)
    opened = await by_day(Incident.opened_at, Incident)
    resolved = await by_day(Incident.resolved_at, Incident)
    whole = relativedelta(months=1) if period.kind is BusinessReviewKind.ANNUAL else None
    return spans_of(period.from_on, period.until_on, whole, kept, late, opened, resolved)


async def _promises(
    tx: Tx, account: Account, period: BusinessPeriod
) -> list[stored.BusinessPromise]:
    kept = func.count().filter(Promise.state == State.KEPT)
    late = func.count().filter(Promise.state == State.LATE)
    rows = await tx.session.execute(
        select(Promise.kind, kept, late)
        .where(
            Promise.account_id == account.id,
            Promise.internal.is_(False),
            Promise.state.in_([State.KEPT, State.LATE]),
            Promise.decided_at >= period.from_at,
            Promise.decided_at < min(period.until_at, tx.at),
        )
        .group_by(Promise.kind)
        .order_by(late.desc(), Promise.kind)
    )
    return [stored.BusinessPromise(str(row[0]), row[1], row[2]) for row in rows]


async def _meetings(tx: Tx, account: Account, period: BusinessPeriod) -> tuple[int, int]:
    """Count the meetings of the period that were held, and those that are planned after it."""
    row = Meeting
    held = func.count().filter(row.held_at.is_not(None), row.starts_at < period.until_at)
    planned = func.count().filter(
        row.held_at.is_(None), row.cancelled_at.is_(None), row.starts_at >= tx.at
    )
    found = await tx.session.execute(
        select(held, planned).where(row.account_id == account.id, row.starts_at >= period.from_at)
    )
    counts = found.one()
    return counts[0], counts[1]
