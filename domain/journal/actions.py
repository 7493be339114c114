"""Post journal entries. There is no other change of the journal."""

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from domain.access import Tx
from domain.core.base import uuid7
from domain.journal.model import Book, JournalEntry, JournalKind, JournalLine


class UnderAgreement(Protocol):
    """What names the agreement that money moves under, such as an invoice."""

    @property
    def account_id(self) -> UUID:
        """The client."""

    @property
    def agreement_id(self) -> UUID:
        """The agreement."""

    @property
    def currency(self) -> str:
        """ISO 4217 code of the amounts."""


async def post(
    tx: Tx,
    *,
    on: UnderAgreement,
    subject_id: UUID,
    n: int = 1,
    kind: JournalKind,
    lines: Mapping[Book, int],
    reason: str,
) -> JournalEntry:
    """Write one entry on an invoice, a note or a credit; lines are in cents, debit positive, and not empty.

    The `n`-th entry about a subject is written once: its unique key fails the second. An entry that does not balance
    fails at commit.
    """
    owned = {"tenant_id": tx.actor.tenant_id, "account_id": on.account_id}
    entry = JournalEntry(
        id=uuid7(),
        **owned,
        agreement_id=on.agreement_id,
        subject_id=subject_id,
        n=n,
        kind=kind,
        reason=reason,
        at=tx.at,
        actor=tx.actor.subject,
    )
    tx.session.add(entry)
    await tx.session.flush()
    tx.session.add_all(
        JournalLine(**owned, entry_id=entry.id, book=book, amount_cents=cents, currency=on.currency)
        for book, cents in lines.items()
        if cents
    )
    await tx.session.flush()
    return entry
