"""Routes: ONE TABLE of the jobs that follow from each kind of fact. The outbox stores job names: never rename one."""

from collections.abc import Mapping

from domain import health
from workers.action_plans import tell_action_done
from workers.audit import erase_person
from workers.compensation import decide_credit, settle_credit
from workers.credit_notices import tell_adjustment, tell_credit
from workers.escalation import follow_ticket
from workers.feedback import follow_review_link
from workers.health import mark_health
from workers.identity import send_invitation, send_security_notice
from workers.jobs import Job
from workers.notices import (
    announce_amendment,
    announce_closing_note,
    announce_end,
    follow_distress,
    follow_incident,
    hurry_notices,
    plan_after_incident,
    send_invitations,
    send_meeting_agenda,
    send_meeting_summary,
    tell_alarm,
    tell_answered,
    tell_checkpoint,
    tell_offer,
    tell_opened,
    tell_payout,
    tell_recovery,
    tell_renewal_due,
    tell_replacement,
    tell_resolved,
    tell_updated,
    warn_ops,
)
from workers.photos import grade_photo
from workers.playbooks import continue_playbook, open_playbook
from workers.quality import mark_quality
from workers.renewals import follow_duration
from workers.replies import (
    draft_reply,
    follow_edited_review,
    follow_linked_review,
    follow_shown_reply,
)
from workers.reports import schedule_reports
from workers.reviews import match_review
from workers.sending import send_message
from workers.surveys import follow_up_answers
from workers.watch_rules import open_for_no_show, open_for_round, open_for_silence

Routes = Mapping[str, tuple[Job, ...]]

ROUTES: Routes = {
    "promise.breached": (decide_credit, mark_quality),
    "promise.kept": (mark_quality,),
    "promise.revised": (
        settle_credit,
        mark_quality,
    ),
    "promise.cancelled": (
        settle_credit,
        mark_quality,
    ),
    "credit.decided": (tell_credit,),
    "credit.granted": (tell_credit,),
    "credit.adjusted": (tell_adjustment,),
    "promise.at_risk": (warn_ops,),
    "agreement.amended": (announce_amendment,),
    "agreement.ended": (announce_end, follow_duration),
    "agreement.duration_agreed": (follow_duration,),
    "renewal.due": (tell_renewal_due,),
    "credit_note.issued": (announce_closing_note,),
    "credit_note.paid_out": (tell_payout,),
    "credit_note.payout_reversed": (tell_payout,),
    "incident.opened": (tell_opened, follow_ticket),
    "incident.acknowledged": (follow_ticket,),
    "incident.work_started": (follow_ticket,),
    "incident.arrived": (follow_ticket, follow_incident),
    "incident.arrival_withdrawn": (follow_ticket, follow_incident),
    "incident.arrival_graded": (follow_incident,),
    "incident.acknowledgement_withdrawn": (follow_ticket,),
    "incident.updated": (tell_updated, follow_ticket),
    "incident.paused": (follow_ticket,),
    "incident.resumed": (follow_ticket,),
    "incident.resolved": (
        tell_resolved,
        follow_ticket,
        plan_after_incident,
        follow_incident,
        follow_distress,
    ),
    "incident.closed": (follow_ticket,),
    "incident.reopened": (follow_ticket,),
    "incident.prioritised": (follow_ticket, hurry_notices),
    "meeting.planned": (send_invitations,),
    "meeting.invited": (send_invitations,),
    "meeting.rescheduled": (send_invitations,),
    "meeting.cancelled": (send_invitations,),
    "meeting.agenda_sent": (send_meeting_agenda,),
    "meeting.summarised": (send_meeting_summary,),
    "file.attached": (grade_photo,),
    "review.received": (match_review, draft_reply),
    "review.edited": (follow_edited_review,),
    "review.gone": (follow_edited_review,),
    "review.reply_seen": (follow_shown_reply,),
    "review.linked": (follow_linked_review, follow_review_link),
    "review.link_refused": (follow_linked_review, follow_review_link),
    "action_plan.done": (tell_action_done,),
    "survey.answered": (follow_up_answers,),
    "survey.corrected": (follow_up_answers,),
    "commitment.done": (continue_playbook,),
    "commitment.withdrawn": (continue_playbook,),
    "health.band_changed": (open_playbook,),
    "warning.raised": (open_playbook,),
    "recovery.step_done": (tell_recovery,),
    "alarm.dispatched": (tell_alarm,),
    "alarm.arrived": (tell_alarm,),
    "shift.no_show": (open_for_no_show,),
    "patrol_round.ended": (open_for_round,),
    "guard.silent": (open_for_silence,),
    "replacement.needed": (tell_replacement,),
    "replacement.found": (tell_replacement,),
    "replacement.arrived": (tell_replacement,),
    "replacement.unfilled": (tell_replacement,),
    "shift_offer.made": (tell_offer,),
    "message.queued": (send_message,),
    "message.answered": (tell_answered,),
    "message.bounced": (send_message,),
    "checkpoint.published": (tell_checkpoint,),
    "parameter.set": (schedule_reports,),
    "parameter.reset": (schedule_reports,),
    "account.changed": (schedule_reports,),
    "person.erasure_requested": (erase_person,),
    "user.invited": (send_invitation,),
    "user.password_reset_asked": (send_invitation,),
    "user.password_changed": (send_security_notice,),
    "user.factor_added": (send_security_notice,),
    "user.factor_removed": (send_security_notice,),
    "user.recovery_codes_made": (send_security_notice,),
    "user.recovery_code_used": (send_security_notice,),
    "user.signed_out": (send_security_notice,),
}
_HEALTH = {*health.KINDS, "contact.added", "contact.changed", "parameter.set", "parameter.reset"}
ROUTES = {kind: ROUTES.get(kind, ()) for kind in [*ROUTES, *sorted(_HEALTH)]}
ROUTES = {kind: (*jobs, mark_health) if kind in _HEALTH else jobs for kind, jobs in ROUTES.items()}


def names(routes: Routes) -> dict[str, tuple[str, ...]]:
    """Return the names of jobs by kind of fact, as the outbox stores them."""
    return {kind: tuple(name_of(job) for job in jobs) for kind, jobs in routes.items()}


def jobs(routes: Routes) -> dict[str, Job]:
    """Return every job by its name."""
    return {name_of(job): job for kind in routes.values() for job in kind}


def name_of(job: Job) -> str:
    """Return the name of a job in the outbox."""
    return str(job.__name__)
