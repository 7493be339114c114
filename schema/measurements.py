"""Measurements: compliance in a window, with its evidence."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from sqlalchemy import select

from domain import agreements, calendars, promises, quality
from domain.access import visible_to
from domain.accounts import Site as SiteRow
from domain.agreements import PromiseTerm as TermRow
from domain.promises import State
from domain.quality import Window
from schema.calendars import CalendarVersion
from schema.core.context import Info
from schema.core.loaders import checked
from schema.core.relations import to_one
from schema.core.scalars import Long
from schema.core.types import NamedType, enum, from_row, resolver
from schema.promises import SECOND_US, Promise
from schema.sites import Site
from schema.terms import PromiseTerm, Terms

enum(
    Window,
    "Window",
    day="Calendar day of the account.",
    week="Calendar week, Monday to Sunday.",
    month="Calendar month of the account.",
    quarter="Calendar quarter of three months.",
    contract_year="Year that starts on the anniversary of the first agreement.",
    last_24h="The 24 hours up to the given instant.",
    last_7d="The 7 days up to the given instant.",
    last_28d="The 28 days up to the given instant.",
)
Row = strawberry.Parent[quality.Measurement]
CALENDAR = frozenset({Window.DAY, Window.WEEK, Window.MONTH, Window.QUARTER, Window.CONTRACT_YEAR})
"""Windows that are named by a time inside them; the others end at it."""
Few = Annotated[int, "Maximum number of rows to return, at most 100."]


@from_row(quality.Measurement)
class SlaCompliance:
    """Compliance with the promises decided in a window, for one promise, site or account."""

    window: Annotated[Window, "Type of the window, such as a month."]
    from_at: Annotated[datetime, "Start of the window, inclusive."]
    until_at: Annotated[datetime, "End of the window, exclusive."]
    n: Annotated[Long, "Number of promises decided in the window: the denominator."]
    kept: Annotated[Long, "Number of these promises that were kept: the numerator."]
    ratio: Annotated[float, "Share of promises that were kept: kept / n."]
    wilson: Annotated[
        float, "Lower bound of the share, with 95 % confidence (Wilson score interval)."
    ]
    misses_left: Annotated[
        Long,
        "Number of promises that may still be late within the objectives; negative when the budget is overspent.",
    ]
    score: Annotated[
        float,
        "Time-decayed mean quality, 0 to 1, of everything decided before the end of the window.",
    ]
    evaluator: Annotated[int, "Version of the evaluator that computed it."]
    evaluated_at: Annotated[datetime, "Time as of which it was evaluated."]

    @resolver(Long)
    @staticmethod
    def late(row: Row) -> int:
        """Number of promises that were broken."""
        return row.n - row.kept

    @resolver(float | None)
    @staticmethod
    def budget(row: Row) -> float | None:
        """Share of the error budget that is left, negative when overspent; null when a budget of zero was exceeded."""
        return None if row.budget == float("-inf") else row.budget

    @resolver(float | None)
    @staticmethod
    def p50_s(row: Row) -> float | None:
        """Median time in seconds of the promise's calendar; null where several promises would mix."""
        return _seconds(row.p50_us)

    @resolver(float | None)
    @staticmethod
    def p90_s(row: Row) -> float | None:
        """90th percentile of the time, in seconds of the promise's calendar."""
        return _seconds(row.p90_us)

    @resolver(float | None)
    @staticmethod
    def p95_s(row: Row) -> float | None:
        """95th percentile of the time, in seconds of the promise's calendar."""
        return _seconds(row.p95_us)

    @resolver(str)
    @staticmethod
    def input_sha256(row: Row) -> str:
        """Hash in hex of the clock events it follows from; `docs/evaluation.md` explains how to compute it."""
        return row.input_sha256.hex()

    site = to_one(Site, SiteRow, "site_id", "Site of the measurement; null for all sites.")

    promise = to_one(
        PromiseTerm, TermRow, "term_id", "Promise of the measurement; null for all promises."
    )

    @resolver(list[Terms])
    @staticmethod
    async def terms(row: Row, info: Info) -> Sequence[agreements.Terms]:
        """Versions of the terms that applied to the decided promises."""
        return await info.context.get_all(agreements.Terms, row.terms_ids)

    @resolver(list[CalendarVersion])
    @staticmethod
    async def calendars(row: Row, info: Info) -> Sequence[calendars.CalendarVersion]:
        """Calendar versions used for the measurement."""
        return await info.context.get_all(calendars.CalendarVersion, row.calendar_version_ids)

    @resolver(list[NamedType("SlaCompliance", __name__)], work=100)  # type: ignore[misc]
    @staticmethod
    async def internal_objectives(row: Row, info: Info) -> Sequence[quality.Measurement]:
        """Compliance of the internal objectives beside it: of an account all, of a promise those of its kind.

        Empty for a site, of which `QualityScore.internalObjectives` has the numbers, and for an internal objective.
        """
        own = await _objectives_beside(row, info)
        at = row.from_at if row.window in CALENDAR else row.until_at
        async with info.context.sessions() as session:
            measured = [
                await quality.compliance(
                    session, info.context.actor, row.account_id, quality.Scope(term_id=term_id),
                    row.window, at=at, now=info.context.at,
                )
                for term_id in own
            ]  # fmt: skip
        return [each for each in measured if each is not None]

    @resolver(list[Promise], work=100)
    @staticmethod
    async def late_promises(row: Row, info: Info, first: Few = 20) -> Sequence[promises.Promise]:
        """Broken promises of the window, the latest first; `decidingFacts` has the reason of each."""
        query = (
            _of(row, info)
            .where(
                promises.Promise.state == State.LATE,
                promises.Promise.decided_at >= row.from_at,
                promises.Promise.decided_at < row.until_at,
            )
            .order_by(promises.Promise.decided_at.desc(), promises.Promise.id)
        )
        return await _promises(info, query, first)

    @resolver(list[Promise], work=100)
    @staticmethod
    async def excluded(row: Row, info: Info, first: Few = 20) -> Sequence[promises.Promise]:
        """Promises that started before the end of the window and do not count: undecided, or found never to apply."""
        outside = (State.RUNNING, State.AT_RISK, State.PAUSED, State.CANCELLED)
        query = (
            _of(row, info)
            .where(promises.Promise.state.in_(outside), promises.Promise.started_at < row.until_at)
            .order_by(promises.Promise.started_at.desc(), promises.Promise.id)
        )
        return await _promises(info, query, first)


