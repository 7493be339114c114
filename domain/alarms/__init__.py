"""Alarms: taken in from alarm centres once each, answered by the nearest guard, reported; with the keys of sites."""

from domain.alarms.clocks import ALARM
from domain.alarms.dc09 import BrokenFrame, FrameAnswer, SystemFrame, answer_frame, read_frame
from domain.alarms.following import follow_incident
from domain.alarms.intake import AlarmDraft, TakenFrame, receive_alarm, take_frame
from domain.alarms.keys import issue_key, register_key, return_key, withdraw_key
from domain.alarms.letters import AlarmLetter, AlarmOrderLetter, tell_alarm
from domain.alarms.model import (
    Alarm,
    AlarmKind,
    AlarmOutcome,
    AlarmState,
    AlarmSystem,
    FalseAlarmCause,
    KeyMovement,
    KeyMovementKind,
    RegisteredKey,
)
from domain.alarms.responding import (
    InspectedItem,
    accept_alarm,
    arrive_at_alarm,
    call_off_alarm,
    decline_alarm,
    dispatch_alarm,
    inspect_alarm,
    note_police,
    report_alarm,
    set_out,
)
from domain.alarms.systems import AlarmZone, retire_alarm_system, set_alarm_system
from domain.alarms.units import (
    KM_AN_HOUR,
    AlarmUnit,
    ExcludedUnit,
    UnitExclusion,
    UnitRanking,
    rank_units,
)

__all__ = [
    "ALARM",
    "KM_AN_HOUR",
    "Alarm",
    "AlarmDraft",
    "AlarmKind",
    "AlarmLetter",
    "AlarmOrderLetter",
    "AlarmOutcome",
    "AlarmState",
    "AlarmSystem",
    "AlarmUnit",
    "AlarmZone",
    "BrokenFrame",
    "ExcludedUnit",
    "FalseAlarmCause",
    "FrameAnswer",
    "InspectedItem",
    "KeyMovement",
    "KeyMovementKind",
    "RegisteredKey",
    "SystemFrame",
    "TakenFrame",
    "UnitExclusion",
    "UnitRanking",
    "accept_alarm",
    "answer_frame",
    "arrive_at_alarm",
    "call_off_alarm",
    "decline_alarm",
    "dispatch_alarm",
    "follow_incident",
    "inspect_alarm",
    "issue_key",
    "note_police",
    "rank_units",
    "read_frame",
    "receive_alarm",
    "register_key",
    "report_alarm",
    "retire_alarm_system",
    "return_key",
    "set_alarm_system",
    "set_out",
    "take_frame",
    "tell_alarm",
    "withdraw_key",
]
