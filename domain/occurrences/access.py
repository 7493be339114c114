"""Access rules of the occurrence log: clients see entries that are not internal, guards those at sites of own work."""

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Uuid, and_, column, select, table

from domain.access import Actor, Right, own_work
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

_ENTRY = table(
    "occurrence_entry",
    *(column("id", Uuid), column("account_id", Uuid), column("site_id", Uuid)),
    column("internal", Boolean),
)


def _sees_internal(actor: Actor) -> bool:
    return actor.may(Right.READ_INTERNAL) or actor.may(Right.ATTEND)


def _shown(actor: Actor, entry: Any) -> ColumnElement[bool]:
    """Select the entries of accessible accounts; internal ones for guards and the office only."""
    reach = actor.scope(entry)
    return reach if _sees_internal(actor) else and_(reach, entry.internal.is_(False))


def _of_shown(actor: Actor, correction: Any) -> ColumnElement[bool]:
    """Select what was shown to the actor before the correction, of entries that are shown now."""
    reach = actor.scope(correction)
    if _sees_internal(actor):
        return reach
    shown = select(_ENTRY.c.id).where(_ENTRY.c.internal.is_(False)).correlate_except(_ENTRY)
    return and_(reach, correction.earlier_internal.is_(False), correction.entry_id.in_(shown))


def _of_entry_at_hand(actor: Actor, correction: Any) -> ColumnElement[bool]:
    """Select the corrections of entries at sites of a guard's own work."""
    entries = select(_ENTRY.c.id).where(own_work.at_site_of_own_work(actor, _ENTRY.c))
    found: ColumnElement[bool] = correction.entry_id.in_(entries.correlate_except(_ENTRY))
    return found


ACCESS = AccessRules(
    rows={
        "occurrence_entry": Rows(
            (Right.READ_ROSTER,),
            "accessible accounts, internal ones for ATTEND or READ_INTERNAL only; always one's own entries",
            _shown,
            own=own_work.at_site_of_own_work,
            always=own_work.user_is_self,
        ),
        "occurrence_correction": Rows(
            (Right.READ_ROSTER,),
            "of entries that the actor sees, and saw before",
            _of_shown,
            own=_of_entry_at_hand,
        ),
        "shift_report": Rows((Right.READ_ROSTER,), own=own_work.at_site_of_own_work),
    },
    row_texts={
        ("occurrence_entry", None): "entries at sites of the own work",
        ("occurrence_correction", None): "of entries at sites of the own work",
        ("shift_report", None): "of shifts at sites of the own work",
    },
    fields={
        "OccurrenceEntry": {
            None: "id kind words happenedAt loggedAt version account site shift user corrections incident",
            Right.READ_FILES: "files",
            Right.ATTEND: "internal",
            Right.READ_ACTORS: "loggedBy",
        },
        "OccurrenceCorrection": {
            None: "id place earlierKind earlierWords reason correctedAt entry",
            Right.READ_ACTORS: "correctedBy",
        },
        "ShiftReport": {
            None: "id dueAt handover signedAt byGuard contentSha256 version account site shift user entries"
            " attendance rounds",
            Right.READ_INCIDENTS: "incidents",
            Right.READ_ACTORS: "signedBy",
        },
        "ReportedEntry": {None: "kind words happenedAt entry"},
        "ReportedAttendance": {None: "kind at source grade attendance"},
        "ReportedRound": {None: "pointCount visited missed completedAt round"},
        "ReportedIncident": {None: "priority status incident"},
        "Incident": {Right.READ_ROSTER: "occurrenceEntry"},
        "Shift": {None: "report"},
    },
    facts={
        Right.READ_ROSTER: "occurrence.logged occurrence.corrected occurrence.became_incident"
        " shift_report.expected shift_report.signed"
    },
    queries={"occurrenceEntries": (), "shiftReports": ()},
    subscriptions={"occurrenceLogged": (Right.READ_LEDGER, Right.READ_ROSTER)},
    mutations={
        Right.ATTEND: "logOccurrence correctOccurrenceEntry openIncidentFromEntry signShiftReport"
    },
)
