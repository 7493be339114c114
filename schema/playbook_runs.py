"""Runs of playbooks: their tasks, their outcome, and what happened to health."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import accounts, playbooks
from domain.account_teams import TeamRole
from domain.commitments.model import Commitment as CommitmentRow
from domain.core.ledger import LedgerRow
from domain.playbooks import PlayOutcome, PlayTaskState
from schema.accounts import Account
from schema.commitments import Commitment
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, naming, visible
from schema.core.mutations import (
    AccountId,
    ExpectedVersion,
    GlobalIdOf,
    MutationContext,
    mutation,
)
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import RESTRICTED, enum, from_row, resolver
from schema.ledger import LedgerEntry
from schema.playbooks import Playbook, PlaybookId
from schema.users import User

enum(
    PlayOutcome,
    "PlayOutcome",
    resolved="What opened it no longer holds.",
    improved="It holds still, and the client is better off.",
    unchanged="It holds still, and nothing changed.",
    client_left="Every agreement with it has ended.",
    not_needed="It was opened without need.",
    expired="It was open for a year.",
)
enum(
    PlayTaskState,
    "PlayTaskState",
    waiting="Tasks before it are not finished.",
    without_owner="Its turn has come, and nobody has its role.",
    open="Its owner has it to do.",
    late="Its due time has passed.",
    done="Its owner has finished it.",
    skipped="It was withdrawn with its run.",
)
Row = strawberry.Parent[playbooks.PlaybookRun]
TaskRow = strawberry.Parent[playbooks.PlaybookTask]
ResultRow = strawberry.Parent[playbooks.PlaybookResult]
RunId = Annotated[UUID, GlobalIdOf("PlaybookRun")]


def _points(millionths: int) -> float:
    return millionths / 1_000_000


@from_row(playbooks.PlaybookResult)
class PlaybookResult:
    """Health before and after a run, beside accounts without one; it shows what happened, not why."""

    before_on: Annotated[date, "First day of the week of the score before."]
    after_on: Annotated[date, "First day of the week of the score after."]
    clients_compared: Annotated[int, "Number of accounts that it is compared with."]
    words: Annotated[str, "Which scores are compared with which."]

    @resolver(float)
    @staticmethod
    def before(row: ResultRow) -> float:
        """Score before, in points."""
        return _points(row.before)

    @resolver(float)
    @staticmethod
    def after(row: ResultRow) -> float:
        """Score after, in points."""
        return _points(row.after)

    @resolver(float)
    @staticmethod
    def moved(row: ResultRow) -> float:
        """Change in points, on the signals that were fresh on both days."""
        return _points(row.moved)

    @resolver(float | None)
    @staticmethod
    def moved_of_others(row: ResultRow) -> float | None:
        """Median change of the accounts that it is compared with; null without any."""
        return None if row.moved_of_others is None else _points(row.moved_of_others)


@from_row(playbooks.PlaybookTask)
class PlaybookTask(Node):
    """Task of a run; a commitment of its owner from when the tasks before it are finished."""

    key: Annotated[str, "Short name of the task in its playbook."]
    words: Annotated[str, "Line that says what is to be done."]
    wanted: Annotated[
        str, "Outcome that the task should bring; the note of the commitment has the real one."
    ]
    owner_role: Annotated[TeamRole, "Role in the account team that does it."]
    working_days: Annotated[int, "Working days from its begin until it is due."]
    depends_on: Annotated[list[str], "Keys of tasks that must be finished before it begins."]

    @resolver(PlayTaskState)
    @staticmethod
    async def state(row: TaskRow, info: Info) -> PlayTaskState:
        """State of the task."""
        if row.commitment_id is None:
            run = await info.context.get(playbooks.PlaybookRun, row.run_id)
            if run is not None and run.closed_at is not None:
                return PlayTaskState.SKIPPED
            return PlayTaskState.WITHOUT_OWNER if row.unowned_since else PlayTaskState.WAITING
        made = await info.context.get(CommitmentRow, row.commitment_id)
        if made is None or made.withdrawn_at is not None:
            return PlayTaskState.SKIPPED
        if made.done_at is not None:
            return PlayTaskState.DONE
        return PlayTaskState.LATE if info.context.at > made.due_at else PlayTaskState.OPEN

    @resolver(Commitment | None)
    @staticmethod
    async def commitment(row: TaskRow, info: Info) -> CommitmentRow | None:
        """Commitment of the owner, with its due time; null before the task begins."""
        return await info.context.get(CommitmentRow, row.commitment_id)

    @resolver(User | None)
    @staticmethod
    async def owner(row: TaskRow, info: Info) -> accounts.User | None:
        """User who does it; null before the task begins."""
        made = await info.context.get(CommitmentRow, row.commitment_id)
        return await info.context.get(accounts.User, None if made is None else made.owner_id)


@from_row(playbooks.PlaybookRun)
class PlaybookRun(Node):
    """Use of a playbook for an account, from its opening to its outcome; one of each trigger is open at a time."""

    opened_at: Annotated[datetime, "Time at which it was opened."]
    opened_by: Annotated[
        str, "User who opened it, or the system, as named in the ledger.", RESTRICTED
    ]
    closed_at: Annotated[datetime | None, "Time at which it ended; null: it is open."]
    outcome: Annotated[PlayOutcome | None, "What it came to; null while it is open."]
    closing_note: Annotated[str | None, "Note on the outcome."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(Playbook | None)
    @staticmethod
    async def playbook(row: Row, info: Info) -> playbooks.Playbook | None:
        """Playbook that was opened."""
        return await info.context.get(playbooks.Playbook, row.playbook_id)

    @resolver(list[PlaybookTask])
    @staticmethod
    async def tasks(row: Row, info: Info) -> list[Any]:
        """Tasks as they were when it was opened, in their order."""
        return await info.context.children(
            playbooks.PlaybookTask.run_id,
            row.id,
            order=(playbooks.PlaybookTask.position, playbooks.PlaybookTask.id),
        )

    @resolver(LedgerEntry | None)
    @staticmethod
    async def fact(row: Row, info: Info) -> Any:
        """Fact that opened it; null for a date, a KPI, and where somebody opened it by hand."""
        return None if row.fact_id is None else await info.context.get_by(LedgerRow.id, row.fact_id)

    @resolver(PlaybookResult | None, work=300)
    @staticmethod
    async def result(row: Row, info: Info) -> playbooks.PlaybookResult | None:
        """What happened to health, from 30 days after the end on; null before, and without scores to compare."""
        async with info.context.sessions() as session:
            return await playbooks.result_of(session, row)

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)


@query_fields
class PlaybookRunQuery:
    """Queries of runs of playbooks."""

    @lists(PlaybookRun, playbooks.PlaybookRun.opened_at, playbooks.PlaybookRun.id, descending=True)
    @staticmethod
    def playbook_runs(
        info: Info,
        account_id: AccountFilter = None,
        playbook_id: Annotated[strawberry.ID | None, "Only runs of this playbook."] = None,
        is_open: Annotated[
            bool | None, "True: only open ones; false: only closed ones; null: all."
        ] = None,
    ) -> Rows:
        """Runs of playbooks, the latest first; empty for clients."""
        row = playbooks.PlaybookRun
        query = visible(info, row, account_id)
        query = naming(info, query, row.playbook_id, "Playbook", playbook_id)
        if is_open is None:
            return query
        return query.where(row.closed_at.is_(None) if is_open else row.closed_at.is_not(None))


@mutation_fields
class PlaybookRunMutation:
    """Mutations of runs of playbooks."""

    @mutation(PlaybookRun)
    @staticmethod
    async def open_playbook_run(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the client."],
        playbook_id: Annotated[PlaybookId, "Playbook that is to be opened."],
    ) -> playbooks.PlaybookRun:
        """Open a playbook for an account by hand; refused while a run of the same trigger is open there."""
        return await playbooks.open_by_hand(ask.tx, account_id, playbook_id=playbook_id)

    @mutation(PlaybookRun)
    @staticmethod
    async def close_playbook_run(
        ask: MutationContext,
        id: Annotated[RunId, "Run that has come to its end."],
        outcome: Annotated[PlayOutcome, "What it came to."],
        note: Annotated[str | None, "Note on the outcome."] = None,
        expected_version: ExpectedVersion = None,
    ) -> playbooks.PlaybookRun:
        """Close a run with its outcome; tasks that are open and not late are withdrawn."""
        return await playbooks.close_by_hand(
            ask.tx, id, outcome=outcome, note=note, expected_version=expected_version
        )
