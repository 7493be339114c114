"""Find runs that can go on or end by themselves: tasks whose turn it is, and runs whose tasks are all finished."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.access import Actor, Tx
from domain.agreements.model import Agreement
from domain.commitments.model import Commitment
from domain.core.deferral import Subject, is_deferred
from domain.health import BANDS, AccountHealth, EarlyWarning, HealthBand
from domain.playbooks.model import Playbook, PlaybookRun, PlaybookTask, PlaybookTrigger, PlayOutcome
from domain.playbooks.opening import begin_tasks, close_run, is_finished, load_tasks

PART = "playbooks"
LONGEST = timedelta(days=365)
"""How long a run may be open."""
PATIENCE = timedelta(days=30)
"""How long after its last task a run waits for its trigger to end."""


async def run_of_commitment(session: AsyncSession, commitment_id: UUID) -> UUID | None:
    """Return the run that a commitment is a task of; None for other commitments."""
    query = select(PlaybookTask.run_id).where(PlaybookTask.commitment_id == commitment_id)
    return (await session.scalars(query)).first()


async def runs_due(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select open runs with a task whose turn it is, without unfinished tasks, or open for too long."""
    run, task = PlaybookRun, PlaybookTask
    before, made, own = aliased(PlaybookTask), aliased(Commitment), aliased(Commitment)
    unfinished = or_(
        before.commitment_id.is_(None), and_(made.done_at.is_(None), made.withdrawn_at.is_(None))
    )
    blocked = exists(
        select(before.id)
        .outerjoin(made, made.id == before.commitment_id)
        .where(before.run_id == task.run_id, before.key == func.any(task.depends_on), unfinished)
    )
    has_turn = exists(
        select(task.id).where(task.run_id == run.id, task.commitment_id.is_(None), ~blocked)
    )
    has_open = exists(
        select(task.id)
        .outerjoin(own, own.id == task.commitment_id)
        .where(
            task.run_id == run.id,
            or_(
                task.commitment_id.is_(None),
                and_(own.done_at.is_(None), own.withdrawn_at.is_(None)),
            ),
        )
    )
    found = await session.execute(
        select(run.tenant_id, run.id)
        .where(
            run.closed_at.is_(None),
            or_(has_turn, ~has_open, run.opened_at <= at - LONGEST),
            ~is_deferred(PART, run.id, at=at),
        )
        .order_by(run.opened_at, run.id)
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def settle_run(session: AsyncSession, run_id: UUID, *, at: datetime) -> PlaybookRun | None:
    """Begin the tasks whose turn it is, and close the run at its end; None if another worker has it."""
    run = await session.scalar(
        select(PlaybookRun)
        .where(PlaybookRun.id == run_id, PlaybookRun.closed_at.is_(None))
        .with_for_update(skip_locked=True)
    )
    if run is None:
        return None
    tx = Tx(session, Actor.system(run.tenant_id, PART), at)
    await begin_tasks(tx, run.id)
    outcome = await _outcome(tx, run)
    if outcome is not None:
        await close_run(tx, run, outcome)
    return run


async def _outcome(tx: Tx, run: PlaybookRun) -> PlayOutcome | None:
    """Return the outcome of a run that has come to its end; None while it goes on."""
    if await _has_left(tx, run):
        return PlayOutcome.CLIENT_LEFT
    made = [each for _task, each in await load_tasks(tx.session, run.id)]
    if all(is_finished(each) for each in made):
        if not await _holds(tx.session, run):
            return PlayOutcome.RESOLVED
        last = max(
            (each.done_at or each.withdrawn_at or run.opened_at for each in made if each),
            default=run.opened_at,
        )
        if last <= tx.at - PATIENCE:
            return PlayOutcome.UNCHANGED
    return PlayOutcome.EXPIRED if run.opened_at <= tx.at - LONGEST else None


async def _has_left(tx: Tx, run: PlaybookRun) -> bool:
    """Return whether every agreement of the account has ended since the run was opened."""
    ends = list(
        await tx.session.scalars(
            select(Agreement.ended_at).where(Agreement.account_id == run.account_id)
        )
    )
    return bool(ends) and all(each is not None and run.opened_at < each <= tx.at for each in ends)


async def _holds(session: AsyncSession, run: PlaybookRun) -> bool:
    """Return whether what opened the run still holds; a date or a KPI is over when the tasks are."""
    playbook = await session.get_one(Playbook, run.playbook_id)
    if playbook.trigger_kind is PlaybookTrigger.WARNING:
        query = select(EarlyWarning.id).where(
            EarlyWarning.account_id == run.account_id,
            EarlyWarning.rule == playbook.trigger_value,
            EarlyWarning.cleared_at.is_(None),
        )
        return await session.scalar(query) is not None
    if playbook.trigger_kind is PlaybookTrigger.BAND:
        band = await session.scalar(
            select(AccountHealth.band).where(AccountHealth.account_id == run.account_id)
        )
        return band is not None and band <= BANDS.index(HealthBand(playbook.trigger_value)) + 1
    return False
