"""Numbers of documents: without gaps, per company, series and year."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.invoices.model import DocumentSeries
from domain.invoices.rules import number

INVOICES, NOTES = "F", "C"


async def next_number(session: AsyncSession, tenant_id: UUID, series: str, year: int) -> str:
    """Return the next number; a rollback returns it, so there are no gaps."""
    statement = insert(DocumentSeries).values(tenant_id=tenant_id, series=series, year=year, last=1)
    n = await session.scalar(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "series", "year"], set_={"last": DocumentSeries.last + 1}
        ).returning(DocumentSeries.last)
    )
    return number(series, year, int(n or 0))
