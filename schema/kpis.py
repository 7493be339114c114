"""KPIs: the catalogue, values of a scope and window, and the facts behind a value."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import kpis
from domain.accounts import Segment, ServiceTier
from domain.kpis import (
    CATALOGUE,
    KpiBand,
    KpiComparator,
    KpiKey,
    KpiMeasure,
    KpiScope,
    KpiStatus,
    KpiTrend,
    KpiUnit,
)
from domain.quality import Window
from schema.core import ids
from schema.core.context import Info
from schema.core.roots import query_fields
from schema.core.scalars import Long
from schema.core.types import enum, from_row, resolver
from schema.kpi_facts import cursor_of

enum(KpiKey, "KpiKey", **{key.name.lower(): kpi.text for key, kpi in CATALOGUE.items()})
enum(
    KpiMeasure,
    "KpiMeasure",
    share="Share of facts in percent, with a Wilson interval (with continuity correction).",
    ratio="Sum by sum in percent, without an interval.",
    duration="Mean of durations, with the median beside it.",
    net_share="Share at the upper end less share at the lower end, from -100 to 100, with an adjusted Wald interval.",
    mean="Mean of answers, with an interval of Student's t within the scale.",
    count="Number of facts that count.",
)
enum(
    KpiUnit,
    "KpiUnit",
    percent="Percent from 0 to 100.",
    points="Points on the scale of the KPI.",
    seconds="Seconds of elapsed time.",
    count="Number without a unit.",
)
enum(
    KpiComparator,
    "KpiComparator",
    at_least="At the target or above it.",
    above="Above the target, not at it.",
    at_most="At the target or below it.",
    below="Below the target, not at it.",
)
enum(
    KpiStatus,
    "KpiStatus",
    met="The target is reached.",
    floor="The target is missed, the floor is reached.",
    missed="Neither the target nor the floor is reached.",
    no_target="No target applies in this scope.",
    no_data="Too few facts for a value.",
)
enum(
    KpiBand,
    "KpiBand",
    poor="Less than 50 percent of the whole.",
    good="From 50 to below 80 percent.",
    excellent="From 80 to 100 percent.",
)
enum(
    KpiTrend,
    "KpiTrend",
    up="Higher than in the window before.",
    down="Lower than in the window before.",
    same="As in the window before.",
)
DefinitionRow = strawberry.Parent[kpis.KpiDefinition]
ValueRow = strawberry.Parent[kpis.KpiValue]


@from_row(kpis.KpiDefinition)
class KpiDefinition:
    """Entry of the catalogue of KPIs."""

    key: Annotated[KpiKey, "Key by which the KPI is asked for."]
    name: Annotated[str, "Name of the KPI in English."]
    text: Annotated[str, "Definition of the KPI: what its numerator and denominator are."]
    source: Annotated[str, "Tables that the facts are read from."]
    measure: Annotated[KpiMeasure, "Way in which the facts become a value."]
    unit: Annotated[KpiUnit, "Unit of the value."]
    comparator: Annotated[KpiComparator, "Relation of a value to the target that reaches it."]
    n_min: Annotated[int, "Number of facts below which there is no value."]

    @resolver(int)
    @staticmethod
    def formula_version(row: DefinitionRow) -> int:
        """Version of the definition; it rises with any change that may change a number."""
        return row.version

    @resolver(float | None)
    @staticmethod
    def target(row: DefinitionRow) -> float | None:
        """Default target in the unit of the value; null without one."""
        return _in_seconds(row, row.target)

    @resolver(float | None)
    @staticmethod
    def floor(row: DefinitionRow) -> float | None:
        """Default floor in the unit of the value; null without one."""
        return _in_seconds(row, row.floor)


def _in_seconds(row: kpis.KpiDefinition, limit: int | None) -> float | None:
    """Return a default limit, which is stated in hours for durations."""
    if limit is None:
        return None
    return limit * 3_600.0 if row.measure is KpiMeasure.DURATION else float(limit)


@from_row(kpis.KpiValue)
class KpiValue:
    """KPI of a scope in a window. A value needs enough facts; without them it is null, never 0 or 100."""

    window: Annotated[Window, "Type of the window, such as a month."]
    ends_at: Annotated[datetime, "End of the window, exclusive; it may lie ahead."]
    status: Annotated[KpiStatus, "Status of the value beside target and floor."]
    band: Annotated[KpiBand | None, "Band of a percentage of which higher values are better."]
    trend: Annotated[
        KpiTrend | None, "Direction since the window before; null where either has no value."
    ]
    previous_n: Annotated[int, "Number of facts in the window before."]

    @resolver(KpiDefinition)
    @staticmethod
    def definition(row: ValueRow) -> kpis.KpiDefinition:
        """Definition of the KPI."""
        return row.definition

    @resolver(datetime)
    @staticmethod
    def from_at(row: ValueRow) -> datetime:
        """Start of the window, inclusive."""
        return row.question.from_at

    @resolver(datetime)
    @staticmethod
    def until_at(row: ValueRow) -> datetime:
        """Instant until which it was measured, exclusive: the end of the window, or now."""
        return row.question.until_at

    @resolver(Long)
    @staticmethod
    def numerator(row: ValueRow) -> int:
        """Sum of the numerators of the facts; durations in microseconds, amounts in cents."""
        return row.tally.numerator

    @resolver(Long)
    @staticmethod
    def denominator(row: ValueRow) -> int:
        """Sum of the denominators of the facts; 0 for numbers of facts."""
        return row.tally.denominator

    @resolver(int)
    @staticmethod
    def n(row: ValueRow) -> int:
        """Number of facts in the denominator; of numbers of facts, in the numerator."""
        return row.tally.n

    @resolver(float | None)
    @staticmethod
    def value(row: ValueRow) -> float | None:
        """Value in the unit of the KPI; null for too few facts."""
        return None if row.figure is None else row.figure.value

    @resolver(float | None)
    @staticmethod
    def low(row: ValueRow) -> float | None:
        """Lower bound of the 95 % interval; null for ratios, durations and numbers of facts."""
        return None if row.figure is None else row.figure.low

    @resolver(float | None)
    @staticmethod
    def high(row: ValueRow) -> float | None:
        """Upper bound of the 95 % interval; null for ratios, durations and numbers of facts."""
        return None if row.figure is None else row.figure.high

    @resolver(float | None)
    @staticmethod
    def median(row: ValueRow) -> float | None:
        """Median in seconds, of durations only."""
        return None if row.figure is None else row.figure.median

    @resolver(float | None)
    @staticmethod
    def target(row: ValueRow) -> float | None:
        """Target that applies at the end of the window, in the unit of the value."""
        return None if row.limits.target is None else float(row.limits.target)

    @resolver(float | None)
    @staticmethod
    def floor(row: ValueRow) -> float | None:
        """Floor that applies at the end of the window, in the unit of the value."""
        return None if row.limits.floor is None else float(row.limits.floor)

    @resolver(float | None)
    @staticmethod
    def previous_value(row: ValueRow) -> float | None:
        """Value in the window before; null for too few facts."""
        return None if row.previous is None else row.previous.value

    @resolver(str)
    @staticmethod
    def facts_cursor(row: ValueRow, info: Info) -> str:
        """Cursor of the facts that the value is made of; pass it to `kpiFacts` as `after`."""
        return cursor_of(info.context, row.question, None)


_NOBODY = UUID(int=0)


def _row_id(text: str | None, type_name: str) -> UUID | None:
    """Return the id of a scope; one that is no such id matches nothing."""
    return None if text is None else ids.known(text, type_name) or _NOBODY


@query_fields
class KpiQuery:
    """Queries of KPIs."""

    @resolver(list[KpiDefinition])
    @staticmethod
    def kpi_catalogue(info: Info) -> list[kpis.KpiDefinition]:
        """Definitions of the KPIs that you may read."""
        return kpis.readable(info.context.actor)

    @resolver(list[KpiValue], work=500)
    @staticmethod
    async def kpis(
        info: Info,
        window: Annotated[Window, "Type of the window, such as a month."] = Window.MONTH,
        at: Annotated[
            datetime | None, "Instant in the window, or the end of a rolling window; null for now."
        ] = None,
        account_id: Annotated[strawberry.ID | None, "Only values of this account."] = None,
        site_id: Annotated[strawberry.ID | None, "Only values of this site."] = None,
        segment: Annotated[Segment | None, "Only accounts of this segment."] = None,
        tier: Annotated[ServiceTier | None, "Only accounts of this service tier."] = None,
        keys: Annotated[
            list[KpiKey] | None, "Only these KPIs; null for all that you may read."
        ] = None,
    ) -> list[kpis.KpiValue]:
        """KPIs of a site, an account, a segment, a tier or (with none of them) everything that you can access.

        Windows are those of the account's calendar, else of the company's. None for an unknown account or site.
        """
        scope = KpiScope(_row_id(account_id, "Account"), _row_id(site_id, "Site"), segment, tier)
        now = info.context.at
        async with info.context.sessions() as session:
            return await kpis.measured(
                session, info.context.actor, scope, window, at=at or now, now=now, keys=keys
            )
