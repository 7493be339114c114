"""Define and retire playbooks; open runs by hand, and close them with an outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.core.base import uuid7
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_line, must_be_text
from domain.health import HealthBand, WarningRule
from domain.kpis import KpiKey
from domain.playbooks.events import PlaybookDefined, PlaybookRetired
from domain.playbooks.model import Playbook, PlaybookDate, PlaybookRun, PlaybookTrigger, PlayOutcome
from domain.playbooks.opening import close_run, open_run
from domain.playbooks.rules import TaskTemplate, check_tasks, trigger_text
from domain.playbooks.shipped import SHIPPED


@dataclass(frozen=True, slots=True)
class TriggerDraft:
    """What opens a playbook: exactly one of band, warning, date and KPI."""

    band: HealthBand | None = None
    warning: WarningRule | None = None
    date: PlaybookDate | None = None
    days_before: int = 0
    kpi: KpiKey | None = None

    @property
    def parts(self) -> tuple[PlaybookTrigger, str, int]:
        """The kind, the value, and the days before a date."""
        given = {
            PlaybookTrigger.BAND: self.band,
            PlaybookTrigger.WARNING: self.warning,
            PlaybookTrigger.DATE: self.date,
            PlaybookTrigger.KPI: self.kpi,
        }
        named = [(kind, value) for kind, value in given.items() if value is not None]
        if len(named) != 1:
            words = "Give exactly one of band, warning, date and kpi."
            raise Refused(Code.INVALID, words, argument="band")
        [(kind, value)] = named
        if kind is not PlaybookTrigger.DATE and self.days_before:
            words = "daysBefore goes with a date."
            raise Refused(Code.INVALID, words, argument="daysBefore")
        if not 0 <= self.days_before <= 730:
            raise Refused(Code.INVALID, "daysBefore must be 0 to 730.", argument="daysBefore")
        return kind, str(value), self.days_before


def tasks_of(playbook: Playbook) -> tuple[TaskTemplate, ...]:
    """Return the tasks of a playbook."""
    return msgspec.convert(playbook.content, tuple[TaskTemplate, ...])


async def define(
    tx: Tx,
    *,
    name: str,
    trigger: TriggerDraft,
    tasks: Sequence[TaskTemplate],
    expected_version: int | None = None,
) -> Playbook:
    """Make a playbook, or change the one of this name; a trigger that another one has is refused."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_line(name, "name")
    check_tasks(tasks)
    await adopt_shipped(tx)
    return await _define(tx, name, trigger.parts, tasks, expected_version)


async def adopt_shipped(tx: Tx) -> int:
    """Give a company that has no playbooks the shipped ones; return how many."""
    await tx.session.execute(select(_turn(tx)))
    known = select(Playbook.id).where(Playbook.tenant_id == tx.actor.tenant_id).limit(1)
    if await tx.session.scalar(known) is not None:
        return 0
    for each in SHIPPED:
        parts = (each.kind, str(each.value), each.days_before)
        await _define(tx, each.name, parts, each.tasks, None)
    return len(SHIPPED)


async def retire(tx: Tx, playbook_id: UUID, *, expected_version: int | None = None) -> Playbook:
    """Retire a playbook: it opens no more runs, and its trigger is free for another one."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await tx.get(
        Playbook, playbook_id, "playbook", lock=True,
        among=Playbook.tenant_id == tx.actor.tenant_id,
    )  # fmt: skip
    must_be_current(row.version, expected_version)
    if row.retired_at is not None:
        raise Refused(Code.ALREADY_DONE, "This playbook is retired.", argument="id")
    row.retired_at = tx.at
    tx.record(PlaybookRetired(account_id=None, subject_id=row.id, at=tx.at))
    await tx.session.flush()
    return row


async def open_by_hand(tx: Tx, account_id: UUID, *, playbook_id: UUID) -> PlaybookRun:
    """Open a playbook for an account; refused while one of the same trigger is open there."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    account = await tx.get(Account, account_id, "account", argument="accountId")
    playbook = await tx.get(
        Playbook, playbook_id, "playbook", argument="playbookId",
        among=Playbook.tenant_id == tx.actor.tenant_id,
    )  # fmt: skip
    if playbook.retired_at is not None:
        raise Refused(Code.ALREADY_DONE, "This playbook is retired.", argument="playbookId")
    run = await open_run(tx, account, playbook, tasks_of(playbook), occurrence=f"by hand:{uuid7()}")
    if run is None:
        words = "A run of this trigger is open for the account. Close it first."
        raise Refused(Code.ALREADY_EXISTS, words, argument="playbookId")
    return run


async def close_by_hand(
    tx: Tx,
    run_id: UUID,
    *,
    outcome: PlayOutcome,
    note: str | None = None,
    expected_version: int | None = None,
) -> PlaybookRun:
    """Close a run with its outcome; tasks that are still open are withdrawn."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_text(note, "note")
    run = await tx.get(PlaybookRun, run_id, "run", lock=True)
    must_be_current(run.version, expected_version)
    if run.closed_at is not None:
        raise Refused(Code.ALREADY_DONE, "This run is closed.", argument="id")
    await close_run(tx, run, outcome, note=note)
    return run


async def _define(
    tx: Tx,
    name: str,
    parts: tuple[PlaybookTrigger, str, int],
    tasks: Sequence[TaskTemplate],
    expected_version: int | None,
) -> Playbook:
    await tx.session.execute(select(_turn(tx)))
    kind, value, days_before = parts
    trigger = trigger_text(kind, value, days_before)
    row, other = await _named(tx.session, tx.actor.tenant_id, name, trigger)
    if other is not None:
        words = f"The playbook {other.name} has this trigger; retire it first."
        raise Refused(Code.ALREADY_EXISTS, words, argument=kind, existing=("Playbook", other.id))
    if row is not None:
        must_be_current(row.version, expected_version)
    before = None if row is None else _plain(row)
    content = [msgspec.to_builtins(each) for each in tasks]
    if row is None:
        row = Playbook(id=uuid7(), tenant_id=tx.actor.tenant_id, name=name)
        tx.session.add(row)
    row.trigger_kind, row.trigger_value, row.days_before = kind, value, days_before
    row.trigger, row.content, row.set_at, row.retired_at = trigger, content, tx.at, None
    await tx.session.flush()
    tx.record(
        PlaybookDefined(
            account_id=None, subject_id=row.id, at=tx.at, before=before, after=_plain(row)
        )
    )
    await tx.session.flush()
    return row


async def _named(
    session: AsyncSession, tenant_id: UUID, name: str, trigger: str
) -> tuple[Playbook | None, Playbook | None]:
    """Return the playbook of this name, and another one in use with this trigger."""
    own = select(Playbook).where(Playbook.tenant_id == tenant_id)
    row = await session.scalar(own.where(Playbook.name == name).with_for_update())
    other = await session.scalar(
        own.where(Playbook.trigger == trigger, Playbook.retired_at.is_(None), Playbook.name != name)
    )
    return row, other


def _plain(row: Playbook) -> dict[str, Any]:
    return {
        "name": row.name,
        "trigger_kind": str(row.trigger_kind),
        "trigger_value": row.trigger_value,
        "days_before": row.days_before,
        "trigger": row.trigger,
        "content": row.content,
        "retired_at": None if row.retired_at is None else row.retired_at.isoformat(),
    }


def _turn(tx: Tx) -> Any:
    """Lock the playbooks of a company until the transaction ends, so that two definitions do not meet."""
    return func.pg_advisory_xact_lock(func.hashtextextended(f"playbooks {tx.actor.tenant_id}", 0))
