"""Find the promises that apply to an incident. Terms never change, so each process caches those it has read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.agreements.model import (
    Agreement,
    Priority,
    PromiseKind,
    PromiseTarget,
    PromiseTerm,
    Terms,
)
from domain.agreements.rules import Target
from domain.core.constants_cache import ConstantsCache


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
    ticket_kinds: frozenset[str]
    category: str | None
    objective_ppm: int
    pausable: bool
    internal: bool
    targets: dict[Priority, Target]


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
    session: AsyncSession, account_id: UUID, *, at: datetime, kind: str, category: str | None
) -> list[Term]:
    """Return the promises that apply to an incident of this kind and category, opened at `at`, by name."""
    ids = await session.scalars(
        select(PromiseTerm.id)
        .join(Terms, Terms.id == PromiseTerm.terms_id)
        .join(Agreement, Agreement.id == Terms.agreement_id)
        .where(
            Terms.account_id == account_id,
            Terms.in_force.contains(at),
            or_(Agreement.ended_at.is_(None), Agreement.ended_at > at),
        )
    )
    known = await terms_by_id(session, ids)
    return applicable(sorted(known.values(), key=lambda t: (t.name, t.id)), kind, category)


def applicable(terms: Sequence[Term], kind: str, category: str | None) -> list[Term]:
    """Select the promises in force that apply to an incident of this kind and category.

    A promise for the incident's category replaces those of the same kind that apply to every category.
    """
    fitting = [
        term
        for term in terms
        if (not term.ticket_kinds or kind in term.ticket_kinds)
        and (term.category is None or term.category == category)
    ]
    named = {(t.agreement_id, t.kind, t.internal) for t in fitting if t.category is not None}
    return [
        term
        for term in fitting
        if term.category is not None or (term.agreement_id, term.kind, term.internal) not in named
    ]


async def _load(session: AsyncSession, ids: set[UUID]) -> dict[UUID, Term]:
    rows = await session.execute(
        select(PromiseTerm, Terms.agreement_id)
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
            ticket_kinds=frozenset(term.ticket_kinds),
            category=term.category,
            objective_ppm=term.objective_ppm,
            pausable=term.pausable,
            internal=term.internal,
            targets=targets[term.id],
        )
        for term, agreement_id in rows
    }
