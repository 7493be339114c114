"""Loaders: one batch a relation, each in a short read session of its own (siblings load at the same time).

A set of loaders belongs to one request, or to one event of a subscription, and to one actor: batches wear the fence.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import column as a_column
from sqlalchemy import select, true, values
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.types import Integer, Uuid
from strawberry.dataloader import DataLoader

from domain.access import Actor, visible_to
from domain.accounts import Account, ApiKey, Contact, Site, Tenant, User
from domain.agreements import (
    Agreement,
    CreditBand,
    CreditRule,
    PromiseTarget,
    PromiseTerm,
    Rate,
    Term,
    Terms,
    terms_by_id,
)
from domain.calendars import Calendar, CalendarSpec, CalendarVersion, specs
from domain.compensation import CompensationPolicy, Credit, Dispute
from domain.core.constants_cache import ConstantsCache
from domain.core.db import Sessions
from domain.core.erasable_text import ErasableText
from domain.core.ledger import LedgerRow
from domain.core.outbox import Outbox
from domain.credentials import Device, SignIn
from domain.duties import Duty
from domain.duties.pseudonyms import Doer, names_of
from domain.escalation import Escalation, EscalationPolicy, EscalationStep
from domain.incidents import Incident, IncidentUpdate, Pause
from domain.invoices import (
    BillingParty,
    CreditNote,
    CreditNoteLine,
    DeliveredLine,
    Invoice,
    InvoiceLine,
    Payment,
    Payout,
    PlannedLine,
)
from domain.journal import JournalEntry, JournalLine
from domain.messages.model import Attempt, Message
from domain.positions import Presence
from domain.promises import Promise
from domain.quality import QualityPolicy
from domain.recovery import RecoveryCase, RecoveryStep
from domain.reports import Report, ReportPlan
from domain.simulation import Simulation
from domain.touchpoints import Touchpoint
from domain.webhooks import Webhook, WebhookAttempt, WebhookDelivery
from schema.site_status_loader import posts

BATCH = 500
NODES = (
    *(Account, Agreement, ApiKey, Calendar, CalendarVersion, Contact, Credit, CreditRule),
    *(Incident, IncidentUpdate, Message, Outbox, Pause, Promise, PromiseTarget, PromiseTerm, Site),
    *(QualityPolicy, Simulation, Tenant, Terms, User),
    *(CompensationPolicy, Dispute, RecoveryCase),
    *(BillingParty, CreditNote, DeliveredLine, Invoice, Payment, Payout, PlannedLine, Rate),
    *(Device, Duty, Presence, SignIn),
    *(Report, ReportPlan, Touchpoint),
    *(Webhook, WebhookDelivery),
    *(Escalation, EscalationPolicy),
)
"""Rows with a global id; the GraphQL type has the model's name."""
R = TypeVar("R")


class Some(NamedTuple):
    """The first children of a parent, `most` at most."""

    parent: UUID
    most: int


