"""Due times and allowed remedies of a recovery case, by its size."""

from collections.abc import Collection
from datetime import datetime, timedelta

from domain.core.errors import Code, Refused
from domain.recovery.model import Remedy, Size, StepKind

_HOURS: dict[Size, tuple[int, int, int, int, int]] = {
    Size.SMALL: (24, 48, 120, 168, 336),
    Size.MEDIUM: (8, 24, 72, 120, 240),
    Size.MAJOR: (2, 8, 48, 72, 168),
}
"""Hours from the beginning of a round to the end of each step, in their order."""

TOOLKIT: dict[Size, frozenset[Remedy]] = {
    Size.SMALL: frozenset({Remedy.EXTENDED_SERVICE, Remedy.TRAINING_SESSION}),
    Size.MEDIUM: frozenset({Remedy.SERVICE_CREDIT, Remedy.PRIORITY_SUPPORT}),
    Size.MAJOR: frozenset({Remedy.EXECUTIVE_APOLOGY, Remedy.RECOVERY_PLAN, Remedy.SERVICE_CREDIT}),
}
ALWAYS: dict[Size, frozenset[Remedy]] = {
    Size.SMALL: frozenset(),
    Size.MEDIUM: frozenset(),
    Size.MAJOR: frozenset({Remedy.EXECUTIVE_APOLOGY, Remedy.RECOVERY_PLAN}),
}
"""Remedies that are mandatory."""


def due(size: Size, begun_at: datetime) -> dict[StepKind, datetime]:
    """Return when each step of a round is due."""
    steps = zip(StepKind, _HOURS[size], strict=True)
    return {kind: begun_at + timedelta(hours=hours) for kind, hours in steps}


def before(kind: StepKind) -> list[StepKind]:
    """Return the steps before this one."""
    order = list(StepKind)
    return order[: order.index(kind)]


def check_remedies(size: Size, remedies: Collection[Remedy], *, has_credit: bool) -> None:
    """Refuse remedies that this size does not allow, an empty list, or a service credit without the credit."""
    allowed = ", ".join(sorted(TOOLKIT[size]))
    if not remedies or not set(remedies) <= TOOLKIT[size]:
        raise Refused(Code.INVALID, f"A {size} case can offer: {allowed}.", argument="remedies")
    missing = ALWAYS[size] - set(remedies)
    if missing:
        raise Refused(
            Code.INVALID,
            f"A {size} case must offer {', '.join(sorted(missing))}.",
            argument="remedies",
        )
    if (Remedy.SERVICE_CREDIT in remedies) != has_credit:
        raise Refused(
            Code.INVALID,
            "A service credit needs creditId, the credit that was granted.",
            argument="creditId",
        )
