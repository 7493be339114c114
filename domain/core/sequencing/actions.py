"""Assign sequence numbers to committed facts, link them in the hash chain, and write their jobs to the outbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.base import uuid7
from domain.core.db import driver_of
from domain.core.job_order import lane_of
from domain.core.ledger import GENESIS, Origin, chain
from domain.core.sequencing import statements
from domain.core.sequencing.model import UnnumberedFact
from domain.core.wakeups import announce

_decode = msgspec.json.Decoder(list[UnnumberedFact]).decode


@dataclass(frozen=True, slots=True)
class SequencedBatch:
    """Result of one round of sequencing: the number of facts, the last number, and the outbox rows."""

    facts: int
    seq: int
    outbox: tuple[UUID, ...]


async def assign_sequence(
    session: AsyncSession,
    *,
    routes: Mapping[str, Sequence[str]],
    due_at: datetime,
    limit: int = 1000,
) -> SequencedBatch:
    """Number the oldest unnumbered facts, link them and write their jobs to the outbox; the caller commits.

    When more than `limit` wait, live facts go before history, so that current events do not queue behind an import.
    They do not overtake older facts of their own account, whose order is kept.

    `routes` lists the jobs of each kind of fact; history has no jobs. Only the relay's leader calls this, on the
    connection that holds the leader's lock. The numbers are unique in the table too, so that a second caller fails
    instead of numbering twice.
    """
    driver = await driver_of(session)
    await driver.execute(statements.BY_INDEX)
    entries = await _next(driver, limit)
    seq = await driver.fetchval(statements.LAST_NUMBER)
    if not entries:
        return SequencedBatch(0, seq, ())
    tenants = {entry.tenant_id for entry in entries}
    heads: dict[UUID, bytes] = dict(await driver.fetch(statements.HEADS, tenants))
    seqs = range(seq + 1, seq + 1 + len(entries))
    hashes, last = _linked(entries, seqs, heads)
    await driver.execute(statements.PLACE, [entry.id for entry in entries], seqs, hashes)
    await driver.execute(
        statements.KEEP_HEADS, last.keys(), last.values(), [heads[tenant] for tenant in last]
    )
    await announce(session, (entry.kind for entry in entries))
    jobs = await _write_jobs(driver, entries, routes, due_at)
    return SequencedBatch(len(entries), seqs[-1], jobs)


async def _next(driver: Any, limit: int) -> list[UnnumberedFact]:
    """Select the facts to number now, in order."""
    oldest = _decode(await driver.fetchval(statements.OLDEST, limit))
    if len(oldest) < limit or all(entry.origin is Origin.LIVE for entry in oldest):
        return oldest
    live = _decode(await driver.fetchval(statements.LIVE_FIRST, limit))
    first = {entry.id for entry in live}
    return [*live, *(entry for entry in oldest if entry.id not in first)][:limit]


def _linked(
    entries: Sequence[UnnumberedFact], seqs: Sequence[int], heads: dict[UUID, bytes]
) -> tuple[list[bytes], dict[UUID, int]]:
    """Return the hashes of the facts and each tenant's last number; `heads` becomes each tenant's last hash."""
    hashes: list[bytes] = []
    last: dict[UUID, int] = {}
    for seq, entry in zip(seqs, entries, strict=True):
        link = chain(heads.get(entry.tenant_id, GENESIS), seq, entry)
        heads[entry.tenant_id], last[entry.tenant_id] = link, seq
        hashes.append(link)
    return hashes, last


async def _write_jobs(
    driver: Any,
    entries: Sequence[UnnumberedFact],
    routes: Mapping[str, Sequence[str]],
    due_at: datetime,
) -> tuple[UUID, ...]:
    rows = [
        (
            uuid7(),
            entry.tenant_id,
            entry.id,
            job,
            lane_of(job, entry.subject_id, entry.body),
            entry.recorded_at,
        )
        for entry in entries
        if entry.origin is Origin.LIVE
        for job in routes.get(entry.kind, ())
    ]
    if not rows:
        return ()
    added = await driver.fetch(statements.ADD_JOBS, *zip(*rows, strict=True), due_at)
    return tuple(row["id"] for row in added)
