"""Numbering: committed facts get their place in the ledger (`seq`), their link in the chain, their consequences.

`seq` is dense: 1, 2, 3 … over all tenants, given in one transaction at a time by one relay. So a reader that knows
`n` and is shown `n + 2` knows that it lacks exactly one fact.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    LargeBinary,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, load_only

from domain.access import Origin
from domain.base import JSON, uuid7
from domain.cursor import Position
from domain.errors import Code, Refused
from domain.lanes import lane_of
from domain.ledger import GENESIS, Entry, LedgerHead, chain
from domain.outbox import Outbox


class Numbered(msgspec.Struct, frozen=True, array_like=True):
    """A fact with its place in the ledger, as it travels to readers; order of fields = order on the wire."""

    seq: int
    tenant_id: UUID
    account_id: UUID | None
    kind: str
    subject_id: UUID
    at: datetime
    recorded_at: datetime
    origin: Origin
    actor: str
    body: JSON
    trace_id: str | None = None
    link: int | None = None
    """What a cursor keeps of the fact's hash, see `link_of`."""

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """The row, ready to travel; the row must have its number."""
        if entry.seq is None:
            raise ValueError(f"fact {entry.id} has no number yet")
        values: dict[str, Any] = {name: getattr(entry, name) for name in _COLUMNS}
        return cls(**values | {"link": link_of(entry.hash)})


_COLUMNS = tuple(name for name in Numbered.__struct_fields__ if name != "link")
_TRAVELS = load_only(*(getattr(Entry, name) for name in _COLUMNS), Entry.hash)


def link_of(fact_hash: bytes | None) -> int | None:
    """The first six bytes of a fact's hash as a number: with its `seq` they name one fact of one history."""
    return None if fact_hash is None else int.from_bytes(fact_hash[:6], "big")


async def link_at(session: AsyncSession, seq: int) -> int | None:
    """What a cursor at `seq` keeps; None where no fact stands. `session` sees every company."""
    return link_of(await session.scalar(select(Entry.hash).where(Entry.seq == seq)))


async def check_cursor(session: AsyncSession, at: Position, *, argument: str) -> int:
    """Return the `seq` of a cursor; refuse it when the ledger has not come that far, or has another fact there.

    The latter means that the ledger was restored from a backup after the cursor was given and has grown past it
    since. Going on from it would skip the facts in between without a word. `session` sees every company.
    """
    last = await head(session)
    if 0 <= at.seq <= last:
        found = await session.scalar(select(Entry.hash).where(Entry.seq == at.seq))
        if at.link is None or found is None or link_of(found) == at.link:
            return at.seq
    elif at.link is None:
        raise Refused(Code.CURSOR_INVALID, "The ledger has no such place.", argument=argument)
    raise Refused(
        Code.LEDGER_RESTORED,
        "The ledger was restored from a backup after this cursor was given: what you have may not have happened. "
        "Read the ledger from its beginning, or from the last fact whose hash is still the same.",
        argument=argument,
    )


async def ledger_name(session: AsyncSession) -> str:
    """A name no other ledger has: of this cluster and this database in it.

    Keys in Redis carry it, so that two databases on one Redis, or one that was made anew, never read each other's.
    """
    name = await session.scalar(
        text(
            "SELECT to_hex(system_identifier) || '-' || d.oid"
            " FROM pg_control_system(), pg_database d WHERE d.datname = current_database()"
        )
    )
    return str(name)


async def head(session: AsyncSession) -> int:
    """The highest number given so far; 0 in an empty ledger."""
    return await session.scalar(select(func.coalesce(func.max(Entry.seq), 0))) or 0


async def last_recorded_at(session: AsyncSession) -> datetime | None:
    """When the last numbered fact was recorded; None in an empty ledger."""
    recorded_at: datetime | None = await session.scalar(
        select(Entry.recorded_at).where(Entry.seq.is_not(None)).order_by(Entry.seq.desc()).limit(1)
    )
    return recorded_at


async def read(
    session: AsyncSession,
    *conditions: ColumnElement[bool],
    after: int,
    upto: int | None = None,
    limit: int = 500,
) -> list[Numbered]:
    """At most `limit` numbered facts with `after` < seq ≤ `upto`, in order; the caller brings the fence."""
    query = select(Entry).options(_TRAVELS).where(Entry.seq > after, *conditions)
    if upto is not None:
        query = query.where(Entry.seq <= upto)
    rows = await session.scalars(query.order_by(Entry.seq).limit(limit))
    return [Numbered.of(row) for row in rows]


