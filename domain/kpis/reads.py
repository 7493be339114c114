"""A KPI with its targets, trend and status; who may read which, and the facts behind one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right
from domain.core.errors import Code, Refused
from domain.kpis.catalogue import CATALOGUE
from domain.kpis.definitions import KpiDefinition, KpiKey
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
from domain.kpis.tallies import KpiFact, KpiPosition, KpiQuestion, facts
from domain.parameters import (
    ParameterDefinition,
    ParameterScope,
    ParameterUnit,
    ParameterValues,
)
from domain.quality import Window

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


def valued(
    kpi: KpiDefinition,
    window: Window,
    ends_at: datetime,
    question: KpiQuestion,
    now: KpiTally,
    then: KpiTally,
    limits: KpiLimits,
) -> KpiValue:
    """Return a KPI with its value, beside that of the window before."""
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


def limit_in_unit(
    known: ParameterValues, definition: ParameterDefinition, place: ParameterScope, at: datetime
) -> int | None:
    """Return a target or floor as it applies to a scope, in the unit of the value."""
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
