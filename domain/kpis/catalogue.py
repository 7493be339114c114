"""Catalogue of KPIs: ONE TABLE of what is measured, with definition, version and default targets."""

from domain.access import Right
from domain.kpis.definitions import KpiComparator, KpiDefinition, KpiKey, KpiMeasure

_AT_LEAST, _ABOVE = KpiComparator.AT_LEAST, KpiComparator.ABOVE
_AT_MOST, _BELOW = KpiComparator.AT_MOST, KpiComparator.BELOW
_SHARE, _RATIO, _DURATION = KpiMeasure.SHARE, KpiMeasure.RATIO, KpiMeasure.DURATION
_PROMISES = (Right.READ_PROMISES,)
_ANSWERS = (Right.READ_RELATIONSHIP,)
_ROSTER = (Right.READ_ROSTER,)
_MONEY = (Right.READ_MONEY,)
_RESOLVED = "Incidents that were called off, and duplicates, do not count."


def _opened(key: KpiKey, name: str, kind: str | None) -> KpiDefinition:
    what = "incidents of all kinds" if kind is None else f"incidents of the kind {kind}"
    return KpiDefinition(
        key,
        name,
        f"Number of {what} that were opened in the window.",
        "incident",
        KpiMeasure.COUNT,
        _AT_MOST,
        n_min=0,
    )


