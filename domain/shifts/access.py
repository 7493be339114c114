"""Access rules of shifts: clients see published ones of their sites, guards their own published ones."""

from typing import Any

from sqlalchemy import ColumnElement

from domain.access import Right, own_work
from domain.access.declarations import AccessRules
from domain.access.rule import Rows


def _published(shift: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = shift.published_at.is_not(None)
    return found


ACCESS = AccessRules(
    rows={
        "shift": Rows(
            (Right.READ_ROSTER,),
            "",
            unless={Right.READ_INTERNAL: _published},
            own=own_work.user_is_self,
        ),
        "attendance": Rows((Right.READ_ROSTER,), "", own=own_work.user_is_self),
        "shift_pattern": Rows((Right.READ_ROSTER, Right.READ_INTERNAL)),
        "roster_change": Rows((Right.READ_ROSTER, Right.READ_INTERNAL)),
    },
    row_texts={
        ("shift", Right.READ_INTERNAL): "published shifts",
        ("shift", None): "the own published shifts",
        ("attendance", None): "the own attendance",
    },
    fields={
        "Shift": {
            None: "id onDay seat number state fromAt untilAt publishedAt confirmedAt startedAt endedAt"
            " lateAt noShowAt leftEarlyAt cancelledAt version account site post user attendance",
            Right.ATTEND: "cancelReason",
            Right.READ_INTERNAL: "pattern",
        },
        "Attendance": {
            None: "id kind at source grade reasons recordedAt replacedAt shift",
            Right.ATTEND: "distanceM reason",
            Right.READ_ACTORS: "recordedBy",
        },
        "ShiftPattern": {
            None: "id rule startsOn endsOn localStart localEnd seats account post user"
        },
        "RosterBoard": {None: "shifts complete"},
        "RosterChange": {None: "id step madeAt count unchanged warnings post shifts"},
    },
    facts={
        Right.READ_ROSTER: "shift_pattern.added shift_pattern.ended shift.assigned"
        " shift.attendance_corrected shift.cancelled shift.clocked_in shift.clocked_out shift.confirmed"
        " shift.end_withdrawn shift.ended shift.finding_withdrawn shift.late shift.left_early"
        " shift.no_show shift.planned shift.published shift.start_graded shift.start_withdrawn"
    },
    queries={"shifts": (), "shiftPatterns": (), "rosterBoard": ()},
    subscriptions={"shiftChanges": (Right.READ_LEDGER, Right.READ_ROSTER)},
    mutations={
        Right.ROSTER: "addShiftPattern endShiftPattern planShifts planShift publishShifts assignShift"
        " cancelShift correctAttendance",
        Right.ATTEND: "confirmShift clockIn clockOut",
    },
)
