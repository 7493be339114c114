"""Ledger epochs: an epoch lasts until the ledger is restored from a backup, which begins the next one."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Uuid, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from domain.core import sequencing
from domain.core.base import Base, Keyed
from domain.core.high_water import HighWater
from domain.core.ledger import Fact, LedgerRow, SystemRecorder, record

_TENANTS = text("SELECT id FROM tenant ORDER BY id").columns(id=Uuid())


class LedgerEpoch(Base, Keyed):
    """One epoch of this ledger; the newest row is the current one."""

    __tablename__ = "ledger_epoch"

    server: Mapped[str]
    """Cluster, database and timeline of PostgreSQL. A restore changes at least one of them, except a cold copy.

    A cold copy is detected with the note in the data directory (`domain/core/high_water.py`).
    """
    began_at: Mapped[datetime]
    began_after_seq: Mapped[int]
    reason: Mapped[str]


class LedgerRestored(Fact):
    """The ledger was restored from a backup: facts recorded after `goes_on_from` before the restore are missing."""

    kind: ClassVar[str] = "ledger.restored"
    subject_type: ClassVar[str | None] = "Tenant"

    epoch: UUID
    epoch_before: UUID
    goes_on_from: datetime | None
    """Recording time of the last fact that remains."""
    reason: str


async def current(session: AsyncSession) -> LedgerEpoch | None:
    """Return the current epoch; None before the first relay ran."""
    found: LedgerEpoch | None = await session.scalar(
        select(LedgerEpoch).order_by(LedgerEpoch.began_at.desc(), LedgerEpoch.id.desc()).limit(1)
    )
    return found


async def ensure(
    session: AsyncSession, *, at: datetime, noted: HighWater | None = None
) -> LedgerEpoch:
    """Begin an epoch when there is none, or when PostgreSQL was restored.

    A restore is detected when the server identity differs from that of the epoch, or when the ledger lacks the fact
    that was `noted` outside the database.
    """
    server = await _server(session)
    known = await current(session)
    if known is None:
        return await _add(session, server, "first start", at)
    if known.server != server:
        reason = "another PostgreSQL than before: a restored backup"
    elif noted is not None and await _lacks(session, noted, known):
        reason = f"fact {noted.seq} was numbered here and is gone: a restored copy"
    else:
        return known
    return await begin(session, reason=reason, at=at)


async def high_water(session: AsyncSession) -> HighWater | None:
    """Return the last numbered fact, to be noted outside the database; None when there is none."""
    known = await current(session)
    last = (
        await session.execute(
            select(LedgerRow.seq, LedgerRow.hash)
            .where(LedgerRow.seq.is_not(None))
            .order_by(LedgerRow.seq.desc())
            .limit(1)
        )
    ).first()
    if known is None or last is None:
        return None
    name = await sequencing.ledger_name(session)
    return HighWater(ledger=name, epoch=known.id, seq=last.seq, hash=last.hash.hex())


async def _lacks(session: AsyncSession, noted: HighWater, known: LedgerEpoch) -> bool:
    """Return whether the ledger lacks the noted fact although it is the same ledger.

    A note from an epoch that has ended is ignored.
    """
    if noted.ledger != await sequencing.ledger_name(session):
        return False
    if noted.epoch != known.id and await session.get(LedgerEpoch, noted.epoch) is not None:
        return False
    found = await session.scalar(select(LedgerRow.hash).where(LedgerRow.seq == noted.seq))
    return found is None or found.hex() != noted.hash


async def begin(session: AsyncSession, *, reason: str, at: datetime) -> LedgerEpoch:
    """Begin a new epoch and record it for every company."""
    before = await current(session)
    epoch = await _add(session, await _server(session), reason, at)
    if before is None:
        return epoch
    last = await sequencing.last_recorded_at(session)
    for tenant_id in await session.scalars(_TENANTS):
        restored = LedgerRestored(
            account_id=None,
            subject_id=tenant_id,
            at=at,
            epoch=epoch.id,
            epoch_before=before.id,
            goes_on_from=last,
            reason=reason,
        )
        record(session, SystemRecorder(tenant_id, "system:relay"), restored)
    return epoch


async def _add(session: AsyncSession, server: str, reason: str, at: datetime) -> LedgerEpoch:
    epoch = LedgerEpoch(
        server=server,
        began_at=at,
        began_after_seq=await sequencing.last_seq(session),
        reason=reason,
    )
    session.add(epoch)
    await session.flush()
    return epoch


async def _server(session: AsyncSession) -> str:
    timeline = await session.scalar(text("SELECT timeline_id FROM pg_control_checkpoint()"))
    return f"{await sequencing.ledger_name(session)}-{timeline}"
