"""Rules of the RAID log: what an entry of each kind needs, and when its next review is due."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain.core.errors import Code, Refused
from domain.raid.model import RaidKind

_ASSESSED = {
    RaidKind.RISK: ("impact", "likelihood"),
    RaidKind.ISSUE: ("impact",),
    RaidKind.ACTION: (),
    RaidKind.DECISION: (),
}
"""What has to be assessed from 1 to 5; nothing else may be."""


def must_be_assessed(kind: RaidKind, *, impact: int | None, likelihood: int | None) -> None:
    """Refuse an assessment that a kind lacks or does not have, and one outside 1 to 5."""
    for argument, given in (("impact", impact), ("likelihood", likelihood)):
        wanted = argument in _ASSESSED[kind]
        if wanted and given is None:
            raise Refused(
                Code.INVALID, f"{_named(kind)} needs its {argument}, 1 to 5.", argument=argument
            )
        if not wanted and given is not None:
            raise Refused(
                Code.INVALID, f"{_named(kind)} has no {argument}; leave it out.", argument=argument
            )
        if given is not None and not 1 <= given <= 5:
            raise Refused(Code.INVALID, f"{argument} must be from 1 to 5.", argument=argument)


def must_have(kind: RaidKind, wanted: RaidKind, given: object, argument: str) -> None:
    """Refuse a value that only entries of kind `wanted` have, and such an entry without it."""
    if (kind is wanted) != (given is not None):
        needs = f"needs {argument}" if kind is wanted else f"has no {argument}; leave it out"
        raise Refused(Code.INVALID, f"{_named(kind)} {needs}.", argument=argument)


def next_review(at: datetime, days: int, zone: str) -> datetime:
    """Return the same local time so many days later, so that a change of the clocks moves no review."""
    local = at.astimezone(ZoneInfo(zone)) + timedelta(days=days)
    return local.astimezone(at.tzinfo)


def _named(kind: RaidKind) -> str:
    return f"{'An' if kind in (RaidKind.ACTION, RaidKind.ISSUE) else 'A'} {kind}"
