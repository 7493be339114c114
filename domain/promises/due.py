"""Evaluate units whose promises change because time passed, in batches.

In batches, because one row at a time cost 5 ms per unit, and 10,000 deadlines in a minute leave 6 ms each.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Subquery, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor
from domain.core.deferral import Subject, in_turn
from domain.core.ledger import Fact
from domain.core.wakeups import DueColumn, WakeUp
from domain.promises.batch import WATCHED, load, write
from domain.promises.model import PromiseWatch
from domain.promises.rows import PromiseRow, target_rows

DUE: tuple[WakeUp, ...] = (DueColumn(PromiseWatch.next_check_at, by_company=True),)


async def due(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select the units for `sweep`: the companies alternately, the longest overdue of each first."""
    turns = _in_turn(at, limit)
    found = await session.execute(
        select(turns.c.tenant_id, turns.c.id).order_by(turns.c.turn, turns.c.lot)
    )
    return [Subject(*row) for row in found]


def _in_turn(at: datetime, limit: int) -> Subquery:
    return in_turn(
        PromiseWatch.tenant_id,
        PromiseWatch.next_check_at,
        PromiseWatch.unit_id,
        at=at,
        limit=limit,
    )


async def defer(session: AsyncSession, unit_id: UUID, *, until: datetime) -> None:
    """Postpone the next check of a unit, because evaluating it fails."""
    await session.execute(
        update(PromiseWatch).where(PromiseWatch.unit_id == unit_id).values(next_check_at=until)
    )


async def sweep(
    session: AsyncSession, *, at: datetime, limit: int = 500, only: UUID | None = None
) -> int:
    """Evaluate the units (or `only` that one) whose promises change because time passed; return how many.

    The companies alternately, the longest overdue of each first: many deadlines of one company do not delay others'.
    Several sweepers may run at once: a unit that another one has locked is skipped and found by the next sweep.
    """
    query = select(*WATCHED)
    if only is None:
        turns = _in_turn(at, limit * 4)  # some may be locked by other sweepers
        query = query.join(turns, turns.c.id == PromiseWatch.unit_id)
        query = query.order_by(turns.c.turn, turns.c.lot).limit(limit)
    else:
        query = query.where(PromiseWatch.unit_id == only)
    watches = list(
        await session.execute(
            query.where(PromiseWatch.next_check_at <= at).with_for_update(
                of=PromiseWatch, skip_locked=True, key_share=True
            )
        )
    )
    if not watches:
        return 0
    chunk = await load(session, watches)
    judged = chunk.judged([watch.unit_id for watch in watches], at)
    rows: list[PromiseRow] = []
    facts: list[tuple[Actor, Fact]] = []
    idle: list[UUID] = []
    for watch in watches:
        unit_id, actor = watch.unit_id, Actor.system(watch.tenant_id, "sweeper")
        found = target_rows(watch, chunk.stored[unit_id], judged[unit_id], at)
        if not found:
            idle.append(unit_id)
        for row, news in found:
            rows.append(row)
            facts.extend((actor, fact) for fact in news)
    await write(session, rows, facts)
    if idle:  # nothing to evaluate, so no next check either
        await session.execute(
            update(PromiseWatch)
            .where(PromiseWatch.unit_id.in_(idle))
            .values(next_check_at=None, first_due_at=None, client_due_at=None)
        )
    return len(watches)
