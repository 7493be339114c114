"""Open runs once, turn their tasks into commitments as the tasks before them are finished, and close runs."""

from collections.abc import Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain import account_teams, commitments
from domain.access import Tx
from domain.accounts.model import Account
from domain.commitments.model import Commitment, CommitmentKind
from domain.core.base import uuid7
from domain.core.errors import naming_only
from domain.playbooks.events import (
    PlaybookRunClosed,
    PlaybookRunOpened,
    PlaybookTaskBegun,
    PlaybookTaskUnowned,
)
from domain.playbooks.model import Playbook, PlaybookRun, PlaybookTask, PlayOutcome
from domain.playbooks.rules import TaskTemplate, due_at

WITHDRAWN = "The run of the playbook is closed."


async def open_run(
    tx: Tx,
    account: Account,
    playbook: Playbook,
    tasks: Sequence[TaskTemplate],
    *,
    occurrence: str,
    fact_id: int | None = None,
) -> PlaybookRun | None:
    """Open a playbook for an account; None where one of its trigger is open, or the occurrence opened one before.

    Constraints of the table decide, so that two workers, or one that was killed and runs again, open it once.
    """
    run_id: UUID | None = await tx.session.scalar(
        insert(PlaybookRun)
        .values(
            id=uuid7(),
            tenant_id=account.tenant_id,
            account_id=account.id,
            playbook_id=playbook.id,
            trigger=playbook.trigger,
            occurrence=occurrence,
            fact_id=fact_id,
            opened_at=tx.at,
            opened_by=tx.actor.subject,
        )
        .on_conflict_do_nothing()
        .returning(PlaybookRun.id)
    )
    if run_id is None:
        return None
    run = await tx.session.get_one(PlaybookRun, run_id)
    tx.session.add_all(
        PlaybookTask(
            id=uuid7(),
            tenant_id=account.tenant_id,
            account_id=account.id,
            run_id=run.id,
            position=position,
            key=task.key,
            words=task.words,
            wanted=task.wanted,
            owner_role=task.owner_role,
            working_days=task.working_days,
            depends_on=list(task.depends_on),
        )
        for position, task in enumerate(tasks, 1)
    )
    tx.record(
        PlaybookRunOpened(
            account_id=account.id,
            subject_id=run.id,
            at=tx.at,
            playbook_id=playbook.id,
            trigger=run.trigger,
            occurrence=occurrence,
        )
    )
    await tx.session.flush()
    await begin_tasks(tx, run.id)
    return run


async def begin_tasks(tx: Tx, run_id: UUID) -> int:
    """Make commitments of the tasks of an open run whose earlier tasks are finished; return how many.

    A task without anybody to do it waits; it is tried again until somebody has its role.
    """
    run = await tx.session.scalar(
        select(PlaybookRun).where(PlaybookRun.id == run_id).with_for_update()
    )
    if run is None or run.closed_at is not None:
        return 0
    account = await tx.session.get_one(Account, run.account_id)
    tasks = await load_tasks(tx.session, run.id)
    finished = {task.key for task, made in tasks if is_finished(made)}
    begun = 0
    for task, made in tasks:
        if made is not None or not set(task.depends_on) <= finished:
            continue
        owner_id = await account_teams.owner_of(tx.session, account, task.owner_role)
        if owner_id is None:
            _note_unowned(tx, task)
            continue
        with naming_only():
            found = await commitments.make(
                tx,
                account.id,
                kind=CommitmentKind.PLAYBOOK_TASK,
                words=task.words,
                owner_id=owner_id,
                due_at=due_at(tx.at, task.working_days, ZoneInfo(account.time_zone)),
                internal=True,
            )
        task.commitment_id = found.id
        tx.record(
            PlaybookTaskBegun(
                account_id=account.id,
                subject_id=run.id,
                at=tx.at,
                task=task.key,
                commitment_id=found.id,
                user_id=owner_id,
            )
        )
        begun += 1
    await tx.session.flush()
    return begun


def _note_unowned(tx: Tx, task: PlaybookTask) -> None:
    """Record once that nobody has the role of a task."""
    if task.unowned_since is None:
        task.unowned_since = tx.at
        tx.record(
            PlaybookTaskUnowned(
                account_id=task.account_id,
                subject_id=task.run_id,
                at=tx.at,
                task=task.key,
                owner_role=task.owner_role,
            )
        )


async def close_run(
    tx: Tx, run: PlaybookRun, outcome: PlayOutcome, *, note: str | None = None
) -> None:
    """Close a run with an outcome, and withdraw its commitments that are open and not yet late."""
    for _task, made in await load_tasks(tx.session, run.id):
        if made is not None and not is_finished(made) and tx.at <= made.due_at:
            with naming_only():
                await commitments.withdraw(tx, made.id, reason=WITHDRAWN)
    run.closed_at, run.outcome, run.closing_note = tx.at, outcome, note
    tx.record(
        PlaybookRunClosed(
            account_id=run.account_id,
            subject_id=run.id,
            at=tx.at,
            playbook_id=run.playbook_id,
            outcome=outcome,
            closing_note=note,
        )
    )
    await tx.session.flush()


async def load_tasks(
    session: AsyncSession, run_id: UUID
) -> list[tuple[PlaybookTask, Commitment | None]]:
    """Return the tasks of a run in their order, each with its commitment if it has begun."""
    rows = await session.execute(
        select(PlaybookTask, Commitment)
        .outerjoin(Commitment, Commitment.id == PlaybookTask.commitment_id)
        .where(PlaybookTask.run_id == run_id)
        .order_by(PlaybookTask.position)
        .execution_options(populate_existing=True)
    )
    return [(task, made) for task, made in rows]


def is_finished(made: Commitment | None) -> bool:
    """Return whether a commitment is done or withdrawn."""
    return made is not None and (made.done_at is not None or made.withdrawn_at is not None)
