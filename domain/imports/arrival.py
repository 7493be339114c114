"""Progress of workers after an import: facts numbered, accounts measured."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Origin
from domain.core.ledger import LedgerRow
from domain.imports.timestamps import FIRST
from domain.quality import Look

_LIVE: ColumnElement[Origin] = literal_column("'live'")


@dataclass(frozen=True, slots=True)
class Remaining:
    """What workers still have to do about a company's imports."""

    facts: int  # facts without a number
    accounts: int  # accounts to measure

    @property
    def is_nothing(self) -> bool:
        """Return whether nothing is left."""
        return not (self.facts or self.accounts)


async def left(session: AsyncSession, tenant_id: UUID) -> Remaining:
    """Count what is left of everything that was imported for a company."""
    facts = select(func.count()).where(
        LedgerRow.tenant_id == tenant_id, LedgerRow.seq.is_(None), LedgerRow.origin != _LIVE
    )
    accounts = select(func.count()).where(Look.tenant_id == tenant_id, Look.dirty_from_at == FIRST)
    return Remaining(await session.scalar(facts) or 0, await session.scalar(accounts) or 0)
