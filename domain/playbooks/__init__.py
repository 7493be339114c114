"""Playbooks: what a company does when a band, a warning, a date or a KPI calls for it: tasks, owners, outcomes."""

from domain.playbooks.actions import (
    TriggerDraft,
    adopt_shipped,
    close_by_hand,
    define,
    open_by_hand,
    retire,
    tasks_of,
)
from domain.playbooks.model import (
    Playbook,
    PlaybookDate,
    PlaybookRun,
    PlaybookTask,
    PlaybookTrigger,
    PlayOutcome,
    PlayTaskState,
)
from domain.playbooks.opening import begin_tasks, is_finished
from domain.playbooks.results import PlaybookResult, result_of
from domain.playbooks.rules import TaskTemplate, due_at
from domain.playbooks.settling import run_of_commitment, runs_due, settle_run
from domain.playbooks.shipped import SHIPPED
from domain.playbooks.triggers import (
    KINDS,
    TriggerFact,
    open_due,
    open_for_fact,
    playbooks_due,
)

__all__ = [
    "KINDS",
    "SHIPPED",
    "PlayOutcome",
    "PlayTaskState",
    "Playbook",
    "PlaybookDate",
    "PlaybookResult",
    "PlaybookRun",
    "PlaybookTask",
    "PlaybookTrigger",
    "TaskTemplate",
    "TriggerDraft",
    "TriggerFact",
    "adopt_shipped",
    "begin_tasks",
    "close_by_hand",
    "define",
    "due_at",
    "is_finished",
    "open_by_hand",
    "open_due",
    "open_for_fact",
    "playbooks_due",
    "result_of",
    "retire",
    "run_of_commitment",
    "runs_due",
    "settle_run",
    "tasks_of",
]