class Loaders:
    """Every relation of the graph, by name."""

    of_type: dict[str, DataLoader[UUID, Any]]
    tenant: DataLoader[UUID, Tenant | None]
    account: DataLoader[UUID, Account | None]
    site: DataLoader[UUID, Site | None]
    contact: DataLoader[UUID, Contact | None]
    user: DataLoader[UUID, User | None]
    calendar: DataLoader[UUID, Calendar | None]
    calendar_version: DataLoader[UUID, CalendarVersion | None]
    agreement: DataLoader[UUID, Agreement | None]
    promise_term: DataLoader[UUID, PromiseTerm | None]
    incident: DataLoader[UUID, Incident | None]
    promise: DataLoader[UUID, Promise | None]
    credit_of_promise: DataLoader[UUID, Credit | None]
    disclosure: DataLoader[Any, ErasableText | None]
    fact_of_outbox: DataLoader[Any, LedgerRow | None]

    def __init__(self, make: Sessions, actor: Actor) -> None:
        self.personal: set[UUID] = set()
        """Accounts about whose contacts something was read."""

        def one(column: Any) -> DataLoader[UUID, Any]:
            return _one(make, actor, column, self._saw)

        def many(column: Any, *order: Any) -> DataLoader[UUID, list[Any]]:
            return _many(make, actor, column, order)

        def some(column: Any, *order: Any) -> DataLoader[Some, list[Any]]:
            return _some(make, actor, column, order, self._saw)

        self.of_type = {model.__name__: one(model.id) for model in NODES}
        self.tenant = self.of_type["Tenant"]
        self.account = self.of_type["Account"]
        self.site = self.of_type["Site"]
        self.contact = self.of_type["Contact"]
        self.user = self.of_type["User"]
        self.calendar = self.of_type["Calendar"]
        self.calendar_version = self.of_type["CalendarVersion"]
        self.agreement = self.of_type["Agreement"]
        self.promise_term = self.of_type["PromiseTerm"]
        self.incident = self.of_type["Incident"]
        self.promise = self.of_type["Promise"]

        self.credit_of_promise = one(Credit.promise_id)
        self.versions_of_calendar = many(CalendarVersion.calendar_id, CalendarVersion.number.desc())
        self.terms_of_agreement = many(Terms.agreement_id, Terms.number.desc())
        self.promises_of_terms = many(PromiseTerm.terms_id, PromiseTerm.id)
        self.targets_of_term = many(PromiseTarget.term_id, PromiseTarget.id)
        self.credit_rules_of_term = many(CreditRule.term_id, CreditRule.id)
        self.credit_bands_of_term = many(CreditBand.term_id, CreditBand.below_ppm)
        self.rates_of_agreement = many(Rate.agreement_id, Rate.code, Rate.in_force)
        self.entries_of_subject = many(JournalEntry.subject_id, JournalEntry.n)
        self.lines_of_entry = many(JournalLine.entry_id, JournalLine.id)
        self.lines_of_invoice, self.lines_of_note = (
            many(InvoiceLine.invoice_id, InvoiceLine.position),
            many(CreditNoteLine.credit_note_id, CreditNoteLine.position),
        )
        self.note_of_invoice: DataLoader[UUID, CreditNote | None] = one(CreditNote.invoice_id)
        self.payments_of_invoice = many(Payment.invoice_id, Payment.paid_on, Payment.id)
        self.payouts_of_note = many(Payout.credit_note_id, Payout.paid_on, Payout.id)
        self.steps_of_case = many(RecoveryStep.case_id, RecoveryStep.round, RecoveryStep.due_at)
        self.pauses_of_incident = many(Pause.incident_id, Pause.from_at)
        self.sites_of_account = some(Site.account_id, Site.name, Site.id)
        self.contacts_of_account = some(Contact.account_id, Contact.name, Contact.id)
        self.agreements_of_account = some(Agreement.account_id, Agreement.id.desc())
        self.incidents_of_account = some(
            Incident.account_id, Incident.opened_at.desc(), Incident.id.desc()
        )
        self.incidents_of_site = some(
            Incident.site_id, Incident.opened_at.desc(), Incident.id.desc()
        )
        self.updates_of_incident = some(
            IncidentUpdate.incident_id, IncidentUpdate.at.desc(), IncidentUpdate.id.desc()
        )
        self.promises_of_incident = some(
            Promise.incident_id, Promise.started_at, Promise.term_id, Promise.part
        )
        self.credits_of_incident = some(Credit.incident_id, Credit.id)
        self.clock_of_term, self.hours_of_term = _clocks(make), _hours(make)
        self.posts = posts(make, actor)
        self.name_of_doer = _names(make, actor)
        self.disclosure = one(ErasableText.commitment)
        self.steps_of_escalation = many(
            EscalationStep.escalation_id, EscalationStep.due_at, EscalationStep.id
        )
        self.attempts_of_delivery = many(
            WebhookAttempt.delivery_id, WebhookAttempt.at, WebhookAttempt.id
        )
        self.attempts_of_message = many(Attempt.message_id, Attempt.number)
        self.fact_of_outbox = one(LedgerRow.id)
        self.facts_of_subject = many(LedgerRow.subject_id, LedgerRow.id)

    def _saw(self, row: Any) -> None:
        if isinstance(row, Contact):
            self.personal.add(row.account_id)


def _names(make: Sessions, actor: Actor) -> DataLoader[Doer, str]:
    """What the actor is shown instead of whoever did something."""

    async def batch(keys: list[Doer]) -> Sequence[str]:
        async with make() as session:
            names = await names_of(session, actor, keys)
        return [names[key] for key in keys]

    return DataLoader(batch, max_batch_size=BATCH)


