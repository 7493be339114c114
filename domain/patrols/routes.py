"""Add routes with their points, and end them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from math import isfinite
from uuid import UUID

from domain.access import Right, Tx
from domain.accounts.model import Site
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line
from domain.evidence import Grade
from domain.patrols import events
from domain.patrols.model import PatrolOrder, PatrolPoint, PatrolRoute, PointKind
from domain.patrols.slots import must_fit
from domain.shifts import must_be_rule

MOST_POINTS = 100
MOST_RADIUS_M = 1_000


@dataclass(frozen=True, slots=True)
class PointDraft:
    """A point as proposed."""

    name: str
    kind: PointKind
    lat: float | None = None
    lon: float | None = None
    radius_m: int = 30
    due_minutes: int | None = None
    question: str | None = None


@dataclass(frozen=True, slots=True)
class RouteDraft:
    """A route as proposed; days and times are of the account's time zone."""

    name: str
    service: str
    rule: str
    starts_on: date
    local_start: time
    local_end: time
    round_minutes: int
    points: Sequence[PointDraft]
    ends_on: date | None = None
    rounds: int = 1
    ordering: PatrolOrder = PatrolOrder.ANY
    is_random: bool = False
    lowest_grade: Grade = Grade.C
    least_minutes: int = 0
    late_minutes: int = 15


async def add_route(tx: Tx, site_id: UUID, draft: RouteDraft) -> PatrolRoute:
    """Add a route to a site; it plans no rounds by itself."""
    tx.actor.must(Right.ROSTER)
    _check(draft)
    site = await tx.get(Site, site_id, "site", argument="siteId")
    route = PatrolRoute(
        id=uuid7(), tenant_id=site.tenant_id, account_id=site.account_id, site_id=site.id,
        **{name: getattr(draft, name) for name in _COLUMNS},
    )  # fmt: skip
    must_fit(route)
    tx.session.add(route)
    await tx.session.flush()
    for place, point in enumerate(draft.points, 1):
        tx.session.add(
            PatrolPoint(
                id=uuid7(), tenant_id=site.tenant_id, account_id=site.account_id, route_id=route.id,
                place=place, **{name: getattr(point, name) for name in point.__slots__},
            )
        )  # fmt: skip
    tx.record(
        events.PatrolRouteAdded(
            account_id=route.account_id,
            subject_id=route.id,
            at=tx.at,
            site_id=site.id,
            points=[{"name": each.name, "kind": each.kind} for each in draft.points],
            **{name: getattr(draft, name) for name in _COLUMNS},
        )
    )
    await tx.session.flush()
    return route


async def end_route(tx: Tx, route_id: UUID, *, ends_on: date | None) -> PatrolRoute:
    """Set the last day of a route, or none; rounds that are planned already stay."""
    tx.actor.must(Right.ROSTER)
    route = await tx.get(PatrolRoute, route_id, "route", lock=True)
    if ends_on is not None and ends_on < route.starts_on:
        raise Refused(Code.INVALID, "endsOn must not be before the first day.", argument="endsOn")
    if route.ends_on != ends_on:
        tx.record(
            events.PatrolRouteEnded(
                account_id=route.account_id,
                subject_id=route.id,
                at=tx.at,
                before=route.ends_on,
                after=ends_on,
            )
        )
        route.ends_on = ends_on
        await tx.session.flush()
    return route


_COLUMNS = tuple(name for name in RouteDraft.__slots__ if name != "points")


def _check(draft: RouteDraft) -> None:
    must_be_line(draft.name, "name")
    must_be_line(draft.service, "service")
    must_be_rule(draft.rule, "rule")
    for name, value in (("localStart", draft.local_start), ("localEnd", draft.local_end)):
        if value.tzinfo is not None:
            raise Refused(
                Code.INVALID, "Give a local time of the account, without a zone.", argument=name
            )
    if draft.ends_on is not None and draft.ends_on < draft.starts_on:
        raise Refused(Code.INVALID, "endsOn must not be before startsOn.", argument="endsOn")
    if draft.lowest_grade is Grade.D:
        raise Refused(
            Code.INVALID,
            "Grade D proves nothing; the lowest grade that counts is A, B or C.",
            argument="lowestGrade",
        )
    for name, number, least, most in (
        ("rounds", draft.rounds, 1, 48),
        ("roundMinutes", draft.round_minutes, 1, 1_440),
        ("leastMinutes", draft.least_minutes, 0, draft.round_minutes),
        ("lateMinutes", draft.late_minutes, 0, draft.round_minutes),
    ):
        if not least <= number <= most:
            raise Refused(Code.INVALID, f"{name} must be {least} to {most:,}.", argument=name)
    if not 1 <= len(draft.points) <= MOST_POINTS:
        raise Refused(Code.INVALID, f"A route has 1 to {MOST_POINTS} points.", argument="points")
    for point in draft.points:
        _check_point(point, draft.round_minutes)


def _check_point(point: PointDraft, round_minutes: int) -> None:
    must_be_line(point.name, "points")
    must_be_line(point.question, "points")
    problem = None
    if (point.lat is None) != (point.lon is None):
        problem = "needs both lat and lon, or neither"
    elif point.lat is not None and point.lon is not None:
        inside = abs(point.lat) <= 90 and abs(point.lon) <= 180
        if not (isfinite(point.lat) and isfinite(point.lon) and inside):
            problem = "has degrees out of range"
    elif point.kind is PointKind.GPS:
        problem = "is proven by a position, so it needs lat and lon"
    if not 5 <= point.radius_m <= MOST_RADIUS_M:
        problem = f"has a radius that is not 5 to {MOST_RADIUS_M:,} metres"
    elif point.due_minutes is not None and not 1 <= point.due_minutes <= round_minutes:
        problem = "is due outside the round: give dueMinutes from 1 to roundMinutes"
    elif (point.kind is PointKind.QUESTION) != (point.question is not None):
        problem = "needs a question exactly when it is of kind QUESTION"
    if problem is not None:
        raise Refused(Code.INVALID, f"The point {point.name!r} {problem}.", argument="points")
