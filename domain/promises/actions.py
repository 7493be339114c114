"""Start and evaluate the promises of a unit, and record what changed. A row always equals the kernel's result."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import agreements, calendars
from domain.access import Actor
from domain.core.ledger import LedgerRow, record
from domain.parameters import ParameterScope
from domain.promises.model import Promise, PromiseWatch
from domain.promises.pinned import allowance_of, pin, warn_ppm_of
from domain.promises.registry import clock_event_kinds, is_about
from domain.promises.rows import COLUMNS, PromiseRow, target_rows, values_of
from domain.promises.translation import ClockFact, build, judge


class PromiseSubject(NamedTuple):
    """A unit, and the attributes that its promises depend on."""

    unit_kind: str
    id: UUID
    account_id: UUID
    attributes: agreements.IncidentAttributes


async def start(
    session: AsyncSession, actor: Actor, unit: PromiseSubject, *, at: datetime
) -> list[Promise]:
    """Pin the promises and parameters in force when the unit began, and start their clocks.

    The fact that begins the unit is recorded in the same transaction. Later amendments apply to later units.
    """
    found = await agreements.in_force(session, unit.account_id, unit.attributes)
    terms = [term for term in found if is_about(term.kind, unit.unit_kind)]
    site_id, began_at = unit.attributes.site_id, unit.attributes.opened_at
    scope = ParameterScope(actor.tenant_id, unit.account_id, site_id)
    pinned = await pin(session, scope, at=began_at)
    session.add(
        PromiseWatch(
            tenant_id=actor.tenant_id,
            account_id=unit.account_id,
            unit_kind=unit.unit_kind,
            unit_id=unit.id,
            site_id=site_id,
            began_at=began_at,
            term_ids=[term.id for term in terms],
            **pinned._asdict(),
        )
    )
    return await evaluate(session, actor, unit.id, at=at)


async def evaluate(
    session: AsyncSession, actor: Actor, unit_id: UUID, *, at: datetime
) -> list[Promise]:
    """Evaluate a unit's promises from all facts up to `at`, and record what changed."""
    watch = await session.scalar(
        select(PromiseWatch).where(PromiseWatch.unit_id == unit_id).with_for_update(key_share=True)
    )
    return [] if watch is None else await _judge(session, actor, watch, at=at)


async def _judge(
    session: AsyncSession, actor: Actor, watch: PromiseWatch, *, at: datetime
) -> list[Promise]:
    unit_id = watch.unit_id
    terms = await agreements.terms_by_id(session, watch.term_ids)
    specs = await calendars.specs(session, {t.calendar_version_id for t in terms.values()})
    facts = await session.execute(
        select(LedgerRow.subject_id, LedgerRow.kind, LedgerRow.at, LedgerRow.body)
        .where(LedgerRow.subject_id == unit_id, LedgerRow.kind.in_(clock_event_kinds()))
        .order_by(LedgerRow.id)
    )
    batch = build(
        {unit_id: [terms[t] for t in watch.term_ids]},
        (ClockFact(*row) for row in facts),
        specs,
        at=at,
        allowances={unit_id: allowance_of(watch)},
    )
    stored = await session.scalars(select(Promise).where(Promise.unit_id == unit_id))
    known = {(row.unit_id, row.term_id, row.part): row for row in stored}
    by_id = {row.id: row for row in known.values()}
    judged = judge(batch, at=at, warn_ppm=warn_ppm_of(watch))
    changes = target_rows(watch, known, judged, at)
    rows = [_copy_columns(session, by_id.get(change.row.id), change.row) for change in changes]
    for change in changes:
        for fact in change.facts:
            record(session, actor, fact)
    watch.next_check_at = _earliest(row.next_check_at for row in rows)
    watch.first_due_at = _earliest(row.announced_due_at for row in rows)
    watch.client_due_at = _earliest(row.announced_due_at for row in rows if not row.internal)
    await session.flush()
    return rows


def _copy_columns(session: AsyncSession, known: Promise | None, row: PromiseRow) -> Promise:
    """Copy the columns of `row` to the mapped row."""
    promise = known
    if promise is None:
        promise = Promise()
        session.add(promise)
    for name, value in zip(COLUMNS, values_of(row), strict=True):
        setattr(promise, name, value)
    return promise


def _earliest(instants: Iterable[datetime | None]) -> datetime | None:
    return min((instant for instant in instants if instant is not None), default=None)
