"""KPIs: a catalogue of figures with targets, measured per scope and window, with the facts behind each."""

from domain.kpis.batch import (
    KpiOfPeriod,
    KpiRequest,
    measured,
    measured_all,
    measured_between,
)
from domain.kpis.catalogue import CATALOGUE
from domain.kpis.definitions import (
    KpiComparator,
    KpiDefinition,
    KpiKey,
    KpiMeasure,
    KpiUnit,
)
from domain.kpis.reads import KpiValue, facts_behind, readable
from domain.kpis.rules import (
    KpiBand,
    KpiFigure,
    KpiLimits,
    KpiStatus,
    KpiTally,
    KpiTrend,
)
from domain.kpis.tallies import KpiFact, KpiPosition, KpiQuestion, KpiScope, position_of, tallies

__all__ = [
    "CATALOGUE",
    "KpiBand",
    "KpiComparator",
    "KpiDefinition",
    "KpiFact",
    "KpiFigure",
    "KpiKey",
    "KpiLimits",
    "KpiMeasure",
    "KpiOfPeriod",
    "KpiPosition",
    "KpiQuestion",
    "KpiRequest",
    "KpiScope",
    "KpiStatus",
    "KpiTally",
    "KpiTrend",
    "KpiUnit",
    "KpiValue",
    "facts_behind",
    "measured",
    "measured_all",
    "measured_between",
    "position_of",
    "readable",
    "tallies",
]
