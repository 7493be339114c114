"""Facts about playbooks and their runs. They are internal to the company."""

from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class PlaybookDefined(Fact):
    """A playbook was made or changed: its trigger and tasks before and after; `before` is null for a new one."""

    kind: ClassVar[str] = "playbook.defined"
    subject_type: ClassVar[str | None] = "Playbook"
    before: dict[str, Any] | None
    after: dict[str, Any]
    internal: bool = True


class PlaybookRetired(Fact):
    """A playbook opens no more runs; the open ones go on."""

    kind: ClassVar[str] = "playbook.retired"
    subject_type: ClassVar[str | None] = "Playbook"
    internal: bool = True


class PlaybookRunOpened(Fact):
    """A playbook was opened for an account by its trigger, or by hand."""

    kind: ClassVar[str] = "playbook_run.opened"
    subject_type: ClassVar[str | None] = "PlaybookRun"
    playbook_id: UUID
    trigger: str
    occurrence: str
    internal: bool = True


class PlaybookTaskBegun(Fact):
    """A task of a run became a commitment of its owner."""

    kind: ClassVar[str] = "playbook_run.task_begun"
    subject_type: ClassVar[str | None] = "PlaybookRun"
    task: str
    commitment_id: UUID
    user_id: UUID
    internal: bool = True


class PlaybookTaskUnowned(Fact):
    """The turn of a task of a run came, and nobody of the company has its role."""

    kind: ClassVar[str] = "playbook_run.task_unowned"
    subject_type: ClassVar[str | None] = "PlaybookRun"
    task: str
    owner_role: str
    internal: bool = True


class PlaybookRunClosed(Fact):
    """A run ended with an outcome."""

    kind: ClassVar[str] = "playbook_run.closed"
    subject_type: ClassVar[str | None] = "PlaybookRun"
    personal: ClassVar[frozenset[str]] = frozenset({"closing_note"})
    playbook_id: UUID
    outcome: str
    closing_note: str | None
    internal: bool = True
