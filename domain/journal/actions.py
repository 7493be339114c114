"""Post journal entries. There is no other change of the journal."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor
from domain.core.base import uuid7
from domain.journal.model import Book, JournalEntry, JournalKind, JournalLine


async def post(
    session: AsyncSession,
    actor: Actor,
    *,
    account_id: UUID,
    agreement_id: UUID,
    subject_id: UUID,
    n: int,
    kind: JournalKind,
    lines: Mapping[Book, int],
    currency: str,
    reason: str,
    at: datetime,
) -> JournalEntry:
    """Write one entry with its lines (cents, debit positive); books without a movement are left out.

    The `n`-th entry about a subject is written once: its unique key fails the second. An entry that does not balance
    fails at commit.
    """
    owned = {"tenant_id": actor.tenant_id, "account_id": account_id}
    entry = JournalEntry(
        id=uuid7(),
        **owned,
        agreement_id=agreement_id,
        subject_id=subject_id,
        n=n,
        kind=kind,
        reason=reason,
        at=at,
        actor=actor.subject,
    )
    session.add(entry)
    await session.flush()
    session.add_all(
        JournalLine(**owned, entry_id=entry.id, book=book, amount_cents=cents, currency=currency)
        for book, cents in lines.items()
        if cents
    )
    await session.flush()
    return entry
