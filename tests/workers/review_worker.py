"""A worker process that reads the sources of one company and sends its replies, as of each time that it is given.

python -m tests.workers.review_worker DATABASE_URL TENANT_ID

A line of its input is a time; it answers `done` when the work of that time is over. It may be killed at any moment.
"""

import asyncio
import sys
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from domain.core.db import connect, sessions
from domain.core.deferral import Subject
from domain.replies import DueReply, ReviewReply
from domain.reputation import ReviewSource
from tests.reviewing import VAULT
from workers.outbound.review_http import ReviewHttp
from workers.replies import send_claimed
from workers.reviews import ReviewReading, read_source


async def serve(url: str, tenant_id: UUID) -> None:
    """Work for each time on the input until it ends."""
    engine, http = connect(url), ReviewHttp(loopback=True)
    reading = ReviewReading(sessions(engine), VAULT, http)
    while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
        await work(reading, tenant_id, datetime.fromisoformat(line))
        sys.stdout.write("done\n")
        sys.stdout.flush()
    await http.close()
    await engine.dispose()


async def work(reading: ReviewReading, tenant_id: UUID, at: datetime) -> None:
    """Read every source at once, then send what is to be sent, as the periodic parts of a worker do."""
    async with reading.make() as session:
        sources = list(
            await session.scalars(
                select(ReviewSource.id).where(ReviewSource.tenant_id == tenant_id)
            )
        )
    await asyncio.gather(
        *(read_source(reading, Subject(tenant_id, each), at=at) for each in sources)
    )
    async with reading.make() as session:
        rows = await session.scalars(
            select(ReviewReply).where(
                ReviewReply.tenant_id == tenant_id, ReviewReply.next_try_at.is_not(None)
            )
        )
        due = [DueReply(Subject(row.tenant_id, row.id), row.source_id) for row in rows]
    await send_claimed(reading, due)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], UUID(sys.argv[2])))
