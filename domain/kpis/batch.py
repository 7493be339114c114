"""Measure many KPIs of many scopes and windows at once: the number of SELECTs depends on neither."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor
from domain.accounts.model import Account, Site, Tenant
from domain.agreements.model import Terms
from domain.core.base import among
from domain.core.errors import Code, Refused
from domain.kpis.catalogue import CATALOGUE
from domain.kpis.definitions import KpiDefinition, KpiKey
from domain.kpis.parameters import FLOORS, TARGETS
from domain.kpis.reads import KpiValue, limit_in_unit, readable, valued
from domain.kpis.rules import (
    KpiFigure,
    KpiLimits,
    KpiStatus,
    KpiTrend,
    figure_of,
    status_of,
    trend_of,
)
from domain.kpis.tallies import KpiQuestion, KpiScope, tallies
from domain.parameters import ParameterScope, ParameterTier, ParameterValues, load_values
from domain.promises import to_us
from domain.quality import Local, Window, before, instant, span_at

_MOMENT = timedelta(microseconds=1)


class KpiRequest(NamedTuple):
    """A KPI of a scope in the window of its kind that contains an instant."""

    key: KpiKey
    scope: KpiScope
    window: Window


class KpiOfPeriod(NamedTuple):
    """A KPI of an account in a period of any length, beside the period before and its target."""

    definition: KpiDefinition
    n: int
    figure: KpiFigure | None
    previous: KpiFigure | None
    target: int | None
    status: KpiStatus
    trend: KpiTrend | None


class _Asked(NamedTuple):
    """A request with its place, its window and the window before."""

    request: KpiRequest
    scope: KpiScope
    ends_at: datetime
    now: KpiQuestion
    then: KpiQuestion


async def measured_all(
    session: AsyncSession,
    actor: Actor,
    requests: Sequence[KpiRequest],
    *,
    at: datetime,
    now: datetime,
) -> list[KpiValue | None]:
    """Measure each request around `at`; None for an account or site that the actor cannot access.

    Refuses a KPI that the actor may not read.
    """
    readable(actor, {each.key for each in requests})
    locals_, owners = await _calendars(session, actor, [each.scope for each in requests])
    asked = [_asked(each, locals_, owners, at=at, now=now) for each in requests]
    known = [each for each in asked if each is not None]
    questions = [*(each.now for each in known), *(each.then for each in known)]
    sums = await tallies(session, actor, questions)
    values = await _limits(session, actor, known, until=now)
    found = {
        id(each): valued(
            CATALOGUE[each.request.key],
            each.request.window,
            each.ends_at,
            each.now,
            sums[number],
            sums[len(known) + number],
            _limits_of(values, actor, each, at=min(each.ends_at - _MOMENT, now)),
        )
        for number, each in enumerate(known)
    }
    return [None if each is None else found[id(each)] for each in asked]


async def measured(
    session: AsyncSession,
    actor: Actor,
    scope: KpiScope,
    window: Window,
    *,
    at: datetime,
    now: datetime,
    keys: Collection[KpiKey] | None = None,
) -> list[KpiValue]:
    """Measure KPIs of one scope in its window around `at`; nothing of an account that the actor cannot access.

    A window that has not ended is measured until now.
    """
    given = (scope.account_id or scope.site_id, scope.segment, scope.tier)
    if sum(each is not None for each in given) > 1:
        raise Refused(
            Code.INVALID,
            "Give at most one of accountId, siteId, segment and tier.",
            argument="segment" if scope.segment else "tier",
        )
    requests = [KpiRequest(each.key, scope, window) for each in readable(actor, keys)]
    found = await measured_all(session, actor, requests, at=at, now=now)
    return [each for each in found if each is not None]


def _asked(
    request: KpiRequest,
    locals_: Mapping[UUID | None, Local],
    owners: Mapping[UUID, UUID],
    *,
    at: datetime,
    now: datetime,
) -> _Asked | None:
    scope = request.scope
    if scope.site_id is not None:
        owner = owners.get(scope.site_id)
        if owner is None or scope.account_id not in {None, owner}:
            return None
        scope = replace(scope, account_id=owner)
    local = locals_.get(scope.account_id)
    if local is None:
        return None
    span = span_at(request.window, local, to_us(at))
    earlier = before(span, local)
    begin, ends_at = instant(span.from_us), instant(span.until_us)
    until_at = max(min(ends_at, now), begin)
    return _Asked(
        request,
        scope,
        ends_at,
        KpiQuestion(request.key, scope, begin, until_at),
        KpiQuestion(request.key, scope, instant(earlier.from_us), instant(earlier.until_us)),
    )


async def measured_between(
    session: AsyncSession,
    actor: Actor,
    account_id: UUID,
    keys: Collection[KpiKey],
    *,
    before_at: datetime,
    from_at: datetime,
    until_at: datetime,
) -> list[KpiOfPeriod]:
    """Measure KPIs of an account in [from_at, until_at), beside [before_at, from_at); refuse a KPI it may not read."""
    known = readable(actor, keys)
    scope, place = KpiScope(account_id), ParameterScope(actor.tenant_id, account_id)
    now = [KpiQuestion(each.key, scope, from_at, until_at) for each in known]
    then = [KpiQuestion(each.key, scope, before_at, from_at) for each in known]
    sums = await tallies(session, actor, [*now, *then])
    limited = [each.key for each in known if each.key in TARGETS]
    definitions = [of[key] for key in limited for of in (TARGETS, FLOORS)]
    values = await load_values(session, {place}, definitions, until=until_at)
    found = []
    for number, kpi in enumerate(known):
        limits = KpiLimits()
        if kpi.key in TARGETS:
            last = until_at - _MOMENT
            limits = KpiLimits(
                limit_in_unit(values, TARGETS[kpi.key], place, last),
                limit_in_unit(values, FLOORS[kpi.key], place, last),
            )
        tally = sums[number]
        figure, earlier = figure_of(kpi, tally), figure_of(kpi, sums[len(known) + number])
        status = status_of(kpi, figure, earlier, limits)
        trend = trend_of(figure, earlier)
        found.append(KpiOfPeriod(kpi, tally.n, figure, earlier, limits.target, status, trend))
    return found


async def _calendars(
    session: AsyncSession, actor: Actor, scopes: Collection[KpiScope]
) -> tuple[dict[UUID | None, Local], dict[UUID, UUID]]:
    """Return the calendar of the company and of each account that the actor can access, and the accounts of sites."""
    tenant = await session.get_one(Tenant, actor.tenant_id)
    locals_: dict[UUID | None, Local] = {None: Local(tenant.time_zone, date(2000, 1, 1))}
    owners: dict[UUID, UUID] = {}
    sites = {each.site_id for each in scopes if each.site_id is not None}
    if sites:
        rows = await session.execute(
            select(Site.id, Site.account_id).where(among(Site.id, sites), actor.scope(Site))
        )
        owners = {row.id: row.account_id for row in rows}
    accounts = {each.account_id for each in scopes if each.account_id is not None}
    accounts |= set(owners.values())
    if accounts:
        found = await session.execute(
            select(Account.id, Account.time_zone, func.min(func.lower(Terms.in_force)))
            .outerjoin(Terms, Terms.account_id == Account.id)
            .where(among(Account.id, accounts), actor.scope(Account))
            .group_by(Account.id)
        )
        for account_id, zone, first in found:
            year = first.astimezone(ZoneInfo(zone)).date() if first else date(2000, 1, 1)
            locals_[account_id] = Local(zone, year)
    return locals_, owners


async def _limits(
    session: AsyncSession, actor: Actor, asked: Sequence[_Asked], *, until: datetime
) -> ParameterValues:
    keys = sorted({each.request.key for each in asked if each.request.key in TARGETS})
    scopes = {_place(actor, each.scope) for each in asked} or {ParameterScope(actor.tenant_id)}
    definitions = [of[key] for key in keys for of in (TARGETS, FLOORS)]
    return await load_values(session, scopes, definitions, until=until)


def _limits_of(values: ParameterValues, actor: Actor, asked: _Asked, *, at: datetime) -> KpiLimits:
    """Return target and floor of a scope; of a segment, those of the company."""
    key, scope = asked.request.key, asked.scope
    if key not in TARGETS:
        return KpiLimits()
    if scope.tier is not None:
        values = replace(values, tiers={None: [ParameterTier(scope.tier.value)]})
    place = _place(actor, scope)
    return KpiLimits(
        limit_in_unit(values, TARGETS[key], place, at),
        limit_in_unit(values, FLOORS[key], place, at),
    )


def _place(actor: Actor, scope: KpiScope) -> ParameterScope:
    return ParameterScope(actor.tenant_id, scope.account_id, scope.site_id)
