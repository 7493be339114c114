"""Facts behind KPIs: what adds up to a value, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
import strawberry

from domain import kpis
from domain.core import cursor
from domain.core.errors import Code, Refused
from domain.kpis import KpiKey, KpiPosition, KpiQuestion, KpiScope
from domain.promises import to_us
from domain.quality import instant
from schema.core import ids
from schema.core.context import Context, Info
from schema.core.roots import query_fields
from schema.core.scalars import Long
from schema.core.types import from_row, resolver

MOST_FACTS = 100
FactRow = strawberry.Parent[kpis.KpiFact]


@from_row(kpis.KpiFact)
class KpiFact:
    """Fact behind a KPI, with what it adds. Anonymous answers are one fact together, without subject and time."""

    kind: Annotated[str, "Type of the subject, such as `Incident`."]
    at: Annotated[datetime | None, "Instant that puts the fact into the window."]
    n: Annotated[int, "Number of facts; above 1 for anonymous answers only."]
    numerator: Annotated[Long, "Part of the numerator of the KPI."]
    denominator: Annotated[Long, "Part of the denominator of the KPI."]

    @resolver(strawberry.ID | None)
    @staticmethod
    def subject_id(row: FactRow) -> str | None:
        """Id of the subject; `node(id)` returns it to whoever may see it."""
        return None if row.subject_id is None else ids.write(row.kind, row.subject_id)


@dataclass(frozen=True, slots=True)
class FactsPage:
    """A page of facts, and the cursor of the next one."""

    facts: Sequence[kpis.KpiFact]
    next: str | None


@from_row(FactsPage)
class KpiFacts:
    """Page of the facts behind a KPI, by time."""

    next: Annotated[str | None, "Cursor of the next page; null on the last one."]

    @resolver(list[KpiFact])
    @staticmethod
    def facts(row: strawberry.Parent[FactsPage]) -> Sequence[kpis.KpiFact]:
        """Facts of this page."""
        return row.facts


_PURPOSE = "kpi"


def cursor_of(ctx: Context, asked: KpiQuestion, after: KpiPosition | None) -> str:
    """Return the cursor of the facts of a KPI after one of them; None for all."""
    scope = asked.scope
    place = (scope.account_id, scope.site_id, scope.segment, scope.tier)
    values = (
        *(_PURPOSE, str(asked.key)),
        *(None if each is None else str(each) for each in place),
        *(to_us(asked.from_at), to_us(asked.until_at)),
        *((None, None) if after is None else (to_us(after.at), str(after.fact_id))),
    )
    return cursor.encode(ctx.secret, ctx.actor.tenant_id, values)


def _read_cursor(ctx: Context, token: str) -> tuple[KpiQuestion, KpiPosition | None]:
    found = cursor.decode(ctx.secret, ctx.actor.tenant_id, token)
    if len(found) != 10 or found[0] != _PURPOSE:
        raise Refused(
            Code.CURSOR_INVALID,
            "This cursor is not one of a KPI. Use `factsCursor` of a value, or `next` of a page.",
            argument="after",
        )
    _, key, account, site, segment, tier, from_us, until_us, at_us, fact = found
    scope = msgspec.convert(
        {"account_id": account, "site_id": site, "segment": segment, "tier": tier}, KpiScope
    )
    asked = KpiQuestion(KpiKey(str(key)), scope, _instant(from_us), _instant(until_us))
    return asked, None if fact is None else KpiPosition(_instant(at_us), UUID(str(fact)))


def _instant(us: Any) -> datetime:
    return instant(int(us))


@query_fields
class KpiFactsQuery:
    """Queries of the facts behind KPIs."""

    @resolver(KpiFacts, work=100)
    @staticmethod
    async def kpi_facts(
        info: Info,
        after: Annotated[str, "`factsCursor` of a value, or `next` of the page before."],
        first: Annotated[int, "Maximum number of facts, from 1 to 100."] = 50,
    ) -> FactsPage:
        """Facts that add up to the numerator and the denominator of a KPI, for whoever may read their subjects."""
        if not 1 <= first <= MOST_FACTS:
            raise Refused(Code.INVALID, f"first must be from 1 to {MOST_FACTS}.", argument="first")
        ctx = info.context
        asked, position = _read_cursor(ctx, after)
        async with ctx.sessions() as session:
            found = await kpis.facts_behind(
                session, ctx.actor, asked, after=position, limit=first + 1
            )
        page = found[:first]
        last = page[-1] if len(found) > first else None
        if last is None:
            return FactsPage(page, None)
        return FactsPage(page, cursor_of(ctx, asked, kpis.position_of(last)))
