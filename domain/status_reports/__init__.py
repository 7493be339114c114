"""Status reports: green, yellow or red as the data say, and as a person confirms."""

from domain.status_reports.actions import confirm, draft
from domain.status_reports.model import StatusLight, StatusReport, StatusRule
from domain.status_reports.rules import StatusFigures, StatusReason, is_greener, light_of

__all__ = [
    "StatusFigures",
    "StatusLight",
    "StatusReason",
    "StatusReport",
    "StatusRule",
    "confirm",
    "draft",
    "is_greener",
    "light_of",
]
