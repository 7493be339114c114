"""Judge a round by its scans: which one proves each visit, and what is found. Values in, values out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from domain.evidence import Grade, at_least
from domain.patrols.model import PatrolOrder


@dataclass(frozen=True, slots=True)
class RoundRules:
    """What a route asks of its rounds."""

    ordering: PatrolOrder
    lowest_grade: Grade
    least: timedelta
    late: timedelta


class ExpectedVisit(NamedTuple):
    """A point that has to be visited."""

    point_id: UUID
    place: int
    due_at: datetime


class GradedScan(NamedTuple):
    """A scan of a point, as a round counts it."""

    id: UUID
    point_id: UUID
    at: datetime
    device: str
    sequence: int
    grade: Grade


class JudgedVisit(NamedTuple):
    """What is found about a visit; `scan` proves it."""

    scan: GradedScan | None = None
    is_late: bool = False
    is_out_of_order: bool = False
    missed_at: datetime | None = None


class JudgedRound(NamedTuple):
    """What is found about a round, with its visits by point."""

    visits: dict[UUID, JudgedVisit]
    completed_at: datetime | None
    is_too_fast: bool

    @property
    def visited(self) -> int:
        """Number of points that were visited."""
        return sum(each.scan is not None for each in self.visits.values())

    @property
    def missed(self) -> int:
        """Number of points that were missed."""
        return sum(each.missed_at is not None for each in self.visits.values())


def judge_round(
    rules: RoundRules,
    expected: Sequence[ExpectedVisit],
    scans: Iterable[GradedScan],
    *,
    at: datetime,
) -> JudgedRound:
    """Judge a round at `at`: the earliest scan of a point that is good enough proves the visit.

    A scan that is not good enough counts for nothing, so the point is missed once its time is over.
    """
    standing: dict[UUID, GradedScan] = {}
    for scan in sorted(scans, key=lambda each: (each.at, each.device, each.sequence)):
        if at_least(scan.grade, rules.lowest_grade):
            standing.setdefault(scan.point_id, scan)
    visits = {}
    furthest: datetime | None = None
    for each in sorted(expected, key=lambda each: each.place):
        made = standing.get(each.point_id)
        over_at = each.due_at + rules.late
        if made is None:
            visits[each.point_id] = JudgedVisit(missed_at=over_at if at >= over_at else None)
            continue
        is_behind = furthest is not None and made.at < furthest
        visits[each.point_id] = JudgedVisit(
            made,
            is_late=made.at > each.due_at,
            is_out_of_order=is_behind and rules.ordering is PatrolOrder.FIXED,
        )
        furthest = made.at if furthest is None else max(furthest, made.at)
    times = [each.scan.at for each in visits.values() if each.scan is not None]
    completed_at = max(times) if times and len(times) == len(visits) else None
    took = max(times) - min(times) if completed_at is not None else None
    return JudgedRound(visits, completed_at, took is not None and took < rules.least)
