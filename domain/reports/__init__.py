"""Reports: incidents and promises of a day or week, delivered at a local time of the client."""

from domain.reports.actions import (
    PLANS_DUE,
    adopt,
    defer,
    due,
    due_plans,
    make_next,
    set_plan,
    unplanned_accounts,
)
from domain.reports.clocks import REPORT
from domain.reports.content import Content, Proactive
from domain.reports.data import load_content
from domain.reports.delivery import DELIVERIES_DUE, follow, reports_to_follow
from domain.reports.internal_objectives import internal_figures
from domain.reports.letter import filename, pdf_of
from domain.reports.model import Report, ReportPlan, ReportVerdict
from domain.reports.periods import Cadence
from domain.reports.reads import (
    Punctuality,
    ReportNames,
    document_of,
    names_of,
    proactive_of,
    punctuality,
)
from domain.reports.rendering import summary_of
from domain.reports.schedules import schedule_again
from domain.reports.view_model import (
    Chart,
    Column,
    FigureTile,
    PairChart,
    PairPoint,
    ReportPage,
    Section,
    ShareChart,
    ShareLegend,
    SharePoint,
    Tone,
)

__all__ = [
    "DELIVERIES_DUE",
    "PLANS_DUE",
    "REPORT",
    "Cadence",
    "Chart",
    "Column",
    "Content",
    "FigureTile",
    "PairChart",
    "PairPoint",
    "Proactive",
    "Punctuality",
    "Report",
    "ReportNames",
    "ReportPage",
    "ReportPlan",
    "ReportVerdict",
    "Section",
    "ShareChart",
    "ShareLegend",
    "SharePoint",
    "Tone",
    "adopt",
    "defer",
    "document_of",
    "due",
    "due_plans",
    "filename",
    "follow",
    "internal_figures",
    "load_content",
    "make_next",
    "names_of",
    "pdf_of",
    "proactive_of",
    "punctuality",
    "reports_to_follow",
    "schedule_again",
    "set_plan",
    "summary_of",
    "unplanned_accounts",
]
