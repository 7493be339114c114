"""Every table, imported once: what migrations and checks compare the database with."""

from domain.accounts import model as accounts
from domain.agreements import model as agreements
from domain.archive import model as archive
from domain.audit import model as audit
from domain.calendars import model as calendars
from domain.compensation import model as compensation
from domain.core import deferral, epoch, erasable_text, idempotency, ledger, outbox
from domain.core.base import Base
from domain.credentials import model as credentials
from domain.duties import model as duties
from domain.escalation import model as escalation
from domain.factors import model as factors
from domain.incidents import model as incidents
from domain.invoices import model as invoices
from domain.journal import model as journal
from domain.messages import model as messages
from domain.positions import model as positions
from domain.promises import model as sla
from domain.quality import model as quality
from domain.recovery import model as recovery
from domain.reports import model as reports
from domain.simulation import model as simulation
from domain.touchpoints import model as touchpoints
from domain.webhooks import model as webhooks

MODELS = (
    accounts,
    agreements,
    archive,
    audit,
    calendars,
    compensation,
    credentials,
    deferral,
    erasable_text,
    duties,
    epoch,
    escalation,
    factors,
    idempotency,
    incidents,
    invoices,
    journal,
    ledger,
    messages,
    outbox,
    positions,
    quality,
    recovery,
    reports,
    simulation,
    sla,
    touchpoints,
    webhooks,
)
metadata = Base.metadata
