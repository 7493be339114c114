"""Jobs and periodic work of the rules by which the system opens incidents."""

from datetime import UTC, datetime

from domain import watch_rules
from domain.core.db import transaction
from workers.jobs import JobContext, Reschedule
from workers.periodic import WorkContext


async def open_for_no_show(context: JobContext) -> None:
    """Open an incident for a no-show."""
    await watch_rules.follow_no_show(context.tx, context.fact)


async def open_for_round(context: JobContext) -> None:
    """Open an incident for a round with missed points."""
    await watch_rules.follow_round(context.tx, context.fact)


async def open_for_silence(context: JobContext) -> None:
    """Open an incident for a silence, once it has lasted for long enough."""
    counts_at = await watch_rules.silence_counts_at(context.tx, context.fact)
    if counts_at is None:
        return
    if counts_at > context.tx.at:
        raise Reschedule(counts_at, "the silence may end before", lets_pass=True)
    await watch_rules.follow_silence(context.tx, context.fact)


async def watch_qualifications(work: WorkContext, limit: int) -> int:
    """Open incidents for planned shifts whose guards will not be qualified."""
    async with transaction(work.make) as session:
        return await watch_rules.open_expiring(session, at=datetime.now(UTC), limit=limit)
