"""Rules of status reports: the status follows from what is broken, late, at risk and unhealthy. Pure functions."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from domain.status_reports.model import StatusLight, StatusRule

VERY_LATE_DAYS = 10
"""Working days after which a late milestone is a significant issue."""
FEWEST = 5
"""Promises from which compliance says something."""
HIGH_RISK = 12
"""Impact × likelihood from which a risk may need an adjustment."""
RED = frozenset(
    {
        StatusRule.CRITICAL_PROMISE_BROKEN,
        StatusRule.MILESTONE_VERY_LATE,
        StatusRule.COMPLIANCE_TOO_LOW,
        StatusRule.HEALTH_CRITICAL,
    }
)
_ORDER = (StatusLight.GREEN, StatusLight.YELLOW, StatusLight.RED)


class StatusReason(NamedTuple):
    """A rule that applies, and what it is about; without an id, it is about the account."""

    rule: StatusRule
    subject_type: str
    subject_id: UUID


class StatusFigures(NamedTuple):
    """Figures of a period: promises and incidents, and money in cents of one currency."""

    promises_kept: int
    promises_decided: int
    incidents_resolved: int
    incidents_open: int
    meetings_held: int
    fee_cents: int
    invoiced_cents: int
    credits_cents: int
    currency: str


def light_of(reasons: Sequence[StatusReason]) -> StatusLight:
    """Return the status: red by one red reason, yellow by any other, else green."""
    rules = {each.rule for each in reasons}
    if rules & RED:
        return StatusLight.RED
    return StatusLight.YELLOW if rules else StatusLight.GREEN


def is_too_low(kept: int, decided: int, percent: int) -> bool:
    """Return whether fewer than `percent` of the promises were kept, from five promises on; without rounding."""
    return decided >= FEWEST and 100 * kept < percent * decided


def is_greener(confirmed: StatusLight, computed: StatusLight) -> bool:
    """Return whether a person confirms a better status than the one that follows from the data."""
    return _ORDER.index(confirmed) < _ORDER.index(computed)


_SENTENCES = {
    "nl": (
        (
            "Van de {promises_decided} afspraken in deze periode zijn er {promises_kept} nagekomen;"
            " {incidents_resolved} meldingen zijn opgelost en {incidents_open} staan open."
        ),
        "Er zijn {done} toezeggingen uitgevoerd, en {due} volgen in de komende periode.",
    ),
    "en": (
        (
            "Of {promises_decided} promises in this period {promises_kept} were kept;"
            " {incidents_resolved} tickets were resolved and {incidents_open} are open."
        ),
        "{done} commitments were done, and {due} are due in the next period.",
    ),
}


def summary_of(figures: StatusFigures, *, done: int, due: int, language: str) -> str:
    """Return the executive summary of a draft: two sentences with the figures."""
    sentences = _SENTENCES.get(language, _SENTENCES["en"])
    given = figures._asdict() | {"done": done, "due": due}
    return " ".join(each.format(**given) for each in sentences)
