"""Promises of incidents: start, pause, stop and evaluate their clocks, and sweep those that are due."""

from domain.promises.actions import PromiseSubject, evaluate, start
from domain.promises.announced_due import announced_due
from domain.promises.due import defer, due, sweep
from domain.promises.model import Promise, PromiseWatch, State
from domain.promises.reads import RunningClock, announced_due_of, has_older_verdicts, live
from domain.promises.translation import (
    CLOCK_EVENT_KINDS,
    EVALUATOR,
    ClockColumns,
    ClockFact,
    JudgedPart,
    build,
    judge,
    warm,
)

__all__ = [
    "CLOCK_EVENT_KINDS",
    "EVALUATOR",
    "ClockColumns",
    "ClockFact",
    "JudgedPart",
    "Promise",
    "PromiseSubject",
    "PromiseWatch",
    "RunningClock",
    "State",
    "announced_due",
    "announced_due_of",
    "build",
    "defer",
    "due",
    "evaluate",
    "has_older_verdicts",
    "judge",
    "live",
    "start",
    "sweep",
    "warm",
]
