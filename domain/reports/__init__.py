"""Reports: what happened and which promises were kept, daily and weekly, at the client's own time."""

from domain.reports.actions import adopt, due, follow, make_next, put_off, set_plan
from domain.reports.content import Content
from domain.reports.letter import filename, pdf_of
from domain.reports.model import Report, ReportPlan, Verdict
from domain.reports.periods import Cadence
from domain.reports.reads import Names, gather, names_of, punctuality

__all__ = [
    "Cadence",
    "Content",
    "Names",
    "Report",
    "ReportPlan",
    "Verdict",
    "adopt",
    "due",
    "filename",
    "follow",
    "gather",
    "make_next",
    "names_of",
    "pdf_of",
    "punctuality",
    "put_off",
    "set_plan",
]
