"""Enums shared by several types; registered before the first type that uses one."""

from domain.agreements import ClockStart, Priority, PromiseKind, TicketKind
from schema.core.types import enum

__all__ = ["ClockStart", "Priority", "PromiseKind", "TicketKind"]

enum(
    Priority,
    "Priority",
    critical="Critical: needs action before all other work.",
    high="High: needs action now.",
    medium="Medium: needs action today.",
    low="Low: can wait for a convenient moment.",
)
enum(
    PromiseKind,
    "PromiseKind",
    first_response="From opened to acknowledged by the company.",
    next_update="From one update for the client to the next.",
    arrival="From opened to the arrival of a guard on site.",
    resolution="From opened to resolved.",
    closure="From opened to closed.",
    agreed_date="From opened to closed, by the date agreed for this incident.",
    report_delivered="A report is delivered when it is due; the target is how much later it may be.",
    shift_started="A shift begins when it is planned; the target is how much later it may begin.",
    patrol_completed="A round of a patrol is completed by its end; the target is how much later it may be.",
    point_visited="A point of a patrol is visited when it is due; the target is how much later it may be.",
    shift_reported="The report of a shift is signed by its planned end; the target is how much later it may be.",
    shift_covered="The planned time of a shift is staffed; the objective is the share of it.",
    client_satisfied="A client rates 4 or 5 of 5 in a survey; counted when it closes, the category is its purpose.",
    commitment_kept="A commitment is done when it is due; the target is how much later it may be.",
    replacement_on_post="Another guard is at the post within the target after an absence became known.",
    review_answered="A review is answered when its reply is due; the target is how much later it may be.",
    alarm_attended="From the time at which an alarm is received to somebody on site; the category is its kind.",
    incident_told="From the time at which an incident happened to the time at which it was reported.",
)
enum(
    ClockStart,
    "ClockStart",
    told="When the incident was reported: `Incident.openedAt`.",
    occurred="When the incident happened, `Incident.occurredAt`; when it was reported, if nobody stated that.",
)
enum(
    TicketKind,
    "TicketKind",
    incident="Incident: something went wrong at the site.",
    complaint="Complaint: a person is not satisfied.",
    inquiry="Inquiry: a person asks for information.",
    service_request="Service request: a person asks for work.",
    alarm="Alarm: an alarm went off.",
    maintenance="Maintenance: equipment or premises need upkeep.",
    enhancement="Enhancement: something works and could be improved.",
)
