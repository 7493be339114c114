"""Parameters of KPIs: target and floor of each that has a better and a worse direction, per level and instant."""

from domain.access import Right
from domain.kpis.catalogue import CATALOGUE
from domain.kpis.definitions import KpiDefinition, KpiKey, KpiMeasure
from domain.parameters import AllowedRange, ParameterDefinition, ParameterUnit, Quantity

_PERCENT = (AllowedRange(ParameterUnit.PERCENT, 0, 100),)
_ALLOWED = {
    KpiMeasure.SHARE: _PERCENT,
    KpiMeasure.RATIO: _PERCENT,
    KpiMeasure.DURATION: (
        AllowedRange(ParameterUnit.MINUTES, 1, 525_600),
        AllowedRange(ParameterUnit.HOURS, 1, 8_760),
    ),
    KpiMeasure.NET_SHARE: (AllowedRange(ParameterUnit.COUNT, -100, 100),),
    KpiMeasure.MEAN: (AllowedRange(ParameterUnit.COUNT, 1, 7),),
}
_DEFAULT_UNITS = {KpiMeasure.DURATION: ParameterUnit.HOURS}


def _parameter(kpi: KpiDefinition, limit: str, default: int | None) -> ParameterDefinition:
    allowed = _ALLOWED[kpi.measure]
    unit = _DEFAULT_UNITS.get(kpi.measure, allowed[0].unit)
    without = "" if default is not None else f" Without a value there is no {limit}."
    return ParameterDefinition(
        name=f"kpis.{kpi.key}_{limit}",
        description=f"The {limit} of the KPI {kpi.name}. Applies to windows that end later.{without}",
        default=None if default is None else Quantity((default,), unit),
        allowed=allowed,
        right=next(iter(kpi.rights), Right.READ_QUALITY),
    )


TARGETS: dict[KpiKey, ParameterDefinition] = {
    key: _parameter(kpi, "target", kpi.target)
    for key, kpi in CATALOGUE.items()
    if kpi.measure in _ALLOWED
}
FLOORS: dict[KpiKey, ParameterDefinition] = {
    key: _parameter(CATALOGUE[key], "floor", CATALOGUE[key].floor) for key in TARGETS
}
PARAMETERS = (*TARGETS.values(), *FLOORS.values())
