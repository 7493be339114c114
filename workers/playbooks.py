"""Playbooks: open them for bands, warnings, dates and KPIs, once each, and see their runs to an end."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain import playbooks
from domain.core.db import Sessions
from domain.core.deferral import Subject
from workers.jobs import JobContext
from workers.periodic import WorkContext, attempt_each


async def open_playbook(job: JobContext) -> None:
    """Open the playbook of the band or warning that the fact is about."""
    fact = job.fact
    if fact.account_id is None:
        return
    trigger = playbooks.TriggerFact(fact.seq, fact.kind, fact.account_id, fact.body)
    await playbooks.open_for_fact(job.tx, trigger)


async def continue_playbook(job: JobContext) -> None:
    """Begin the tasks that waited for the commitment, if it is one of a playbook."""
    run_id = await playbooks.run_of_commitment(job.session, job.fact.subject_id)
    if run_id is not None:
        await playbooks.begin_tasks(job.tx, run_id)


async def watch_playbooks(work: WorkContext, limit: int) -> int:
    """Open playbooks whose date or KPI calls for it, and see runs to an end."""
    return await look_at_playbooks(work.make, at=datetime.now(UTC), limit=limit)


async def look_at_playbooks(make: Sessions, *, at: datetime, limit: int = 100) -> int:
    """Look at what is due, each playbook and each run in its own transaction; return how many there were."""
    async with make() as session:
        due = await playbooks.playbooks_due(session, at=at, limit=limit)
        runs = await playbooks.runs_due(session, at=at, limit=limit)

    async def search(session: AsyncSession, subject: Subject) -> None:
        await playbooks.open_due(session, subject.id, at=at)

    async def settle(session: AsyncSession, subject: Subject) -> None:
        await playbooks.settle_run(session, subject.id, at=at)

    await attempt_each(make, "playbooks", due, search)
    await attempt_each(make, "playbooks", runs, settle)
    return max(len(due), len(runs))
