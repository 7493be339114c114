"""Due times and allowed remedies of a recovery case, by its size."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from domain.core.errors import Code, Refused
from domain.recovery.model import Remedy, Size, StepKind

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


def due(hours: Sequence[int], begun_at: datetime) -> dict[StepKind, datetime]:
    """Return when each step of a round is due; `hours` are those of the steps in their order."""
    steps = zip(StepKind, hours, strict=True)
    return {kind: begun_at + timedelta(hours=after) for kind, after in steps}


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
