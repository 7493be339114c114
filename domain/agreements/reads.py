"""Find the promises that apply to an incident. Terms never change, so each process caches those it has read."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import calendars
from domain.agreements.limits import IncidentAttributes, PromiseLimits, applicable
from domain.agreements.model import (
    Agreement,
    ClockStart,
    Priority,
    PromiseKind,
    PromiseTarget,
    PromiseTerm,
    Terms,
)
from domain.agreements.rules import Target
from domain.calendars import CalendarSpec
from domain.core.constants_cache import ConstantsCache
from domain.evidence import DoubtFavours, Grade


@dataclass(frozen=True, slots=True)
class Term:
    """A promise of one version of an agreement, in the form that the clock needs."""

    id: UUID
    tenant_id: UUID
    account_id: UUID
    agreement_id: UUID
    terms_id: UUID
    name: str
    kind: PromiseKind
    calendar_version_id: UUID
    limits: PromiseLimits
    rule: int
    objective_ppm: int
    pausable: bool
    internal: bool
    targets: dict[Priority, Target]
    lowest_grade: Grade | None = None
    doubt_favours: DoubtFavours = DoubtFavours.CLIENT
    clock_start: ClockStart = ClockStart.TOLD


_cache: ConstantsCache[UUID, Term] = ConstantsCache(100_000)


async def terms_by_id(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, Term]:
    """Return the promises with these ids."""
    wanted = set(ids)
    known = _cache.known(wanted)
    missing = wanted - known.keys()
    if missing:
        loaded = await _load(session, missing)
        _cache.add(loaded)
        known.update(loaded)
    return {term_id: known[term_id] for term_id in wanted}


async def in_force(
    session: AsyncSession, account_id: UUID, incident: IncidentAttributes
) -> list[Term]:
    """Return the promises that apply to an incident of the account, by name."""
    ids = await session.scalars(
        select(PromiseTerm.id)
        .join(Terms, Terms.id == PromiseTerm.terms_id)
        .join(Agreement, Agreement.id == Terms.agreement_id)
        .where(
            Terms.account_id == account_id,
            Terms.in_force.contains(incident.opened_at),
            or_(Agreement.ended_at.is_(None), Agreement.ended_at > incident.opened_at),
        )
    )
    known = await terms_by_id(session, ids)
    hours = await hours_of(session, known.values())
    return applicable(sorted(known.values(), key=lambda t: (t.name, t.id)), incident, hours)


async def hours_of(session: AsyncSession, terms: Iterable[Term]) -> dict[UUID, CalendarSpec]:
    """Return the hours that promises are limited to, by calendar version."""
    ids = {term.limits.hours_id for term in terms if term.limits.hours_id is not None}
    return await calendars.specs(session, ids) if ids else {}


async def _load(session: AsyncSession, ids: set[UUID]) -> dict[UUID, Term]:
    rows = await session.execute(
        select(PromiseTerm, Terms.agreement_id, Terms.rule)
        .join(Terms, Terms.id == PromiseTerm.terms_id)
        .where(PromiseTerm.id.in_(ids))
    )
    targets: dict[UUID, dict[Priority, Target]] = {term_id: {} for term_id in ids}
    for row in await session.scalars(select(PromiseTarget).where(PromiseTarget.term_id.in_(ids))):
        targets[row.term_id][row.priority] = Target(row.elapsed_s, row.business_days)
    return {
        term.id: Term(
            id=term.id,
            tenant_id=term.tenant_id,
            account_id=term.account_id,
            agreement_id=agreement_id,
            terms_id=term.terms_id,
            name=term.name,
            kind=term.kind,
            calendar_version_id=term.calendar_version_id,
            limits=PromiseLimits(
                frozenset(term.ticket_kinds),
                term.category,
                frozenset(term.site_ids),
                term.hours_id,
                frozenset(term.services),
            ),
            rule=rule,
            objective_ppm=term.objective_ppm,
            pausable=term.pausable,
            internal=term.internal,
            targets=targets[term.id],
            lowest_grade=term.lowest_grade,
            doubt_favours=term.doubt_favours,
            clock_start=term.clock_start,
        )
        for term, agreement_id, rule in rows
    }
