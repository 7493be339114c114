"""Schedule: ONE TABLE of periodic work, which depends on time or on what is due, and of what wakes it."""

from domain import (
    commitments,
    duties,
    escalation,
    files,
    health,
    incidents,
    lone_workers,
    patrols,
    positions,
    promises,
    quality,
    raid,
    replacements,
    replies,
    reports,
    reputation,
    shifts,
    surveys,
    webhooks,
)
from domain.core import outbox
from domain.core.wakeups import FactKinds
from workers.action_plans import measure_plans
from workers.anomalies import scan_series
from workers.audit import keep_audit, keep_privacy, publish_checkpoints
from workers.bounces import keep_bounces
from workers.commitments import watch_commitments
from workers.compensation import close_months
from workers.draining import BacklogReport
from workers.escalation import sweep_escalations
from workers.feedback import read_feedback, train_heads
from workers.files import keep_files, scan_files
from workers.health import sweep_health
from workers.invoices import bill_months
from workers.lone_workers import watch_lone_workers
from workers.mailbox import keep_mailbox
from workers.patrols import watch_rounds
from workers.periodic import Periodic
from workers.playbooks import watch_playbooks
from workers.positions import keep_days, watch_guards
from workers.quality import lay_down, sweep_quality
from workers.raid import watch_raid
from workers.renewals import watch_renewals
from workers.replacements import watch_replacements
from workers.replies import send_replies, watch_replies
from workers.reports import plan_reports, plan_touchpoints, sweep_reports
from workers.retention import watch_retention
from workers.reviews import compare_ratings, read_reviews
from workers.shifts import watch_shifts
from workers.surveys import ask_clients, plan_surveys
from workers.sweepers import forget_answers, sweep_promises
from workers.watch_rules import watch_qualifications
from workers.webhooks import forget_deliveries

Schedule = tuple[Periodic, ...]
MOMENTS = "it follows from time alone, and a minute does not matter"
RETENTION = "it deletes what is past its time, and nobody waits for that"


def schedule() -> Schedule:
    """Return the periodic work of one worker: the shortest pause of each part, and what wakes it or why it polls."""
    return (
        Periodic(
            "promises",
            0.2,
            sweep_promises,
            batch=200,
            wakes=promises.DUE + incidents.PAUSES_DUE,
            isolated=True,
            warm=promises.warm,
        ),
        Periodic(
            "positions",
            0.5,
            watch_guards,
            batch=200,
            wakes=positions.DUE + duties.DUE,
            warm=positions.warm,
        ),
        Periodic("escalation", 1, sweep_escalations, batch=100, wakes=escalation.DUE),
        Periodic("quality", 0.5, sweep_quality, batch=20, wakes=quality.DUE),
        Periodic("health", 2, sweep_health, batch=20, wakes=health.DUE),
        Periodic(
            "reports", 1, sweep_reports, batch=50, wakes=reports.PLANS_DUE + reports.DELIVERIES_DUE
        ),
        Periodic("commitments", 1, watch_commitments, batch=200, wakes=commitments.DUE),
        Periodic("shifts", 1, watch_shifts, batch=200, wakes=shifts.DUE),
        Periodic("patrols", 1, watch_rounds, batch=200, wakes=patrols.DUE),
        Periodic("replacements", 1, watch_replacements, batch=50, wakes=replacements.DUE),
        Periodic("lone workers", 0.5, watch_lone_workers, batch=100, wakes=lone_workers.DUE),
        Periodic("raid", 1, watch_raid, batch=200, wakes=raid.DUE),
        Periodic(
            "playbooks",
            10,
            watch_playbooks,
            batch=100,
            polls="it follows from dates, KPIs and new colleagues, and an index finds what is due",
        ),
        Periodic("retention", 600, watch_retention, batch=20, polls="it publishes once a month"),
        Periodic("renewals", 60, watch_renewals, batch=50, polls=MOMENTS),
        Periodic("report plans", 60, plan_reports, batch=200, polls=MOMENTS),
        Periodic("touchpoints", 3600, plan_touchpoints, polls="it plans days ahead"),
        Periodic("survey plans", 60, plan_surveys, polls=MOMENTS),
        Periodic(
            "surveys", 5, ask_clients, batch=50, wakes=surveys.WAVES_DUE + surveys.REMINDERS_DUE
        ),
        Periodic("reviews", 5, read_reviews, batch=16, wakes=reputation.DUE),
        Periodic(
            "feedback",
            2,
            read_feedback,
            batch=64,
            half_time=True,
            wakes=(FactKinds("survey.", "review."),),
        ),
        Periodic("feedback heads", 3600, train_heads, batch=5, polls=MOMENTS),
        Periodic("action plans", 60, measure_plans, batch=20, polls=MOMENTS),
        Periodic("review ratings", 600, compare_ratings, batch=50, polls=MOMENTS),
        Periodic("review replies", 2, send_replies, batch=32, wakes=replies.SENDING_DUE),
        Periodic("late replies", 5, watch_replies, batch=200, wakes=replies.LATE_DUE),
        Periodic(
            "qualifications", 600, watch_qualifications, batch=50, polls="it looks days ahead"
        ),
        Periodic("anomalies", 60, scan_series, batch=20, polls=MOMENTS),
        # Midnight in the zone of an account ends a month, and no row holds that instant: hence the backstop.
        Periodic("months", 10, close_months, batch=50, wakes=(FactKinds("agreement."),)),
        Periodic(
            "invoices",
            10,
            bill_months,
            batch=50,
            wakes=(FactKinds("agreement.", "billing_party.", "credit", "company."),),
        ),
        Periodic("audit", 1, keep_audit, wakes=(FactKinds(""),)),
        Periodic("checkpoints", 60, publish_checkpoints, polls=MOMENTS),
        Periodic("archive", 60, lay_down, polls=MOMENTS),
        Periodic("mailbox", 20, keep_mailbox, polls="many mail servers announce no mail"),
        Periodic("bounces", 5, keep_bounces, polls="no program announces a mail in a folder"),
        Periodic(
            "backlog", 10, BacklogReport().look, polls="it measures how long something has waited"
        ),
        Periodic("virus scans", 1, scan_files, batch=10, wakes=files.SCANS_DUE),
        Periodic("files", 60, keep_files, batch=100, polls=RETENTION),
        Periodic("days", 3600, keep_days, polls="it creates the partitions of coming days"),
        Periodic("privacy", 3600, keep_privacy, polls=RETENTION),
        Periodic("answers", 600, forget_answers, batch=200, polls=RETENTION),
        Periodic("deliveries", 600, forget_deliveries, batch=500, polls=RETENTION),
    )


def messages() -> set[str]:
    """Return the messages of the triggers that the parts of a worker wait for."""
    wakes = [*outbox.DUE, *webhooks.DUE, *(each for part in schedule() for each in part.wakes)]
    waited = {each.message for each in wakes if not isinstance(each, FactKinds)}
    return {each for each in waited if each is not None}
