"""Rules of anomalies: when a finding is new, when it continues an earlier one, and when it is not raised."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from domain.detection import Detector, Episode, continues, is_silent

COOL_DOWN = timedelta(days=28)
"""Days after a false alarm in which the same series raises nothing of the same kind."""


class FindingStep(StrEnum):
    """What to do with a finding."""

    RAISE = "raise"
    CONTINUE = "continue"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class LastFinding:
    """The newest anomaly of the same series, detector and direction."""

    found_on: date
    last_on: date
    is_false_alarm: bool


def step_of(found: Episode, last: LastFinding | None) -> FindingStep:
    """Decide what to do with what a detector found on a day, given the newest anomaly of the series."""
    if last is None:
        return FindingStep.RAISE
    if last.is_false_alarm and found.found_on - last.last_on <= COOL_DOWN:
        return FindingStep.LEAVE
    if found.detector is Detector.DAILY and continues(last.last_on, found.found_on):
        return FindingStep.CONTINUE
    if found.detector is Detector.RARE and is_silent(last.found_on, found.found_on):
        return FindingStep.LEAVE
    if found.detector is Detector.LEVEL and found.first_on <= last.found_on:
        return FindingStep.LEAVE
    return FindingStep.RAISE
