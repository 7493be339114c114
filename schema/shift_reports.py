"""Reports of shifts: what happened on a shift, with the notes for the next guard, signed and then unchanged."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import accounts, incidents, occurrences, patrols, shifts
from domain.access import Right
from domain.agreements.model import Priority
from domain.evidence import Grade
from domain.incidents import Status
from domain.occurrences import OccurrenceKind
from domain.shifts import AttendanceKind, AttendanceSource
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, naming, visible
from schema.core.mutations import MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import RESTRICTED, from_row, resolver
from schema.incidents import Incident
from schema.occurrences import OccurrenceEntry
from schema.patrols import PatrolRound
from schema.shifts import Attendance, Shift, ShiftId
from schema.sites import Site
from schema.users import User

ReportRow = strawberry.Parent[occurrences.ShiftReport]


@from_row(occurrences.EntryLine)
class ReportedEntry:
    """Entry of the occurrence log in a report, as it was when the report was signed."""

    kind: Annotated[OccurrenceKind, "Kind of what happened, as it was at the signature."]
    words: Annotated[str, "What the entry said at the signature."]
    happened_at: Annotated[datetime, "Time at which it happened."]

    entry = to_one(OccurrenceEntry, occurrences.OccurrenceEntry, "entry_id", "Entry as it is now.")


@from_row(occurrences.AttendanceLine)
class ReportedAttendance:
    """Clock-in or clock-out in a report, which counted when the report was signed."""

    kind: Annotated[AttendanceKind, "What the guard did: clock in or out."]
    at: Annotated[datetime, "Time at which the guard did it."]
    source: Annotated[AttendanceSource, "Who said so at the signature."]
    grade: Annotated[Grade | None, "Grade of the evidence at the signature."]

    attendance = to_one(
        Attendance, shifts.Attendance, "attendance_id", "Clock-in or clock-out as it is now."
    )


@from_row(occurrences.RoundLine)
class ReportedRound:
    """Round of a patrol in a report, as far as it was when the report was signed."""

    point_count: Annotated[int, "Number of points to visit."]
    visited: Annotated[int, "Number of points that were visited by the signature."]
    missed: Annotated[int, "Number of points that were missed by the signature."]
    completed_at: Annotated[
        datetime | None, "Time at which the last point was visited; null: not all were."
    ]

    round = to_one(PatrolRound, patrols.PatrolRound, "round_id", "Round as it is now.")


@from_row(occurrences.SiteIncidentLine)
class ReportedIncident:
    """Incident at the site in a report, as it was when the report was signed."""

    priority: Annotated[Priority, "Urgency at the signature."]
    status: Annotated[Status, "Status at the signature."]

    incident = to_one(
        Incident,
        incidents.Incident,
        "incident_id",
        "Incident as it is now; null for a guard without access to it.",
    )


@from_row(occurrences.ShiftReport)
class ShiftReport(Node):
    """Report of a shift that a guard began: awaited until it is signed, and unchanged from then on."""

    due_at: Annotated[
        datetime, "Planned end of the shift, from which a promise of kind `SHIFT_REPORTED` counts."
    ]
    handover: Annotated[str | None, "Notes for the next guard; null: there are none."]
    signed_at: Annotated[datetime | None, "Time of the signature; null: it is awaited."]
    signed_by: Annotated[str, "Actor who signed it, as named in the ledger.", RESTRICTED]
    by_guard: Annotated[
        bool | None, "Whether the guard of the shift signed it; false: the office; null: nobody."
    ]
    content_sha256: Annotated[
        str | None, "SHA-256 of its content, which the fact of the signature repeats."
    ]
    version: Annotated[int, "Version of the row, raised by every change."]

    account = to_one("Account", accounts.Account, "account_id", "Account that it is about.")

    site = to_one(Site, accounts.Site, "site_id", "Site that it is about.")

    shift = to_one(Shift, shifts.Shift, "shift_id", "Shift that it is about.")

    user = to_one(User, accounts.User, "user_id", "User who was the guard. Null for clients.")

    @resolver(list[ReportedEntry])
    @staticmethod
    async def entries(row: ReportRow, info: Info) -> list[occurrences.EntryLine]:
        """Entries of the log in it, by time; clients do not see internal ones. Empty before the signature."""
        wanted = occurrences.entries_named(row)
        if not wanted:
            return []
        correction = occurrences.OccurrenceCorrection
        found = await info.context.get_all(occurrences.OccurrenceEntry, wanted)
        corrected = await info.context.children_of_all(
            correction.entry_id, wanted, order=(correction.place,)
        )
        actor = info.context.actor
        return occurrences.entry_lines(
            row,
            {each.id: each for each in found},
            dict(zip(wanted, corrected, strict=True)),
            sees_internal=actor.may(Right.ATTEND) or actor.may(Right.READ_INTERNAL),
        )

    @resolver(list[ReportedAttendance])
    @staticmethod
    def attendance(row: ReportRow) -> list[occurrences.AttendanceLine]:
        """Clock-ins and clock-outs in it, by time. Empty before the signature."""
        return occurrences.attendance_lines(row)

    @resolver(list[ReportedRound])
    @staticmethod
    def rounds(row: ReportRow) -> list[occurrences.RoundLine]:
        """Rounds at the site in it, by their beginning. Empty before the signature."""
        return occurrences.round_lines(row)

    @resolver(list[ReportedIncident])
    @staticmethod
    def incidents(row: ReportRow) -> list[occurrences.SiteIncidentLine]:
        """Incidents at the site in it, by the time at which they were opened. Empty before the signature."""
        return occurrences.incident_lines(row)


@query_fields
class ShiftReportQuery:
    """Queries of reports of shifts."""

    @lists(ShiftReport, occurrences.ShiftReport.due_at, occurrences.ShiftReport.id, descending=True)
    @staticmethod
    def shift_reports(
        info: Info,
        account_id: AccountFilter = None,
        site_id: Annotated[strawberry.ID | None, "Only reports about this site."] = None,
        shift_id: Annotated[strawberry.ID | None, "Only the report of this shift."] = None,
        is_signed: Annotated[
            bool | None, "True: only signed ones; false: only awaited ones."
        ] = None,
    ) -> Rows:
        """Reports of shifts that somebody began, the latest first."""
        row = occurrences.ShiftReport
        query = visible(info, row, account_id)
        query = naming(info, query, row.site_id, "Site", site_id)
        query = naming(info, query, row.shift_id, "Shift", shift_id)
        if is_signed is None:
            return query
        return query.where(row.signed_at.is_not(None) if is_signed else row.signed_at.is_(None))


@mutation_fields
class ShiftReportMutation:
    """Mutations of reports of shifts."""

    @mutation(ShiftReport)
    @staticmethod
    async def sign_shift_report(
        ask: MutationContext,
        shift_id: Annotated[ShiftId, "Shift that is over: a guard's own."],
        handover: Annotated[str | None, "Notes for the next guard."] = None,
    ) -> occurrences.ShiftReport:
        """Generate and sign the report of a shift, once: entries, attendance, rounds and incidents as they are now."""
        return await occurrences.sign_report(ask.tx, shift_id, handover=handover)
