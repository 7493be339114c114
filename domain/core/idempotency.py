"""Idempotency keys: the same key with the same payload returns the same response and has one effect."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import JSON, Base
from domain.core.errors import Code, Refused


class StoredResponse(Base):
    """Response of a mutation under a key: the payload's hash, and the resulting row or refusal."""

    __tablename__ = "idempotency"
    __table_args__ = (Index(None, "answered_at"),)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    payload_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    answer: Mapped[JSON]
    answered_at: Mapped[datetime]


RETENTION = timedelta(hours=24)


async def claim(
    session: AsyncSession, tenant_id: UUID, key: str, payload_sha256: bytes, *, at: datetime
) -> JSON | None:
    """Return the stored response of `key`, or None when the caller now owns the key and must `keep` a response.

    A second request with the key waits on the unique index until the first commits or rolls back, so the effect happens
    once. Refuses a key that was used for another payload. A key can be reused after 24 hours.
    """
    fresh = insert(StoredResponse).values(
        tenant_id=tenant_id, key=key, payload_sha256=payload_sha256, answer={}, answered_at=at
    )
    mine = await session.scalar(
        fresh.on_conflict_do_update(
            index_elements=[StoredResponse.tenant_id, StoredResponse.key],
            set_={
                "payload_sha256": fresh.excluded.payload_sha256,
                "answer": fresh.excluded.answer,
                "answered_at": fresh.excluded.answered_at,
            },
            where=StoredResponse.answered_at < at - RETENTION,
        ).returning(StoredResponse.key)
    )
    if mine is not None:
        return None
    earlier = (
        await session.scalars(
            select(StoredResponse).where(
                StoredResponse.tenant_id == tenant_id, StoredResponse.key == key
            )
        )
    ).one()
    if earlier.payload_sha256 != payload_sha256:
        raise Refused(
            Code.IDEMPOTENCY_KEY_REUSED,
            "This key was used for another request; use a new one.",
            argument="idempotencyKey",
        )
    return earlier.answer


async def store_response(session: AsyncSession, tenant_id: UUID, key: str, answer: JSON) -> None:
    """Store the response given under a claimed key."""
    await session.execute(
        update(StoredResponse)
        .where(StoredResponse.tenant_id == tenant_id, StoredResponse.key == key)
        .values(answer=answer)
    )


async def delete_expired(session: AsyncSession, *, at: datetime, limit: int = 1000) -> int:
    """Delete expired responses; return how many, so that the caller knows whether to continue."""
    old = (
        select(StoredResponse.tenant_id, StoredResponse.key)
        .where(StoredResponse.answered_at < at - RETENTION)
        .limit(limit)
    )
    gone = await session.execute(
        delete(StoredResponse)
        .where(tuple_(StoredResponse.tenant_id, StoredResponse.key).in_(old))
        .returning(StoredResponse.key)
    )
    return len(gone.all())