_ALL = (
    KpiDefinition(
        KpiKey.PROMISES_KEPT,
        "Promises kept",
        "Promises to the client that got their verdict in the window (denominator), and those of them that were kept"
        " (numerator). Internal promises do not count.",
        "promise",
        _SHARE,
        _ABOVE,
        target=99,
        facts_rights=_PROMISES,
    ),
    KpiDefinition(
        KpiKey.RESPONSE_TIME,
        "Response time",
        "Time from the opening to the acknowledgement of incidents acknowledged in the window, around the clock"
        " (numerator), divided by their number.",
        "incident",
        _DURATION,
        _BELOW,
    ),
    KpiDefinition(
        KpiKey.INQUIRY_RESPONSE_TIME,
        "Response time to inquiries",
        "Time from the opening to the acknowledgement of inquiries acknowledged in the window, around the clock"
        " (numerator), divided by their number.",
        "incident",
        _DURATION,
        _BELOW,
        target=2,
    ),
    KpiDefinition(
        KpiKey.RESOLUTION_TIME,
        "Resolution time",
        "Time from the opening to the resolution of incidents resolved in the window, around the clock and with pauses"
        f" (numerator), divided by their number. {_RESOLVED}",
        "incident",
        _DURATION,
        _BELOW,
        target=4,
    ),
    KpiDefinition(
        KpiKey.FIRST_CONTACT_RESOLUTION,
        "Resolved at first contact",
        "Incidents resolved in the window (denominator), and those of them that were neither reassigned nor reopened"
        f" and took at most one contact with the client (numerator). {_RESOLVED}",
        "incident",
        _SHARE,
        _AT_LEAST,
        target=75,
    ),
    KpiDefinition(
        KpiKey.REOPENED,
        "Reopened",
        "Resolutions of incidents in the window (denominator), and those of them after which the incident was reopened,"
        " at any time until now (numerator).",
        "ledger",
        _SHARE,
        _AT_MOST,
    ),
    _opened(KpiKey.INCIDENTS, "Incidents", None),
    _opened(KpiKey.COMPLAINTS, "Complaints", "complaint"),
    _opened(KpiKey.INQUIRIES, "Inquiries", "inquiry"),
    _opened(KpiKey.SERVICE_REQUESTS, "Service requests", "service request"),
    _opened(KpiKey.ALARMS, "Alarms", "alarm"),
    _opened(KpiKey.MAINTENANCE_REQUESTS, "Maintenance requests", "maintenance"),
    _opened(KpiKey.ENHANCEMENT_REQUESTS, "Enhancement requests", "enhancement"),
    KpiDefinition(
        KpiKey.CSAT,
        "CSAT",
        "Ratings from 1 to 5 in surveys answered in the window (denominator), and those of them that are 4 or 5"
        " (numerator). Each answer counts once, without weights.",
        "survey_answer",
        _SHARE,
        _AT_LEAST,
        target=90,
        floor=85,
        floor_comparator=_ABOVE,
        floor_improves=True,
        facts_rights=_ANSWERS,
    ),
    KpiDefinition(
        KpiKey.NPS,
        "NPS",
        "Answers from 0 to 10 about recommending the company in surveys answered in the window (denominator), and the"
        " number of promoters (9, 10) less that of detractors (0 to 6) among them (numerator). Each answer counts once,"
        " without weights.",
        "survey_answer",
        KpiMeasure.NET_SHARE,
        _AT_LEAST,
        target=50,
        facts_rights=_ANSWERS,
    ),
    KpiDefinition(
        KpiKey.CES,
        "CES",
        "Sum of the answers from 1 to 7 about effort in surveys answered in the window (numerator), divided by their"
        " number. Each answer counts once, without weights.",
        "survey_answer",
        KpiMeasure.MEAN,
        _AT_LEAST,
        facts_rights=_ANSWERS,
    ),
    KpiDefinition(
        KpiKey.SURVEY_RESPONSE_RATE,
        "Response rate of surveys",
        "Contacts who were asked in the window by a letter that was not returned (denominator), and those of them who"
        " answered, at any time until now (numerator).",
        "survey_invitation",
        _SHARE,
        _AT_LEAST,
        rights=(Right.READ_INTERNAL,),
        facts_rights=_ANSWERS,
    ),
    KpiDefinition(
        KpiKey.COVERAGE,
        "Coverage",
        "Planned time of published shifts that ended in the window (denominator), and the part of it in which their"
        " guard was clocked in (numerator), in microseconds. A shift without a clock-out counts until its planned end.",
        "shift",
        _RATIO,
        _AT_LEAST,
        n_min=1,
        facts_rights=_ROSTER,
    ),
    KpiDefinition(
        KpiKey.PUNCTUALITY,
        "Punctuality",
        "Published shifts with a guard that ended in the window (denominator), and those of them that began within five"
        " minutes after the planned beginning (numerator).",
        "shift",
        _SHARE,
        _AT_LEAST,
        facts_rights=_ROSTER,
    ),
    KpiDefinition(
        KpiKey.PROACTIVE_NOTICES,
        "Announced before",
        "Changes of the service that took effect in the window: promises that turned out late, new versions of terms"
        " and ends of agreements (denominator), and those of them about which the client had a notice before"
        " (numerator).",
        "promise, terms, agreement",
        _SHARE,
        _AT_LEAST,
        target=100,
        n_min=1,
        facts_rights=(Right.READ_PROMISES, Right.READ_AGREEMENTS),
    ),
    KpiDefinition(
        KpiKey.COMMITMENTS_KEPT,
        "Commitments kept",
        "Commitments to clients that were done or became due in the window (denominator), and those of them that"
        " were done by then (numerator). Internal and withdrawn ones do not count.",
        "commitment",
        _SHARE,
        _AT_LEAST,
        facts_rights=(),
    ),
    KpiDefinition(
        KpiKey.STATUS_GREENER,
        "Statuses confirmed greener than the data",
        "Status reports that were confirmed in the window (denominator), and those of them that a person confirmed as"
        " greener than computed (numerator); also known as watermelon rate.",
        "status_report",
        _SHARE,
        _AT_MOST,
        rights=(Right.READ_INTERNAL,),
        facts_rights=(),
    ),
    KpiDefinition(
        KpiKey.CONTESTED_VERDICTS,
        "Contested verdicts",
        "Promises to the client that got their verdict in the window (denominator), and those of them that the client"
        " contested, at any time until now (numerator).",
        "promise",
        _SHARE,
        _AT_MOST,
        facts_rights=_PROMISES,
    ),
    KpiDefinition(
        KpiKey.CHANGED_VERDICTS,
        "Verdicts changed after a dispute",
        "Disputes that were decided in the window (denominator), and those of them that changed the verdict"
        " (numerator).",
        "dispute",
        _SHARE,
        _AT_MOST,
        n_min=1,
        facts_rights=_PROMISES,
    ),
    KpiDefinition(
        KpiKey.CREDITS_SHARE,
        "Credits of what was invoiced",
        "Net amount of invoices issued in the window (denominator), and the cost of credits that were granted, less"
        " what was taken back, in the window (numerator), in cents of the company's currency.",
        "invoice, journal_line",
        _RATIO,
        _AT_MOST,
        n_min=1,
        rights=(Right.READ_INTERNAL, Right.READ_MONEY),
        facts_rights=_MONEY,
    ),
    KpiDefinition(
        KpiKey.BILLING_ACCURACY,
        "Billing accuracy",
        "Invoices issued in the window (denominator), and those of them in the period of which no delivered quantity"
        " was corrected downwards after they were issued, at any time until now (numerator).",
        "invoice",
        _SHARE,
        _AT_LEAST,
        n_min=1,
        rights=_MONEY,
        facts_rights=_MONEY,
    ),
    KpiDefinition(
        KpiKey.ON_TIME_PAYMENT,
        "Paid on time",
        "Invoices to be paid on a day in the window at the latest (denominator), and those of them that payments up to"
        " that day and credits set off cover completely (numerator).",
        "invoice",
        _SHARE,
        _AT_LEAST,
        n_min=1,
        rights=(Right.READ_INTERNAL, Right.READ_MONEY),
        facts_rights=_MONEY,
    ),
)
CATALOGUE: dict[KpiKey, KpiDefinition] = {each.key: each for each in _ALL}
"""Every KPI by its key, in the order in which they are shown."""
