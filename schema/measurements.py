"""Measurements: compliance and quality of a window, and what they rest on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import strawberry
from sqlalchemy import select

from domain import agreements, calendars, incidents, promises, quality
from domain.access import visible_to
from domain.accounts import Site as SiteRow
from domain.agreements import PromiseTerm as TermRow
from domain.promises import State
from domain.quality import Component, Window
from schema.accounts import Site
from schema.agreements import PromiseTerm, Terms
from schema.calendars import CalendarVersion
from schema.core.context import Info
from schema.core.pagination import checked
from schema.core.scalars import Long
from schema.core.types import enum, from_row, resolver
from schema.promises import SECOND_US, Promise

enum(
    Window, "Window",
    day="A day of the client's calendar.", week="A week, Monday to Sunday.", month="A month.",
    quarter="Three months.", contract_year="A year from the first agreement's day on.",
    last_24h="The 24 hours up to the instant.",
    last_7d="The 7 days up to the instant.", last_28d="The 28 days up to the instant.",
)  # fmt: skip
enum(
    Component, "QualityComponent",
    punctuality="Being there in time.", coverage="Hours delivered of those agreed.",
    patrol="Rounds and checkpoints.", incidents="Answering and resolving tickets.",
    reports="Telling in time.", audit="Audits.", rating="What the client says.",
)  # fmt: skip

Row = strawberry.Parent[quality.Measurement]
Few = Annotated[int, "How many at most, 100 at most."]
E6 = 1_000_000


class Share(NamedTuple):
    """What one component contributes."""

    component: Component
    e6: int


@from_row(Share)
class Contribution:
    """What one component contributes to a quality score; the millionths of all sum to the score's exactly."""

    component: Annotated[Component, "What it is about."]

    @resolver(float)
    @staticmethod
    def points(row: strawberry.Parent[Share]) -> float:
        """Points of the score's 100."""
        return row.e6 / E6

    @resolver(Long)
    @staticmethod
    def points_millionths(row: strawberry.Parent[Share]) -> int:
        """The same in millionths of a point."""
        return row.e6


@from_row(quality.Measurement)
class SlaCompliance:
    """What the promises decided in a window come to, for a promise, a place or a client."""

    window: Annotated[Window, "What sort of window."]
    from_at: Annotated[datetime, "Its begin."]
    until_at: Annotated[datetime, "Its end, exclusive."]
    n: Annotated[Long, "How many promises were decided in it: the denominator."]
    kept: Annotated[Long, "How many of them were kept: the numerator."]
    ratio: Annotated[float, "kept / n."]
    wilson: Annotated[float, "Lower bound of the ratio, with 95 % confidence (Wilson)."]
    misses_left: Annotated[
        Long, "How many more could be late within the objectives; below 0: overspent."
    ]
    score: Annotated[
        float, "Time-decayed mean quality, 0 to 1, of all that was decided before the end."
    ]
    evaluator: Annotated[int, "Version of the evaluator."]
    evaluated_at: Annotated[datetime, "As of when it was judged."]

    @resolver(Long)
    @staticmethod
    def late(row: Row) -> int:
        """How many were broken."""
        return row.n - row.kept

    @resolver(float | None)
    @staticmethod
    def budget(row: Row) -> float | None:
        """Share of the error budget that is left, below 0 when overspent; null when there is none and it was needed."""
        return None if row.budget == float("-inf") else row.budget

    @resolver(float | None)
    @staticmethod
    def p50_s(row: Row) -> float | None:
        """The median time, in seconds of the promise's calendar; null where several promises would mix."""
        return _seconds(row.p50_us)

    @resolver(float | None)
    @staticmethod
    def p90_s(row: Row) -> float | None:
        """Nine of ten took at most this, in seconds."""
        return _seconds(row.p90_us)

    @resolver(float | None)
    @staticmethod
    def p95_s(row: Row) -> float | None:
        """Nineteen of twenty took at most this, in seconds."""
        return _seconds(row.p95_us)

    @resolver(str)
    @staticmethod
    def input_sha256(row: Row) -> str:
        """Hash of the clock facts it follows from, in hex; `docs/evaluation.md` says how to make it."""
        return row.input_sha256.hex()

    @resolver(Site | None)
    @staticmethod
    async def site(row: Row, info: Info) -> SiteRow | None:
        """The place it is about."""
        return None if row.site_id is None else await info.context.loaders.site.load(row.site_id)

    @resolver(PromiseTerm | None)
    @staticmethod
    async def promise(row: Row, info: Info) -> TermRow | None:
        """The promise it is about."""
        if row.term_id is None:
            return None
        return await info.context.loaders.promise_term.load(row.term_id)

    @resolver(list[Terms])
    @staticmethod
    async def terms(row: Row, info: Info) -> Sequence[agreements.Terms]:
        """The versions of the terms that held for what was decided."""
        loader = info.context.loaders.of_type["Terms"]
        return [each for each in await loader.load_many(row.terms_ids) if each is not None]

    @resolver(list[CalendarVersion])
    @staticmethod
    async def calendars(row: Row, info: Info) -> Sequence[calendars.CalendarVersion]:
        """The calendars on which it was measured."""
        loader = info.context.loaders.calendar_version
        found = await loader.load_many(row.calendar_version_ids)
        return [each for each in found if each is not None]

    @resolver(list[Promise], work=100)
    @staticmethod
    async def late_promises(row: Row, info: Info, first: Few = 20) -> Sequence[promises.Promise]:
        """The broken promises of the window, the latest first; `decidingFacts` says what decided each."""
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
        """Promises begun before the window's end that count nowhere: undecided, or they turned out never to hold."""
        outside = (State.RUNNING, State.AT_RISK, State.PAUSED, State.CANCELLED)
        query = (
            _of(row, info)
            .where(promises.Promise.state.in_(outside), promises.Promise.started_at < row.until_at)
            .order_by(promises.Promise.started_at.desc(), promises.Promise.id)
        )
        return await _promises(info, query, first)