def _one(
    make: Sessions, actor: Actor, column: InstrumentedAttribute[UUID], saw: Callable[[Any], None]
) -> DataLoader[UUID, Any]:
    model: Any = column.class_

    async def batch(keys: list[UUID]) -> Sequence[Any]:
        async with make() as session:
            rows = await session.scalars(
                select(model).where(column.in_(keys), visible_to(actor, model))
            )
            found = {getattr(row, column.key): row for row in rows}
        for row in found.values():
            saw(row)
        return [found.get(key) for key in keys]

    return DataLoader(batch, max_batch_size=BATCH)


def _many(
    make: Sessions, actor: Actor, column: InstrumentedAttribute[UUID], order: Iterable[Any]
) -> DataLoader[UUID, list[Any]]:
    model: Any = column.class_

    async def batch(keys: list[UUID]) -> Sequence[list[Any]]:
        query = select(model).where(column.in_(keys), visible_to(actor, model)).order_by(*order)
        found: defaultdict[UUID, list[Any]] = defaultdict(list)
        async with make() as session:
            for row in await session.scalars(query):
                found[getattr(row, column.key)].append(row)
        return [found[key] for key in keys]

    return DataLoader(batch, max_batch_size=BATCH)


_CLOCKS_KEPT = 20_000
_clock_cache: ConstantsCache[UUID, CalendarSpec] = ConstantsCache(_CLOCKS_KEPT)


def clock_seen(term_id: UUID) -> CalendarSpec | None:
    """The hours of a promise's clock if this process has met them: a promise read at once costs 40 µs less."""
    return _clock_cache.get(term_id)


def _clocks(make: Sessions) -> DataLoader[UUID, CalendarSpec]:
    """The hours in which the clock of a promise runs; terms and calendars never change, a process keeps them."""

    async def batch(keys: list[UUID]) -> Sequence[CalendarSpec]:
        async with make() as session:
            terms = await terms_by_id(session, keys)
            wanted = {term.calendar_version_id for term in terms.values()}
            known = await specs(session, wanted)
        found = {key: known[terms[key].calendar_version_id] for key in keys}
        _clock_cache.add(found)
        return [found[key] for key in keys]

    return DataLoader(batch, max_batch_size=BATCH)


_hours_cache: ConstantsCache[UUID, tuple[Term, CalendarSpec]] = ConstantsCache(_CLOCKS_KEPT)


def _hours(make: Sessions) -> DataLoader[UUID, tuple[Term, CalendarSpec]]:
    """A promise of the terms with the hours of its clock; neither ever changes, a process keeps them."""

    async def batch(keys: list[UUID]) -> Sequence[tuple[Term, CalendarSpec]]:
        found = _hours_cache.known(keys)
        if missing := [key for key in keys if key not in found]:
            async with make() as session:
                terms = await terms_by_id(session, missing)
                known = await specs(session, {each.calendar_version_id for each in terms.values()})
            loaded = {key: (terms[key], known[terms[key].calendar_version_id]) for key in missing}
            _hours_cache.add(loaded)
            found |= loaded
        return [found[key] for key in keys]

    return DataLoader(batch, max_batch_size=BATCH)


def _some(
    make: Sessions,
    actor: Actor,
    column: InstrumentedAttribute[UUID],
    order: Sequence[Any],
    saw: Callable[[Any], None],
) -> DataLoader[Some, list[Any]]:
    """The first children of each parent: one index scan a parent, in one statement (LATERAL)."""
    model: Any = column.class_

    async def batch(keys: list[Some]) -> Sequence[list[Any]]:
        asked = values(a_column("parent", Uuid), a_column("wanted", Integer), name="asked").data(
            [(key.parent, key.most) for key in keys]
        )
        inner = (
            select(model)
            .where(column == asked.c.parent, visible_to(actor, model))
            .order_by(*order)
            .limit(asked.c.wanted)
            .lateral()
        )
        row_of = aliased(model, inner)
        query = select(asked.c.parent, asked.c.wanted, row_of).join_from(asked, inner, true())
        found: defaultdict[Some, list[Any]] = defaultdict(list)
        async with make() as session:
            for parent, most, row in await session.execute(query):
                found[Some(parent, most)].append(row)
                saw(row)
        return [found[key] for key in keys]

    return DataLoader(batch, max_batch_size=BATCH)
