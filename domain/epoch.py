"""Epochs of the ledger: one history from its first fact to a restore from a backup, which begins the next."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Uuid, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from domain import numbering
from domain.access import Actor
from domain.base import Base, Keyed
from domain.ledger import Fact, record

_TENANTS = text("SELECT id FROM tenant ORDER BY id").columns(id=Uuid())


class LedgerEpoch(Base, Keyed):
    """One history of this ledger; the newest row is the one that goes on."""

    __tablename__ = "ledger_epoch"

    server: Mapped[str]
    """Cluster, database and timeline of PostgreSQL: a restore changes at least one of them, but for a cold copy."""
    began_at: Mapped[datetime]
    began_after_seq: Mapped[int]
    reason: Mapped[str]


class LedgerRestored(Fact):
    """The ledger goes on from a backup: facts recorded after `goes_on_from` before the restore are not in it."""

    kind: ClassVar[str] = "ledger.restored"

    epoch: UUID
    epoch_before: UUID
    goes_on_from: datetime | None
    """When the last fact that is left was recorded."""
    reason: str


async def current(session: AsyncSession) -> LedgerEpoch | None:
    """The epoch that goes on; None before the first relay ran."""
    found: LedgerEpoch | None = await session.scalar(
        select(LedgerEpoch).order_by(LedgerEpoch.began_at.desc(), LedgerEpoch.id.desc()).limit(1)
    )
    return found


async def ensure(session: AsyncSession, *, at: datetime) -> LedgerEpoch:
    """Begin an epoch when there is none, or when PostgreSQL is another one than the epoch began on."""
    server = await _server(session)
    known = await current(session)
    if known is None:
        return await _add(session, server, "first start", at)
    if known.server == server:
        return known
    return await begin(session, reason="another PostgreSQL than before: a restored backup", at=at)


async def begin(session: AsyncSession, *, reason: str, at: datetime) -> LedgerEpoch:
    """Begin a new epoch and record it for every company."""
    before = await current(session)
    epoch = await _add(session, await _server(session), reason, at)
    if before is None:
        return epoch
    last = await numbering.last_recorded_at(session)
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
        record(session, Actor.system(tenant_id, "relay"), restored)
    return epoch


async def _add(session: AsyncSession, server: str, reason: str, at: datetime) -> LedgerEpoch:
    epoch = LedgerEpoch(
        server=server,
        began_at=at,
        began_after_seq=await numbering.head(session),
        reason=reason,
    )
    session.add(epoch)
    await session.flush()
    return epoch


async def _server(session: AsyncSession) -> str:
    timeline = await session.scalar(text("SELECT timeline_id FROM pg_control_checkpoint()"))
    return f"{await numbering.ledger_name(session)}-{timeline}"
