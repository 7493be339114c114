"""The hash chain of a company, walked from the first fact to the head, and where it breaks."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.ledger import GENESIS, LedgerHead, LedgerRow, chain

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain that was walked: how many facts held, and at which `seq` it broke and why, if it did."""

    facts: int
    broken_at: int | None = None
    reason: str | None = None

    @property
    def holds(self) -> bool:
        """Whether every link held."""
        return self.broken_at is None


async def verify_chain(session: AsyncSession, tenant_id: UUID) -> Chain:
    """Recompute every link: an edit, a removal, a swap or an insertion breaks it, a cut-off end misses the head.

    Run it in one REPEATABLE READ transaction while the relay works, or the head moves on during the walk. Somebody
    who rewrites all links and the head too is found only by comparing with a head that was kept elsewhere.
    """
    last = await session.scalar(select(LedgerHead).where(LedgerHead.tenant_id == tenant_id))
    link, seq, facts = GENESIS, 0, 0
    while True:
        page = list(
            await session.scalars(
                select(LedgerRow)
                .where(LedgerRow.tenant_id == tenant_id, LedgerRow.seq > seq)
                .order_by(LedgerRow.seq)
                .limit(PAGE)
            )
        )
        for entry in page:
            expected = chain(link, entry.seq, entry)
            if entry.seq is None or entry.hash != expected:
                return Chain(facts, entry.seq, "the fact or one before it is not what was linked")
            link, seq, facts = expected, entry.seq, facts + 1
        session.expunge_all()
        if len(page) < PAGE:
            break
    kept = (last.seq, last.hash) if last is not None else (0, GENESIS)
    if kept != (seq, link):
        return Chain(facts, seq + 1, f"the chain ends at {seq}, its head says {kept[0]}")
    return Chain(facts)
