"""Sum the facts of many KPIs, scopes and windows in one SELECT, and list the facts of one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Double,
    Float,
    Integer,
    Numeric,
    Select,
    Subquery,
    Text,
    Uuid,
    and_,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
    values,
)
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor
from domain.accounts.model import Account, Segment, ServiceTier
from domain.kpis.catalogue import CATALOGUE
from domain.kpis.definitions import KpiKey, KpiMeasure
from domain.kpis.rules import KpiTally
from domain.kpis.sources import SOURCES

_SQUARED = {KpiMeasure.NET_SHARE, KpiMeasure.MEAN}


@dataclass(frozen=True, slots=True)
class KpiScope:
    """What is measured: a site, an account, a segment or a tier; with none of them, all that the actor can access."""

    account_id: UUID | None = None
    site_id: UUID | None = None
    segment: Segment | None = None
    tier: ServiceTier | None = None


class KpiQuestion(NamedTuple):
    """A KPI of a scope in [from_at, until_at)."""

    key: KpiKey
    scope: KpiScope
    from_at: datetime
    until_at: datetime


class KpiFact(NamedTuple):
    """A fact of a KPI, with what it adds to numerator and denominator.

    Anonymous answers are one fact together, without subject and time; `n` is their number.
    """

    kind: str
    subject_id: UUID | None
    fact_id: UUID | None
    at: datetime | None
    n: int
    numerator: int
    denominator: int


class KpiPosition(NamedTuple):
    """Position in the list of facts: the fact before it; the first one stands after the anonymous facts."""

    at: datetime
    fact_id: UUID


FIRST = KpiPosition(datetime(1, 1, 2, tzinfo=UTC), UUID(int=0))


def position_of(fact: KpiFact) -> KpiPosition:
    """Return the position after a fact."""
    if fact.at is None or fact.fact_id is None:
        return FIRST
    return KpiPosition(fact.at, fact.fact_id)


async def tallies(
    session: AsyncSession, actor: Actor, asked: Sequence[KpiQuestion]
) -> list[KpiTally]:
    """Sum the facts of each question, with one SELECT for any number of questions."""
    if not asked:
        return []
    rows = values(
        column("no", Integer),
        column("key", Text),
        column("from_at", DateTime(timezone=True)),
        column("until_at", DateTime(timezone=True)),
        column("account_id", Uuid),
        column("site_id", Uuid),
        column("segment", Text),
        column("tier", Text),
        name="asked",
    ).data([_row(number, each) for number, each in enumerate(asked)])
    table = select(rows).cte("asked")
    keys = dict.fromkeys(each.key for each in asked)
    parts = [
        _summed(actor, table, key, [each for each in asked if each.key is key]) for key in keys
    ]
    found = {
        no: KpiTally(n, int(numerator), int(denominator), int(squares), median)
        for no, n, numerator, denominator, squares, median in await session.execute(
            union_all(*parts)
        )
    }
    return [found.get(number, KpiTally()) for number in range(len(asked))]


def _row(number: int, asked: KpiQuestion) -> tuple[Any, ...]:
    scope = asked.scope
    return (
        *(number, str(asked.key), asked.from_at, asked.until_at, scope.account_id, scope.site_id),
        None if scope.segment is None else str(scope.segment),
        None if scope.tier is None else str(scope.tier),
    )


def _summed(actor: Actor, table: Any, key: KpiKey, asked: Sequence[KpiQuestion]) -> Select[Any]:
    """Select the sums of one KPI's facts by question."""
    measure, fact = CATALOGUE[key].measure, SOURCES[key]().subquery(f"f_{key}")
    of, columns = table.c, fact.c
    conditions = [of.key == str(key), columns.at >= of.from_at, columns.at < of.until_at]
    if any(each.scope.account_id for each in asked):
        conditions.append(or_(of.account_id.is_(None), columns.account_id == of.account_id))
    if any(each.scope.site_id for each in asked):
        conditions.append(or_(of.site_id.is_(None), columns.site_id == of.site_id))
    squares: ColumnElement[Any] = literal(0)
    if measure in _SQUARED:
        squares = func.sum(cast(columns.numerator, Numeric) * columns.numerator)
    median: ColumnElement[Any] = cast(literal(None), Double)
    if measure is KpiMeasure.DURATION:
        median = func.percentile_cont(0.5).within_group(cast(columns.numerator, Float))
    counted = func.count() if measure is KpiMeasure.COUNT else _with_denominator(columns)
    query = (
        select(
            of.no,
            counted,
            func.sum(columns.numerator),
            func.sum(columns.denominator),
            squares,
            median,
        )
        .select_from(table)
        .join(fact, and_(*conditions))
        .where(*_bounds(actor, fact, asked))
        .group_by(of.no)
    )
    if any(each.scope.segment or each.scope.tier for each in asked):
        query = query.join(Account, Account.id == columns.account_id).where(
            or_(of.segment.is_(None), cast(Account.segment, Text) == of.segment),
            or_(of.tier.is_(None), cast(Account.service_tier, Text) == of.tier),
        )
    return query


