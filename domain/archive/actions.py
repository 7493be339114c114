"""Seal accounts: store clock facts that will hardly change as columns, month by month."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Account
from domain.archive.model import EventSegment, Sealing
from domain.archive.reads import month_rows, terms_and_calendars, touched_since
from domain.archive.rules import Chunk, packed_ids, without_unused_sites
from domain.core.base import uuid7
from domain.core.ledger import LedgerRow
from domain.promises.model import PromiseWatch

SETTLED = timedelta(days=7)
"""How long after its end a month is sealed: most of its incidents are closed by then."""
TOUCHED = 2_000
"""Number of sealed incidents with later facts from which sealing again is cheaper than reading them from rows."""


def until(at: datetime) -> datetime:
    """Return the start of the first UTC month that cannot be sealed at `at`; incidents opened before it can."""
    return (at.astimezone(UTC) - SETTLED).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


async def is_due(session: AsyncSession, account_id: UUID, *, at: datetime) -> bool:
    """Return whether a month has become complete, or too many sealed incidents have later facts."""
    head = await session.get(Sealing, account_id)
    if head is None or head.until_at < until(at):
        return True
    return len(await touched_since(session, head)) > TOUCHED


async def seal(session: AsyncSession, account_id: UUID, *, at: datetime) -> int:
    """Seal the account's complete months, and those with later facts again; return how many months were written.

    Memory is bounded by the largest month. Facts without a sequence number are left for the next call.
    """
    account = await session.get_one(Account, account_id)
    head = await session.get(Sealing, account_id, with_for_update=True, populate_existing=True)
    limit = until(at)
    upto_seq = await session.scalar(select(func.coalesce(func.max(LedgerRow.seq), 0))) or 0
    months = await _months(session, account_id, head, limit)
    base = await terms_and_calendars(session, account_id)
    for month_on in months:
        pieces = await month_rows(
            session, base.terms, account_id, month_on=month_on, upto_seq=upto_seq
        )
        await _write(session, account, month_on, pieces)
    newest = insert(Sealing).values(
        account_id=account_id,
        tenant_id=account.tenant_id,
        until_at=limit,
        upto_seq=upto_seq,
        sealed_at=at,
    )
    changed = {name: newest.excluded[name] for name in ("until_at", "upto_seq", "sealed_at")}
    await session.execute(
        newest.on_conflict_do_update(index_elements=[Sealing.account_id], set_=changed)
    )
    return len(months)


async def _months(
    session: AsyncSession, account_id: UUID, head: Sealing | None, limit: datetime
) -> list[date]:
    """Select the months to write: those that have become complete, and sealed ones whose incidents have later facts."""
    month = func.date_trunc("month", PromiseWatch.began_at, "UTC")
    query = select(month).where(
        PromiseWatch.account_id == account_id, PromiseWatch.began_at < limit
    )
    if head is not None:
        touched = await touched_since(session, head)
        query = query.where(
            (PromiseWatch.began_at >= head.until_at)
            | (PromiseWatch.unit_id == func.any(list(touched)))
        )
    found = await session.scalars(query.distinct())
    return sorted(first.astimezone(UTC).date() for first in found)


async def _write(
    session: AsyncSession, account: Account, month_on: date, pieces: Mapping[UUID, Chunk]
) -> None:
    await session.execute(
        delete(EventSegment).where(
            EventSegment.account_id == account.id, EventSegment.month_on == month_on
        )
    )
    for term_id, piece in pieces.items():
        await session.execute(
            insert(EventSegment).values(
                id=uuid7(),
                tenant_id=account.tenant_id,
                account_id=account.id,
                term_id=term_id,
                month_on=month_on,
                **packed(piece),
            )
        )


def packed(piece: Chunk) -> dict[str, int | bytes]:
    """Convert a chunk to the columns of a segment."""
    piece = without_unused_sites(piece)
    return {
        "events": piece.ts.size,
        "units": piece.counts.size,
        "ts": piece.ts.astype("<i8").tobytes(),
        "code": piece.code.tobytes(),
        "value": piece.value.astype("<f4").tobytes(),
        "counts": piece.counts.astype("<i4").tobytes(),
        "incidents": packed_ids(piece.incidents),
        "site_of": piece.site_of.astype("<i4").tobytes(),
        "sites": packed_ids(piece.sites),
    }
