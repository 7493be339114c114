"""Read KPIs of a scope and window, with targets, trend and status; list the facts behind one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right
from domain.accounts.model import Account, Site, Tenant
from domain.core.errors import Code, Refused
from domain.kpis.catalogue import CATALOGUE
from domain.kpis.definitions import KpiDefinition, KpiKey
from domain.kpis.parameters import FLOORS, TARGETS
from domain.kpis.rules import (
    KpiBand,
    KpiFigure,
    KpiLimits,
    KpiStatus,
    KpiTally,
    KpiTrend,
    band_of,
    figure_of,
    status_of,
    trend_of,
)
from domain.kpis.tallies import KpiFact, KpiPosition, KpiQuestion, KpiScope, facts, tallies
from domain.parameters import (
    ParameterDefinition,
    ParameterScope,
    ParameterTier,
    ParameterUnit,
    ParameterValues,
    load_values,
)
from domain.promises import to_us
from domain.quality import Local, Window, before, instant, local_of, span_at

_MOMENT = timedelta(microseconds=1)
_SECONDS = {ParameterUnit.MINUTES: 60, ParameterUnit.HOURS: 3_600}


@dataclass(frozen=True, slots=True)
class KpiValue:
    """A KPI of a scope in a window: its sums, its value, and how it stands beside its target."""

    definition: KpiDefinition
    question: KpiQuestion
    window: Window
    ends_at: datetime
    tally: KpiTally
    figure: KpiFigure | None
    limits: KpiLimits
    previous: KpiFigure | None
    previous_n: int
    status: KpiStatus
    trend: KpiTrend | None
    band: KpiBand | None


def readable(actor: Actor, keys: Collection[KpiKey] | None = None) -> list[KpiDefinition]:
    """Return the definitions that the actor may read, of `keys` only where given; refuse a key that it may not."""
    seen = [each for each in CATALOGUE.values() if all(actor.may(right) for right in each.rights)]
    if keys is None:
        return seen
    hidden = set(keys) - {each.key for each in seen}
    if hidden:
        names = ", ".join(sorted(each.name for each in hidden))
        raise Refused(
            Code.NOT_ALLOWED,
            f"Your role does not read {names}. Leave out `keys` for all that it reads.",
            argument="keys",
        )
    return [each for each in seen if each.key in keys]


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
    """Measure KPIs of a scope in its window around `at`; nothing of an account that the actor cannot access.

    A window that has not ended is measured until now. The number of SELECTs does not depend on the number of KPIs.
    """
    wanted = readable(actor, keys)
    found = await _placed(session, actor, scope)
    if found is None:
        return []
    scope, local = found
    span = span_at(window, local, to_us(at))
    earlier = before(span, local)
    ends_at = instant(span.until_us)
    until_at = max(min(ends_at, now), instant(span.from_us))
    asked = [
        *(KpiQuestion(each.key, scope, instant(span.from_us), until_at) for each in wanted),
        *(
            KpiQuestion(each.key, scope, instant(earlier.from_us), instant(earlier.until_us))
            for each in wanted
        ),
    ]
    sums = await tallies(session, actor, asked)
    limits = await _limits(session, actor, scope, wanted, at=min(ends_at - _MOMENT, now))
    return [
        _valued(each, window, ends_at, question, now_sum, then_sum, limits[each.key])
        for each, question, now_sum, then_sum in zip(
            wanted, asked, sums, sums[len(wanted) :], strict=False
        )
    ]


def _valued(
    kpi: KpiDefinition,
    window: Window,
    ends_at: datetime,
    question: KpiQuestion,
    now: KpiTally,
    then: KpiTally,
    limits: KpiLimits,
) -> KpiValue:
    found, earlier = figure_of(kpi, now), figure_of(kpi, then)
    return KpiValue(
        kpi,
        question,
        window,
        ends_at,
        now,
        found,
        limits,
        earlier,
        then.n,
        status_of(kpi, found, earlier, limits),
        trend_of(found, earlier),
        band_of(kpi, found),
    )


async def _placed(
    session: AsyncSession, actor: Actor, scope: KpiScope
) -> tuple[KpiScope, Local] | None:
    """Return the scope with the account of its site, and the calendar of its windows."""
    if (
        sum(
            each is not None
            for each in (scope.account_id or scope.site_id, scope.segment, scope.tier)
        )
        > 1
    ):
        raise Refused(
            Code.INVALID,
            "Give at most one of accountId, siteId, segment and tier.",
            argument="segment" if scope.segment else "tier",
        )
    account_id = scope.account_id
    if scope.site_id is not None:
        own = await session.scalar(
            select(Site.account_id).where(Site.id == scope.site_id, actor.scope(Site))
        )
        if own is None or account_id not in {None, own}:
            return None
        account_id = own
    if account_id is None:
        tenant = await session.get_one(Tenant, actor.tenant_id)
        return scope, Local(tenant.time_zone, date(2000, 1, 1))
    account = await session.scalar(
        select(Account).where(Account.id == account_id, actor.scope(Account))
    )
    if account is None:
        return None
    return replace(scope, account_id=account_id), await local_of(session, account)


async def _limits(
    session: AsyncSession,
    actor: Actor,
    scope: KpiScope,
    wanted: Sequence[KpiDefinition],
    *,
    at: datetime,
) -> Mapping[KpiKey, KpiLimits]:
    """Return targets and floors as they apply to a scope at `at`; of a segment, those of the company."""
    place = ParameterScope(actor.tenant_id, scope.account_id, scope.site_id)
    keys = [each.key for each in wanted if each.key in TARGETS]
    definitions = [of[key] for key in keys for of in (TARGETS, FLOORS)]
    known = await load_values(session, (place,), definitions, until=at)
    if scope.tier is not None:
        known = replace(known, tiers={None: [ParameterTier(scope.tier.value)]})

    def limit(definition: ParameterDefinition) -> int | None:
        return _in_unit(known, definition, place, at)

    found = {key: KpiLimits(limit(TARGETS[key]), limit(FLOORS[key])) for key in keys}
    return {each.key: found.get(each.key, KpiLimits()) for each in wanted}


def _in_unit(
    known: ParameterValues, definition: ParameterDefinition, place: ParameterScope, at: datetime
) -> int | None:
    quantity = known.effective(definition, place, at=at).quantity
    return None if quantity is None else quantity.number * _SECONDS.get(quantity.unit, 1)


async def facts_behind(
    session: AsyncSession,
    actor: Actor,
    asked: KpiQuestion,
    *,
    after: KpiPosition | None = None,
    limit: int = 50,
) -> list[KpiFact]:
    """List the facts of a KPI for actors who may read the subjects, by time."""
    kpi = CATALOGUE[asked.key]
    for right in (Right.READ_QUALITY, *kpi.rights, *kpi.facts_rights):
        actor.must(right)
    return await facts(session, actor, asked, after=after, limit=limit)
