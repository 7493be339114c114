"""Assign sequence numbers to committed facts, link them in the hash chain, and write their jobs to the outbox."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    LargeBinary,
    Row,
    Select,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.core.base import uuid7
from domain.core.job_order import lane_of
from domain.core.ledger import GENESIS, LedgerHead, LedgerRow, Origin, chain
from domain.core.outbox import Outbox
from domain.core.sequencing.reads import last_seq
from domain.core.wakeups import announce


@dataclass(frozen=True, slots=True)
class SequencedBatch:
    """Result of one round of sequencing: the number of facts, the last number, and the outbox rows."""

    facts: int
    seq: int
    outbox: tuple[UUID, ...]


# Every fact is found by an index and in its order, whatever the statistics are. Statistics from before an import
# made the planner read everything that waits, or the whole ledger, for each batch.
_BY_INDEX = text(
    "SELECT set_config('enable_' || each, 'off', true)"
    " FROM unnest(ARRAY['seqscan', 'bitmapscan', 'sort', 'hashjoin', 'mergejoin']) AS each"
)
_PLACE = text(
    "UPDATE ledger SET seq = placed.seq, hash = placed.hash"
    " FROM unnest(:ids, :seqs, :hashes) AS placed(id, seq, hash) WHERE ledger.id = placed.id"
).bindparams(
    bindparam("ids", type_=ARRAY(BigInteger)),
    bindparam("seqs", type_=ARRAY(BigInteger)),
    bindparam("hashes", type_=ARRAY(LargeBinary)),
)
# Rows, not objects: objects cost ten times as much, and an import has half a million facts.
_FACT = (
    LedgerRow.id,
    LedgerRow.tenant_id,
    LedgerRow.account_id,
    LedgerRow.kind,
    LedgerRow.subject_id,
    LedgerRow.at,
    LedgerRow.recorded_at,
    LedgerRow.origin,
    LedgerRow.actor,
    LedgerRow.body,
)
_LIVE: ColumnElement[Origin] = literal_column("'live'")


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
    await session.execute(_BY_INDEX)
    entries = await _next(session, limit)
    # A tenant's head may be ahead of the ledger after somebody deleted its last facts: no number is used twice.
    seq = max(await last_seq(session), await session.scalar(select(func.max(LedgerHead.seq))) or 0)
    if not entries:
        return SequencedBatch(0, seq, ())
    heads = await _heads(session, {entry.tenant_id for entry in entries})
    ids = [entry.id for entry in entries]
    seqs = list(range(seq + 1, seq + 1 + len(entries)))
    hashes: list[bytes] = []
    for entry, place in zip(entries, seqs, strict=True):
        link = chain(heads.get(entry.tenant_id, (0, GENESIS))[1], place, entry)
        heads[entry.tenant_id] = (place, link)
        hashes.append(link)
    await session.execute(_PLACE, {"ids": ids, "seqs": seqs, "hashes": hashes})
    await _keep_heads(session, heads)
    await announce(session, (entry.kind for entry in entries))
    return SequencedBatch(
        len(entries), seqs[-1], await _write_jobs(session, entries, routes, due_at)
    )


async def _next(session: AsyncSession, limit: int) -> list[Row[*tuple[Any, ...]]]:
    """Select the facts to number now, in order."""
    oldest = list(await session.execute(_waiting(limit)))
    if len(oldest) < limit or all(entry.origin is Origin.LIVE for entry in oldest):
        return oldest
    live = await session.execute(_live_facts_first(limit))
    first = {entry.id: entry for entry in live}
    return [*first.values(), *(each for each in oldest if each.id not in first)][:limit]


def _waiting(limit: int) -> Select[*tuple[Any, ...]]:
    return select(*_FACT).where(LedgerRow.seq.is_(None)).order_by(LedgerRow.id).limit(limit)


def _live_facts_first(limit: int) -> Select[*tuple[Any, ...]]:
    """Select live facts of accounts without unnumbered history.

    Separate partial indexes find them behind an import's facts; they need a literal, a parameter does not match. Facts
    without an account take a query of their own: IS NOT DISTINCT FROM uses no index, and would compare each live fact
    with the whole import of its company.
    """
    past = aliased(LedgerRow)
    earlier = (past.seq.is_(None), past.origin != _LIVE, past.tenant_id == LedgerRow.tenant_id)
    return _waiting(limit).where(
        LedgerRow.origin == _LIVE,
        ~exists().where(*earlier, past.account_id == LedgerRow.account_id),
        ~exists().where(*earlier, past.account_id.is_(None), LedgerRow.account_id.is_(None)),
    )


async def _heads(session: AsyncSession, tenants: Collection[UUID]) -> dict[UUID, tuple[int, bytes]]:
    rows = await session.execute(
        select(LedgerHead.tenant_id, LedgerHead.seq, LedgerHead.hash)
        .where(LedgerHead.tenant_id.in_(tenants))
        .with_for_update()
    )
    return {tenant_id: (seq, link) for tenant_id, seq, link in rows}


async def _keep_heads(session: AsyncSession, heads: Mapping[UUID, tuple[int, bytes]]) -> None:
    upsert = insert(LedgerHead)
    await session.execute(
        upsert.on_conflict_do_update(
            index_elements=[LedgerHead.tenant_id],
            set_={"seq": upsert.excluded.seq, "hash": upsert.excluded.hash},
        ),
        [{"tenant_id": tenant, "seq": seq, "hash": link} for tenant, (seq, link) in heads.items()],
    )


async def _write_jobs(
    session: AsyncSession,
    entries: Sequence[Row[*tuple[Any, ...]]],
    routes: Mapping[str, Sequence[str]],
    due_at: datetime,
) -> tuple[UUID, ...]:
    rows = [
        {
            "id": uuid7(),
            "tenant_id": entry.tenant_id,
            "fact_id": entry.id,
            "job": job,
            "due_at": due_at,
            "recorded_at": entry.recorded_at,
            "lane": lane_of(job, entry.subject_id, entry.body),
        }
        for entry in entries
        if entry.origin is Origin.LIVE
        for job in routes.get(entry.kind, ())
    ]
    if not rows:
        return ()
    added = await session.scalars(
        insert(Outbox)
        .on_conflict_do_nothing(index_elements=[Outbox.fact_id, Outbox.job])
        .returning(Outbox.id),
        rows,
    )
    return tuple(added)
