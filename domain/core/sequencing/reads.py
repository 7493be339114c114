"""Reads of the sequenced ledger: its name, its end, its facts in order, and its lag."""

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.cursor import LedgerPosition
from domain.core.db import driver_of
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.core.sequencing import statements
from domain.core.sequencing.model import COLUMNS, Lag, SequencedEvent, link_of

_READ_COLUMNS = (*(getattr(LedgerRow, name) for name in COLUMNS), LedgerRow.hash)
_decode = msgspec.json.Decoder(list[SequencedEvent]).decode
_HIGHEST = 2**63 - 1


async def link_at(session: AsyncSession, seq: int) -> int | None:
    """Return the hash part that a cursor at `seq` keeps; None where there is no fact. `session` sees every company."""
    return link_of(await session.scalar(select(LedgerRow.hash).where(LedgerRow.seq == seq)))


async def check_cursor(session: AsyncSession, at: LedgerPosition, *, argument: str) -> int:
    """Return the `seq` of a cursor; refuse it when the ledger is shorter, or has another fact there.

    A different fact means that the ledger was restored from a backup after the cursor was issued and has grown past it
    since. Continuing from the cursor would silently skip the facts in between. `session` sees every company.
    """
    last = await last_seq(session)
    if 0 <= at.seq <= last:
        found = await session.scalar(select(LedgerRow.hash).where(LedgerRow.seq == at.seq))
        if at.link is None or found is None or link_of(found) == at.link:
            return at.seq
    elif at.link is None:
        raise Refused(
            Code.CURSOR_INVALID,
            "The ledger has no fact at this cursor. Read the ledger from its beginning.",
            argument=argument,
        )
    raise Refused(
        Code.LEDGER_RESTORED,
        "The ledger was restored from a backup after this cursor was given: what you have may not have happened. "
        "Read the ledger from its beginning, or from the last fact whose hash is still the same.",
        argument=argument,
    )


async def ledger_name(session: AsyncSession) -> str:
    """Return a name that is unique to this database in this cluster.

    Keys in Redis contain it, so that two databases on one Redis, or one that was recreated, never read each other's
    data.
    """
    name = await session.scalar(
        text(
            "SELECT to_hex(system_identifier) || '-' || d.oid"
            " FROM pg_control_system(), pg_database d WHERE d.datname = current_database()"
        )
    )
    return str(name)


async def last_seq(session: AsyncSession) -> int:
    """Return the highest sequence number; 0 in an empty ledger."""
    return await session.scalar(select(func.coalesce(func.max(LedgerRow.seq), 0))) or 0


async def last_recorded_at(session: AsyncSession) -> datetime | None:
    """Return when the last numbered fact was recorded; None in an empty ledger."""
    recorded_at: datetime | None = await session.scalar(
        select(LedgerRow.recorded_at)
        .where(LedgerRow.seq.is_not(None))
        .order_by(LedgerRow.seq.desc())
        .limit(1)
    )
    return recorded_at


async def read(
    session: AsyncSession,
    *conditions: ColumnElement[bool],
    after: int,
    upto: int | None = None,
    limit: int = 500,
) -> list[SequencedEvent]:
    """Read at most `limit` facts with `after` < seq ≤ `upto`, in order; the caller passes the scope as conditions."""
    if not conditions:
        return await _consecutive(session, after, _HIGHEST if upto is None else upto, limit)
    query = select(*_READ_COLUMNS).where(LedgerRow.seq > after, *conditions)
    if upto is not None:
        query = query.where(LedgerRow.seq <= upto)
    rows = await session.execute(query.order_by(LedgerRow.seq).limit(limit))
    return [SequencedEvent(*(*values, link_of(fact_hash))) for *values, fact_hash in rows]


async def _consecutive(
    session: AsyncSession, after: int, upto: int, limit: int
) -> list[SequencedEvent]:
    """Read facts of all scopes as JSON: converting rows is most of what a relay would spend on them."""
    driver = await driver_of(session)
    return _decode(await driver.fetchval(statements.CONSECUTIVE, after, upto, limit))


async def fact(session: AsyncSession, fact_id: int) -> SequencedEvent:
    """Return one numbered fact by its ledger id, which the outbox refers to."""
    return SequencedEvent.of(
        (await session.scalars(select(LedgerRow).where(LedgerRow.id == fact_id))).one()
    )


async def lag(session: AsyncSession) -> Lag:
    """Return the number and age of the facts that have no sequence number yet."""
    facts, oldest_at = (
        await session.execute(
            select(func.count(), func.min(LedgerRow.recorded_at)).where(LedgerRow.seq.is_(None))
        )
    ).one()
    return Lag(facts, oldest_at)
