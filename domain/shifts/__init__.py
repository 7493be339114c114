"""Shifts: planned work of guards at posts, from the pattern to attendance, and what is found about it."""

from domain.shifts.attendance import (
    attend_by_phone,
    clock_in,
    clock_out,
    correct_attendance,
)
from domain.shifts.clocks import SHIFT
from domain.shifts.events import OfGrade
from domain.shifts.grading import (
    PhonePosition,
    PhoneStatement,
    graded_fields,
    phone_position,
)
from domain.shifts.guarding import guard_by_offer, guard_for
from domain.shifts.lifecycle import (
    assign_shift,
    cancel_shift,
    confirm_shift,
    hand_to,
    publish,
    shift_of,
    take_from,
)
from domain.shifts.many_guards import OneMoreShift, check_many
from domain.shifts.model import (
    Attendance,
    AttendanceKind,
    AttendanceSource,
    RosterChange,
    RosterStep,
    Shift,
    ShiftPattern,
    ShiftState,
)
from domain.shifts.recurrence import MOST_DAYS, LocalHours, days_of, must_be_rule
from domain.shifts.roster import (
    PatternDraft,
    add_pattern,
    end_pattern,
    plan_from_pattern,
    plan_one,
)
from domain.shifts.rules import LATE_AFTER
from domain.shifts.watching import DUE, look_at_shift, shifts_due
from domain.shifts.working_hours import AROUND
from domain.shifts.working_time import WorkingTimeRule, WorkPeriod

__all__ = [
    "AROUND",
    "DUE",
    "LATE_AFTER",
    "MOST_DAYS",
    "SHIFT",
    "Attendance",
    "AttendanceKind",
    "AttendanceSource",
    "LocalHours",
    "OfGrade",
    "OneMoreShift",
    "PatternDraft",
    "PhonePosition",
    "PhoneStatement",
    "RosterChange",
    "RosterStep",
    "Shift",
    "ShiftPattern",
    "ShiftState",
    "WorkPeriod",
    "WorkingTimeRule",
    "add_pattern",
    "assign_shift",
    "attend_by_phone",
    "cancel_shift",
    "check_many",
    "clock_in",
    "clock_out",
    "confirm_shift",
    "correct_attendance",
    "days_of",
    "end_pattern",
    "graded_fields",
    "guard_by_offer",
    "guard_for",
    "hand_to",
    "look_at_shift",
    "must_be_rule",
    "phone_position",
    "plan_from_pattern",
    "plan_one",
    "publish",
    "shift_of",
    "shifts_due",
    "take_from",
]
