"""Jobs that write notices: each runs the function of its name in the capability that holds the data."""

from collections.abc import Awaitable, Callable
from functools import wraps

from domain import (
    agreements,
    alarms,
    audit,
    escalation,
    incidents,
    invoices,
    lone_workers,
    meetings,
    recovery,
    renewals,
    replacements,
    surveys,
)
from domain.access import Tx
from domain.core.sequencing import SequencedEvent
from workers.jobs import Job, JobContext

WriteNotice = Callable[[Tx, SequencedEvent], Awaitable[None]]


def job_of(write: WriteNotice) -> Job:
    """Make a job of a function that writes the notices of a fact; the outbox stores the name of the function."""

    @wraps(write)
    async def job(context: JobContext) -> None:
        await write(context.tx, context.fact)

    return job


follow_incident = job_of(alarms.follow_incident)
follow_distress = job_of(lone_workers.follow_distress)
tell_alarm = job_of(alarms.tell_alarm)
announce_amendment = job_of(agreements.announce_amendment)
announce_closing_note = job_of(invoices.announce_closing_note)
announce_end = job_of(agreements.announce_end)
plan_after_incident = job_of(surveys.plan_after_incident)
hurry_notices = job_of(incidents.hurry_notices)
send_invitations = job_of(meetings.send_invitations)
send_meeting_agenda = job_of(meetings.send_meeting_agenda)
send_meeting_summary = job_of(meetings.send_meeting_summary)
tell_answered = job_of(escalation.tell_answered)
tell_checkpoint = job_of(audit.tell_checkpoint)
tell_opened = job_of(incidents.tell_opened)
tell_payout = job_of(invoices.tell_payout)
tell_offer = job_of(replacements.tell_offer)
tell_recovery = job_of(recovery.tell_recovery)
tell_renewal_due = job_of(renewals.tell_renewal_due)
tell_replacement = job_of(replacements.tell_replacement)
tell_resolved = job_of(incidents.tell_resolved)
tell_updated = job_of(incidents.tell_updated)
warn_ops = job_of(escalation.warn_ops)
