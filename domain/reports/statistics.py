"""Compute the numbers of a report: pure, from data as of one time."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from statistics import median_low
from typing import Any
from zoneinfo import ZoneInfo

from domain.agreements.model import PromiseKind
from domain.reports.content import (
    AHEAD,
    MOST,
    TREND_DAYS,
    VERSION,
    Content,
    CreditLine,
    Day,
    Figures,
    Grant,
    IncidentDates,
    IncidentLine,
    KindFigures,
    Note,
    Part,
    Proactive,
    PromiseLine,
    ReportedState,
    SiteFigures,
)
from domain.reports.periods import Period, days_of, instant_of


def content_of(
    period: Period,
    *,
    zone: str,
    currency: str,
    parts: Sequence[Part],
    incidents: Sequence[IncidentDates],
    grants: Sequence[Grant],
    notes: Sequence[Note],
    planned: Sequence[Note],
    proactive: Proactive,
) -> Content:
    """Compute everything for one period; the data was read as of `period.made_at`."""
    inside = _within(period.from_at, period.until_at)
    previous = _within(*_before(period, zone))
    decided = [part for part in parts if inside(part.decided_at)]
    late = [part for part in decided if part.stand is ReportedState.LATE]
    risk = [part for part in parts if part.stand is ReportedState.AT_RISK]
    soon = period.made_at + AHEAD[period.cadence]
    due = [
        part
        for part in parts
        if part.stand is ReportedState.RUNNING and part.due_at is not None and part.due_at < soon
    ]
    opened = [incident for incident in incidents if inside(incident.opened_at)]
    still = [incident for incident in incidents if incident.resolved_at is None]
    ours = [grant for grant in grants if inside(grant.decided_at) and grant.amount_cents]
    days = _days(period, zone, parts, incidents)
    return Content(
        version=VERSION,
        cadence=period.cadence,
        zone=zone,
        currency=currency,
        first_on=period.first_on,
        last_on=period.last_on,
        as_of_at=period.made_at,
        figures=_figures(inside, parts, incidents, grants),
        before=_figures(previous, parts, incidents, grants),
        open_now=len(still),
        at_risk=len(risk),
        goal_ppm=_objective(parts, days),
        late_lines=[_line(part) for part in sorted(late, key=_overrun, reverse=True)[:MOST]],
        risk_lines=[_line(part) for part in sorted(risk, key=_due)[:MOST]],
        next_lines=[_line(part) for part in sorted(due, key=_due)[:5]],
        opened_lines=[_incident_line(incident) for incident in sorted(opened, key=_opened)[:MOST]],
        open_lines=[_incident_line(incident) for incident in sorted(still, key=_opened)[:MOST]],
        credit_lines=[
            CreditLine(grant.incident_id, grant.kind, grant.amount_cents, grant.currency)
            for grant in sorted(ours, key=lambda grant: grant.decided_at)[:MOST]
        ],
        kinds=_kinds(decided),
        sites=_sites(decided, opened),
        days=days,
        notes=sorted(notes, key=lambda note: note.at)[:MOST],
        planned=sorted(planned, key=lambda note: note.at)[:5],
        proactive=proactive,
    )


def _before(period: Period, zone: str) -> tuple[datetime, datetime]:
    """Return the same number of local days before the period, whatever number of hours they had."""
    first_on = period.first_on - timedelta(days=days_of(period.cadence))
    return instant_of(first_on, time(), zone), period.from_at


def _within(begin: datetime, end: datetime) -> Any:
    def inside(at: datetime | None) -> bool:
        return at is not None and begin <= at < end

    return inside


def _figures(
    inside: Any, parts: Iterable[Part], incidents: Sequence[IncidentDates], grants: Iterable[Grant]
) -> Figures:
    stands = Counter(part.stand for part in parts if inside(part.decided_at))
    return Figures(
        opened=sum(inside(incident.opened_at) for incident in incidents),
        resolved=sum(inside(incident.resolved_at) for incident in incidents),
        kept=stands[ReportedState.KEPT],
        late=stands[ReportedState.LATE],
        credits_cents=sum(grant.amount_cents for grant in grants if inside(grant.decided_at)),
    )


def _days(
    period: Period, zone: str, parts: Iterable[Part], incidents: Iterable[IncidentDates]
) -> list[Day]:
    """Return the 28 local days up to the last one of the period."""
    timezone = ZoneInfo(zone)

    def on(at: datetime | None) -> date | None:
        return None if at is None else at.astimezone(timezone).date()

    stands = Counter((on(part.decided_at), part.stand) for part in parts)
    opened = Counter(on(incident.opened_at) for incident in incidents)
    resolved = Counter(on(incident.resolved_at) for incident in incidents)
    last = period.last_on
    return [
        Day(
            day,
            stands[day, ReportedState.KEPT],
            stands[day, ReportedState.LATE],
            opened[day],
            resolved[day],
        )
        for day in (last - timedelta(days=n) for n in range(TREND_DAYS - 1, -1, -1))
    ]


def _objective(parts: Iterable[Part], days: Sequence[Day]) -> int | None:
    """Return the agreed objective of the trend's promises, weighted by how often they fell due; None without any.

    Rounded down, so that it is never above what the terms promise.
    """
    first, last = days[0].on, days[-1].on
    agreed = [
        part.objective_ppm
        for part in parts
        if part.decided_at is not None and first <= part.decided_at.date() <= last
    ]
    return sum(agreed) // len(agreed) if agreed else None


def _kinds(decided: Iterable[Part]) -> list[KindFigures]:
    by_kind: Mapping[PromiseKind, list[Part]] = defaultdict(list)
    for part in decided:
        by_kind[part.kind].append(part)
    found = []
    for kind in PromiseKind:
        parts = by_kind.get(kind, [])
        times = [part.elapsed_us for part in parts if not part.is_open and part.target_us > 0]
        if parts:
            late = sum(part.stand is ReportedState.LATE for part in parts)
            usual = median_low(times) if times else None
            found.append(KindFigures(kind, len(parts) - late, late, usual))
    return found


def _sites(decided: Iterable[Part], opened: Iterable[IncidentDates]) -> list[SiteFigures]:
    """Return sites with results, the one with most late promises first, then most incidents."""
    incidents = Counter(incident.site_id for incident in opened)
    stands = Counter((part.site_id, part.stand) for part in decided)
    sites = sorted({*incidents, *(site for site, _ in stands)}, key=str)
    rows = [
        SiteFigures(
            site,
            incidents[site],
            stands[site, ReportedState.KEPT],
            stands[site, ReportedState.LATE],
        )
        for site in sites
    ]
    return sorted(rows, key=lambda row: (-row.late, -row.opened, -row.kept))[:MOST]


def _line(part: Part) -> PromiseLine:
    over = part.elapsed_us - part.target_us
    return PromiseLine(part.incident_id, part.kind, part.due_at, over, part.is_open)


def _incident_line(incident: IncidentDates) -> IncidentLine:
    return IncidentLine(incident.id, incident.opened_at, incident.resolved_at)


def _overrun(part: Part) -> int:
    return part.elapsed_us - part.target_us


def _due(part: Part) -> tuple[bool, Any]:
    return part.due_at is None, part.due_at


def _opened(incident: IncidentDates) -> datetime:
    return incident.opened_at
