"""Every table, imported once: what migrations and checks compare the database with."""

from domain import idempotency, ledger, outbox
from domain.accounts import model as accounts
from domain.agreements import model as agreements
from domain.base import Base
from domain.calendars import model as calendars
from domain.compensation import model as compensation
from domain.incidents import model as incidents
from domain.messages import model as messages
from domain.sla import model as sla

MODELS = (
    accounts,
    agreements,
    calendars,
    compensation,
    idempotency,
    incidents,
    ledger,
    messages,
    outbox,
    sla,
)
metadata = Base.metadata
