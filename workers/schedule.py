"""Schedule: ONE TABLE of periodic work, which depends on time alone."""

from domain import positions, promises
from workers.anomalies import scan_series
from workers.audit import keep_audit, keep_privacy, publish_checkpoints
from workers.bounces import keep_bounces
from workers.commitments import watch_commitments
from workers.compensation import close_months
from workers.draining import BacklogReport
from workers.escalation import sweep_escalations
from workers.files import keep_files, scan_files
from workers.health import sweep_health
from workers.invoices import bill_months
from workers.patrols import watch_rounds
from workers.periodic import Periodic
from workers.positions import keep_days, watch_guards
from workers.quality import lay_down, sweep_quality
from workers.raid import watch_raid
from workers.renewals import watch_renewals
from workers.reports import plan_reports, plan_touchpoints, sweep_reports
from workers.reviews import read_reviews
from workers.shifts import watch_shifts
from workers.surveys import ask_clients, plan_surveys
from workers.sweepers import forget_answers, sweep_promises
from workers.webhooks import forget_deliveries

Schedule = tuple[Periodic, ...]


def schedule() -> Schedule:
    """Return the periodic work of one worker."""
    return (
        # The interval bounds how late a deadline is noticed in a quiet hour; half of it on average.
        Periodic("promises", 0.2, sweep_promises, batch=200, isolated=True, warm=promises.warm),
        Periodic("positions", 0.5, watch_guards, batch=200, warm=positions.warm),
        Periodic("escalation", 1, sweep_escalations, batch=100),
        Periodic("quality", 0.5, sweep_quality, batch=20),
        Periodic("health", 2, sweep_health, batch=20),
        Periodic("reports", 1, sweep_reports, batch=50),
        Periodic("commitments", 1, watch_commitments, batch=200),
        Periodic("raid", 1, watch_raid, batch=200),
        Periodic("renewals", 60, watch_renewals, batch=50),
        Periodic("shifts", 1, watch_shifts, batch=200),
        Periodic("patrols", 1, watch_rounds, batch=200),
        Periodic("report plans", 60, plan_reports, batch=200),
        Periodic("touchpoints", 3600, plan_touchpoints),
        Periodic("survey plans", 60, plan_surveys),
        Periodic("surveys", 5, ask_clients, batch=50),
        Periodic("reviews", 5, read_reviews, batch=16),
        Periodic("anomalies", 60, scan_series, batch=20),
        Periodic("months", 10, close_months, batch=50),
        Periodic("invoices", 10, bill_months, batch=50),
        Periodic("audit", 1, keep_audit),
        Periodic("checkpoints", 60, publish_checkpoints),
        Periodic("archive", 60, lay_down),
        Periodic("bounces", 5, keep_bounces),
        Periodic("backlog", 10, BacklogReport().look),
        Periodic("virus scans", 1, scan_files, batch=10),
        Periodic("files", 60, keep_files, batch=100),
        Periodic("days", 3600, keep_days),
        Periodic("privacy", 3600, keep_privacy),
        Periodic("answers", 600, forget_answers, batch=200),
        Periodic("deliveries", 600, forget_deliveries, batch=500),
    )