@from_row(quality.Measurement)
class QualityScore:
    """How good the service was in a window, 0 to 100, and what that consists of."""

    window: Annotated[Window, "What sort of window."]
    from_at: Annotated[datetime, "Its begin."]
    until_at: Annotated[datetime, "Its end, exclusive."]
    n: Annotated[Long, "How many decided promises it rests on."]
    evaluated_at: Annotated[datetime, "As of when it was judged."]

    @resolver(float | None)
    @staticmethod
    def points(row: Row) -> float | None:
        """The score; null for insufficient data."""
        return None if row.points_e6 is None else row.points_e6 / E6

    @resolver(Long | None)
    @staticmethod
    def points_millionths(row: Row) -> int | None:
        """The score in millionths of a point, exact."""
        return row.points_e6

    @resolver(bool)
    @staticmethod
    def insufficient_data(row: Row) -> bool:
        """Whether fewer than five promises, or less than 30 % of the weight, have data."""
        return row.points_e6 is None

    @resolver(float)
    @staticmethod
    def coverage(row: Row) -> float:
        """Share of the weight that has data."""
        return (row.coverage_ppm or 0) / E6

    @resolver(float | None)
    @staticmethod
    def change(row: Row) -> float | None:
        """Points more (or less) than in the window before; null when one of the two has no score."""
        return None if row.change_e6 is None else row.change_e6 / E6

    @resolver(list[Contribution])
    @staticmethod
    def contributions(row: Row) -> list[Share]:
        """What each component contributes; together exactly the score."""
        told = row.contributions_e6
        return [Share(part, told[part.value]) for part in Component if part.value in told]


def _seconds(us: int | None) -> float | None:
    return None if us is None else us / SECOND_US


def _of(row: quality.Measurement, info: Info) -> Any:
    """The promises a measurement is about, fenced."""
    query = select(promises.Promise).where(
        visible_to(info.context.actor, promises.Promise),
        promises.Promise.account_id == row.account_id,
    )
    if row.term_id is not None:
        return query.where(promises.Promise.term_id == row.term_id)
    query = query.where(~promises.Promise.internal)
    if row.site_id is None:
        return query
    there = select(incidents.Incident.id).where(incidents.Incident.site_id == row.site_id)
    return query.where(promises.Promise.incident_id.in_(there))


async def _promises(info: Info, query: Any, first: int) -> Sequence[promises.Promise]:
    async with info.context.sessions() as session:
        return list(await session.scalars(query.limit(checked(first, "first"))))