async def _objectives_beside(row: quality.Measurement, info: Info) -> list[UUID]:
    if row.internal or row.site_id is not None:
        return []
    of_account = set(row.terms_ids)
    term = await info.context.get(TermRow, row.term_id)
    versions = sorted(of_account) if term is None else [term.terms_id]
    found = [
        each
        for version in versions
        for each in await info.context.children(TermRow.terms_id, version, order=(TermRow.id,))
    ]
    return [each.id for each in found if each.internal and (not term or each.kind is term.kind)]


def _seconds(us: int | None) -> float | None:
    return None if us is None else us / SECOND_US


def _of(row: quality.Measurement, info: Info) -> Any:
    """Select the promises of a measurement that are visible to the actor."""
    query = select(promises.Promise).where(
        visible_to(info.context.actor, promises.Promise),
        promises.Promise.account_id == row.account_id,
    )
    if row.term_id is not None:
        return query.where(promises.Promise.term_id == row.term_id)
    query = query.where(~promises.Promise.internal)
    if row.site_id is None:
        return query
    watch = promises.PromiseWatch
    there = select(watch.unit_id).where(watch.site_id == row.site_id)
    return query.where(promises.Promise.unit_id.in_(there))


async def _promises(info: Info, query: Any, first: int) -> Sequence[promises.Promise]:
    async with info.context.sessions() as session:
        return list(await session.scalars(query.limit(checked(first, "first"))))
