"""Shifts: planned work of guards at posts, from the pattern to attendance, and what is found about it."""

from domain.shifts.attendance import (
    clock_in,
    clock_out,
    correct_attendance,
)
from domain.shifts.clocks import SHIFT
from domain.shifts.grading import PhonePosition, PhoneStatement, phone_position
from domain.shifts.lifecycle import assign_shift, cancel_shift, confirm_shift, publish
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

__all__ = [
    "DUE",
    "LATE_AFTER",
    "MOST_DAYS",
    "SHIFT",
    "Attendance",
    "AttendanceKind",
    "AttendanceSource",
    "LocalHours",
    "PatternDraft",
    "PhonePosition",
    "PhoneStatement",
    "RosterChange",
    "RosterStep",
    "Shift",
    "ShiftPattern",
    "ShiftState",
    "add_pattern",
    "assign_shift",
    "cancel_shift",
    "clock_in",
    "clock_out",
    "confirm_shift",
    "correct_attendance",
    "days_of",
    "end_pattern",
    "look_at_shift",
    "must_be_rule",
    "phone_position",
    "plan_from_pattern",
    "plan_one",
    "publish",
    "shifts_due",
]
