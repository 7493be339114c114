"""Content of a report as it is stored: ids and numbers without texts; and the input it is computed from."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from domain.agreements.model import PromiseKind
from domain.reports.periods import Cadence

VERSION = 1
TREND_DAYS = 28
MOST = 12
"""Maximum rows of a list; the number of further rows is shown."""
AHEAD = {Cadence.DAILY: timedelta(hours=24), Cadence.WEEKLY: timedelta(days=7)}
"""How far ahead a report looks."""


class ReportedState(StrEnum):
    """State of a promise when the report was made."""

    KEPT = "kept"
    LATE = "late"
    AT_RISK = "at_risk"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Part:
    """One promise of one incident as the evaluator judged it; internal objectives are left out."""

    incident_id: UUID
    site_id: UUID
    kind: PromiseKind
    stand: ReportedState
    is_open: bool
    started_at: datetime | None
    due_at: datetime | None
    decided_at: datetime | None
    elapsed_us: int
    target_us: int
    objective_ppm: int


@dataclass(frozen=True, slots=True)
class IncidentDates:
    """The times of an incident."""

    id: UUID
    site_id: UUID
    opened_at: datetime
    resolved_at: datetime | None
    is_ours: bool  # reported by the company, not by the client


@dataclass(frozen=True, slots=True)
class Grant:
    """A credit: for a promise of an incident, for a month's promise, or (kind None) as goodwill."""

    incident_id: UUID | None
    kind: PromiseKind | None
    amount_cents: int
    currency: str
    decided_at: datetime


class Note(msgspec.Struct, frozen=True):
    """A fact with a line of its own: kind, time, and the numbers of its sentence."""

    kind: str
    at: datetime
    incident_id: UUID | None = None
    says: dict[str, Any] = {}


class PromiseLine(msgspec.Struct, frozen=True):
    """A promise by name; `over_us` is how far beyond its target it is, below 0 what is left."""

    incident_id: UUID
    kind: PromiseKind
    due_at: datetime | None
    over_us: int
    is_open: bool


class IncidentLine(msgspec.Struct, frozen=True):
    """An incident by name."""

    incident_id: UUID
    opened_at: datetime
    resolved_at: datetime | None


class CreditLine(msgspec.Struct, frozen=True):
    """A credit by name."""

    incident_id: UUID | None
    kind: PromiseKind | None
    amount_cents: int
    currency: str


class KindFigures(msgspec.Struct, frozen=True):
    """Results of one kind of promise; `median_us` is the median duration on its calendar, None where there is none."""

    kind: PromiseKind
    kept: int
    late: int
    median_us: int | None


class SiteFigures(msgspec.Struct, frozen=True):
    """Results of one site."""

    site_id: UUID
    opened: int
    kept: int
    late: int


class Day(msgspec.Struct, frozen=True):
    """One local day."""

    on: date
    kept: int
    late: int
    opened: int
    resolved: int


class Figures(msgspec.Struct, frozen=True):
    """The numbers of one period."""

    opened: int
    resolved: int
    kept: int
    late: int
    credits_cents: int


class Proactive(msgspec.Struct, frozen=True):
    """How many changes of the service were announced before they took effect (COM-03)."""

    changes: int
    told: int


class Content(msgspec.Struct, frozen=True):
    """A whole report. `lists` are cut at `MOST`; the numbers beside them give the full count."""

    version: int
    cadence: Cadence
    zone: str
    currency: str
    first_on: date
    last_on: date
    as_of_at: datetime
    figures: Figures
    before: Figures
    open_now: int
    at_risk: int
    goal_ppm: int | None
    late_lines: list[PromiseLine]
    risk_lines: list[PromiseLine]
    next_lines: list[PromiseLine]
    opened_lines: list[IncidentLine]
    open_lines: list[IncidentLine]
    credit_lines: list[CreditLine]
    kinds: list[KindFigures]
    sites: list[SiteFigures]
    days: list[Day]
    notes: list[Note]
    planned: list[Note]
    proactive: Proactive


def incidents_of(content: Content) -> set[UUID]:
    """Return the incidents whose names a reader of the report needs."""
    promises = (*content.late_lines, *content.risk_lines, *content.next_lines)
    incidents = (*content.opened_lines, *content.open_lines)
    others = [line.incident_id for line in content.credit_lines]
    others += [note.incident_id for note in (*content.notes, *content.planned)]
    return (
        {line.incident_id for line in promises}
        | {line.incident_id for line in incidents}
        | {other for other in others if other is not None}
    )
