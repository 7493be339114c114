"""Promises on the clock: start, hold, stop, judge, and sweep what is due."""

from domain.sla.actions import Ticket, settle, watch
from domain.sla.announcing import announced_due
from domain.sla.columns import CLOCKED, EVALUATOR, Batch, ClockFact, Judged, build, judge, warm
from domain.sla.model import Promise, State, Watch
from domain.sla.reads import Live, announced_due_of, has_older_verdicts, live
from domain.sla.sweeping import due, put_off, sweep

__all__ = [
    "CLOCKED",
    "EVALUATOR",
    "Batch",
    "ClockFact",
    "Judged",
    "Live",
    "Promise",
    "State",
    "Ticket",
    "Watch",
    "announced_due",
    "announced_due_of",
    "build",
    "due",
    "has_older_verdicts",
    "judge",
    "live",
    "put_off",
    "settle",
    "sweep",
    "warm",
    "watch",
]