def _with_denominator(columns: Any) -> ColumnElement[int]:
    return func.count().filter(columns.denominator != 0)


def _bounds(
    actor: Actor, fact: Subquery, asked: Sequence[KpiQuestion]
) -> Sequence[ColumnElement[bool]]:
    """Return constant conditions that hold for all questions, so that indexes can be used."""
    columns = fact.c
    conditions = [
        actor.scope_of(columns.tenant_id, columns.account_id),
        columns.at >= min(each.from_at for each in asked),
        columns.at < max(each.until_at for each in asked),
    ]
    accounts = {each.scope.account_id for each in asked}
    if None not in accounts:
        conditions.append(columns.account_id.in_(accounts))
    return conditions


async def facts(
    session: AsyncSession,
    actor: Actor,
    asked: KpiQuestion,
    *,
    after: KpiPosition | None,
    limit: int,
) -> list[KpiFact]:
    """List the facts that add up to a question's numerator and denominator, by time; anonymous ones first, as one."""
    fact = SOURCES[asked.key]().subquery("fact")
    columns, scope = fact.c, asked.scope
    conditions = [*_bounds(actor, fact, [asked])]
    if scope.site_id is not None:
        conditions.append(columns.site_id == scope.site_id)
    accounts = select(Account.id)
    if scope.segment is not None or scope.tier is not None:
        if scope.segment is not None:
            accounts = accounts.where(Account.segment == scope.segment)
        if scope.tier is not None:
            accounts = accounts.where(Account.service_tier == scope.tier)
        conditions.append(columns.account_id.in_(accounts))
    found: list[KpiFact] = []
    if after is None:
        found += await _anonymous(session, columns, conditions)
    named = (
        select(
            *(columns.kind, columns.subject_id, columns.fact_id, columns.at, literal(1)),
            *(columns.numerator, columns.denominator),
        )
        .where(columns.subject_id.is_not(None), *conditions)
        .order_by(columns.at, columns.fact_id)
        .limit(limit)
    )
    if after is not None:
        named = named.where(tuple_(columns.at, columns.fact_id) > tuple_(*map(literal, after)))
    rows = await session.execute(named)
    return [*found, *(KpiFact(*row) for row in rows)][:limit]


async def _anonymous(
    session: AsyncSession, columns: Any, conditions: Sequence[ColumnElement[bool]]
) -> list[KpiFact]:
    rows = await session.execute(
        select(
            *(columns.kind, func.count(), func.sum(columns.numerator)),
            func.sum(columns.denominator),
        )
        .where(columns.subject_id.is_(None), *conditions)
        .group_by(columns.kind)
    )
    return [
        KpiFact(kind, None, None, None, n, int(numerator), int(denominator))
        for kind, n, numerator, denominator in rows
    ]