async def fact(session: AsyncSession, fact_id: int) -> Numbered:
    """One numbered fact by its id, as the outbox names it."""
    return Numbered.of((await session.scalars(select(Entry).where(Entry.id == fact_id))).one())


@dataclass(frozen=True, slots=True)
class Batch:
    """What one round of numbering did: how many facts, up to which number, and the outbox rows it made."""

    facts: int
    seq: int
    outbox: tuple[UUID, ...]


_PLACE = text(
    "UPDATE ledger SET seq = placed.seq, hash = placed.hash"
    " FROM unnest(:ids, :seqs, :hashes) AS placed(id, seq, hash) WHERE ledger.id = placed.id"
).bindparams(
    bindparam("ids", type_=ARRAY(BigInteger)),
    bindparam("seqs", type_=ARRAY(BigInteger)),
    bindparam("hashes", type_=ARRAY(LargeBinary)),
)


async def number(
    session: AsyncSession,
    *,
    routes: Mapping[str, Sequence[str]],
    due_at: datetime,
    limit: int = 1000,
) -> Batch:
    """Number the oldest unnumbered facts, link them, and write down their consequences; the caller commits.

    When more wait than `limit`, live facts go before history, so that what happens now does not queue behind an
    import; but not before older facts of their own account, whose order is kept.

    `routes` says which jobs follow from a kind of fact; history has no consequences. Only the relay's leader calls
    this, on the connection that holds the leader's lock. The numbers are unique in the table too, so that a second
    caller fails instead of numbering twice.
    """
    entries = await _next(session, limit)
    # A tenant's head may remember more than the ledger shows, after somebody cut off its end: no number comes twice.
    seq = max(await head(session), await session.scalar(select(func.max(LedgerHead.seq))) or 0)
    if not entries:
        return Batch(0, seq, ())
    heads = await _heads(session, {entry.tenant_id for entry in entries})
    placed: list[tuple[int, int, bytes]] = []
    for entry in entries:
        seq += 1
        with session.no_autoflush:
            entry.seq = seq
            entry.hash = chain(heads.get(entry.tenant_id, (0, GENESIS))[1], entry)
        heads[entry.tenant_id] = (seq, entry.hash)
        placed.append((entry.id, seq, entry.hash))
    session.expunge_all()  # one statement writes what the unit of work would write row by row
    ids, seqs, hashes = zip(*placed, strict=True)
    await session.execute(_PLACE, {"ids": ids, "seqs": seqs, "hashes": hashes})
    await _keep_heads(session, heads)
    return Batch(len(entries), seq, await _consequences(session, entries, routes, due_at))


_LIVE: ColumnElement[Origin] = literal_column("'live'")


async def _next(session: AsyncSession, limit: int) -> list[Entry]:
    """The facts to number now, in order."""
    waiting = select(Entry).where(Entry.seq.is_(None)).order_by(Entry.id).limit(limit)
    oldest = list(await session.scalars(waiting))
    if len(oldest) < limit or all(entry.origin is Origin.LIVE for entry in oldest):
        return oldest
    # Indexes of their own find the live facts behind an import's; they need the literal, a parameter does not fit.
    past = aliased(Entry)
    live = await session.scalars(
        waiting.where(
            Entry.origin == _LIVE,
            ~exists().where(
                past.seq.is_(None),
                past.origin != _LIVE,
                past.tenant_id == Entry.tenant_id,
                past.account_id.is_not_distinct_from(Entry.account_id),
            ),
        )
    )
    first = {entry.id: entry for entry in live}
    return [*first.values(), *(each for each in oldest if each.id not in first)][:limit]


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


async def _consequences(
    session: AsyncSession,
    entries: Sequence[Entry],
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


@dataclass(frozen=True, slots=True)
class Lag:
    """How far numbering is behind: facts without a number, and since when the oldest of them waits."""

    facts: int
    oldest_at: datetime | None


async def lag(session: AsyncSession) -> Lag:
    """What the relay has not numbered yet."""
    facts, oldest_at = (
        await session.execute(
            select(func.count(), func.min(Entry.recorded_at)).where(Entry.seq.is_(None))
        )
    ).one()
    return Lag(facts, oldest_at)
