"""When the clocks of an incident are paused: one rule for live and for imported incidents.

A pause ends when the incident is resumed, resolved or closed, and when the pauses of the incident together have lasted
72 hours. The rule reads all facts of the incident at once, so it does not matter in which chunks or in which order they
were recorded. A resumption that a sweeper recorded because the allowance was used up (`capped`) is ignored: it follows
from the pauses, and a fact that comes later may move it. `domain/archive/reads.py` has the same rule in SQL.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

PAUSE_ALLOWANCE = timedelta(hours=72)
"""Total duration of an incident's pauses; after that its clocks continue automatically."""

PAUSED, RESUMED = "incident.paused", "incident.resumed"
MARKS = frozenset({PAUSED, RESUMED, "incident.resolved", "incident.closed"})


class PauseMark(NamedTuple):
    """A fact that begins or ends a pause."""

    at: datetime
    kind: str


class PausedPeriod(NamedTuple):
    """Period in which the clocks are paused; `is_told` when a recorded resumption ends it at exactly that time."""

    from_at: datetime
    until_at: datetime
    is_told: bool


def is_capped(kind: str, body: Any) -> bool:
    """Return whether a resumption follows from the pauses before it."""
    return kind == RESUMED and bool(body.get("capped"))


def paused_periods(
    marks: Iterable[PauseMark], allowance: timedelta = PAUSE_ALLOWANCE
) -> list[PausedPeriod]:
    """Return the paused periods of one incident; `marks` in the order of the ledger."""
    found: list[PausedPeriod] = []
    left, since = allowance, None
    for at, kind in sorted(marks, key=lambda mark: mark.at):
        if kind == PAUSED:
            since = at if since is None else since
        elif since is not None:
            until = min(at, since + left)
            found.append(PausedPeriod(since, until, is_told=kind == RESUMED and until == at))
            left, since = left - (until - since), None
    if since is not None:
        found.append(PausedPeriod(since, since + left, is_told=False))
    return found


def is_paused(found: Sequence[PausedPeriod], at: datetime) -> bool:
    """Return whether the clocks are paused at a time."""
    return any(each.from_at <= at < each.until_at for each in found)
