"""Check that PostgreSQL can write: a full disk, a standby and a read-only server still answer reads."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_PROBE = (
    # A new table needs a new block on disk. A write into free space of an old one would succeed on a full disk.
    text("CREATE TEMPORARY TABLE write_probe (filler text) ON COMMIT DROP"),
    text("INSERT INTO write_probe VALUES (repeat('x', 2000))"),
    text("SELECT pg_logical_emit_message(true, 'waarborg', 'write probe')"),
)


async def probe_write(session: AsyncSession) -> None:
    """Write a block and a WAL record and commit them; raises the driver's error when PostgreSQL cannot write."""
    async with session.begin():
        for statement in _PROBE:
            await session.execute(statement)
