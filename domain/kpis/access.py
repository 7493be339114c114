"""Access rules of KPIs: for whoever reads quality; some need further rights, and their facts those of the subjects."""

from domain.access import Right
from domain.access.declarations import AccessRules

ACCESS = AccessRules(
    fields={
        "KpiDefinition": {
            None: "key name text source formulaVersion measure unit comparator nMin target floor"
        },
        "KpiValue": {
            None: "definition window fromAt untilAt endsAt numerator denominator n value low high median target floor"
            " status band previousValue previousN trend factsCursor"
        },
        "KpiFact": {None: "kind subjectId at n numerator denominator"},
        "KpiFacts": {None: "facts next"},
    },
    queries={
        "kpis": (Right.READ_QUALITY,),
        "kpiCatalogue": (Right.READ_QUALITY,),
        "kpiFacts": (Right.READ_QUALITY,),
    },
)
