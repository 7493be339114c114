"""Random rows of everything that KPIs count: eighty of each an account, over the accounts and sites of one company."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession

from domain import accounts, agreements
from domain.access import Actor, Tx
from domain.accounts import Account, Channel, Contact, Segment, ServiceTier, Site, User
from domain.agreements.model import (
    Agreement,
    Priority,
    PromiseTerm,
    Rate,
    Terms,
    TicketKind,
    Unit,
)
from domain.commitments import Commitment, CommitmentKind
from domain.compensation.model import Dispute, DisputeState
from domain.core.base import uuid7
from domain.core.db import Sessions, transaction
from domain.incidents.model import Incident, IncidentOutcome, IncidentUpdate, Source, Status
from domain.invoices.model import CreditNote, DeliveredLine, Invoice, InvoiceLine, Payment
from domain.journal.model import Book, JournalEntry, JournalKind, JournalLine
from domain.messages.model import Message, MessageState
from domain.posts.model import Post
from domain.promises.model import Promise, PromiseWatch, State
from domain.shifts.model import Shift, ShiftState
from domain.status_reports import StatusLight, StatusReport
from domain.surveys import QuestionKind, Survey, SurveyPurpose
from domain.surveys.model import (
    QuestionnaireVersion,
    SurveyAnswer,
    SurveyInvitation,
    SurveyResponse,
    SurveyWave,
)
from tests import build, surveying
from tests.build import World

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 180
AMOUNT = 80


@dataclass(frozen=True)
class Place:
    """One account with its sites and agreement."""

    account: Account
    sites: Sequence[Site]
    contact: Contact
    agreement: Agreement
    terms: Terms
    term: PromiseTerm


@dataclass(frozen=True)
class Filled:
    """A company full of rows."""

    world: World
    places: Sequence[Place]


class Filling:
    """Writes random rows."""

    def __init__(self, session: AsyncSession, random: Random, world: World) -> None:
        self.session, self.random, self.world = session, random, world
        self.incidents: list[Incident] = []

    def at(self) -> datetime:
        """A time in the half year; often an exact midnight of Amsterdam in winter, the edge of windows."""
        if self.random.random() < 0.1:
            return BEGIN + timedelta(days=self.random.randrange(DAYS), hours=-1)
        return BEGIN + timedelta(microseconds=self.random.randrange(DAYS * 86_400_000_000))

    def later(self, at: datetime, hours: float = 60) -> datetime:
        """A time after another, sometimes the same."""
        if self.random.random() < 0.05:
            return at
        return at + timedelta(microseconds=self.random.randrange(int(hours * 3_600_000_000)))

    def day(self) -> date:
        """A day of the half year."""
        return BEGIN.date() + timedelta(days=self.random.randrange(DAYS))

    def maybe(self, value: Any, share: float = 0.5) -> Any:
        """The value, or None."""
        return value if self.random.random() < share else None

    def own(self, place: Place) -> dict[str, UUID]:
        """Company and account."""
        return {"tenant_id": place.account.tenant_id, "account_id": place.account.id}

    async def incident(self, place: Place) -> None:
        """An incident, open or resolved, with updates and a message now and then."""
        random, opened = self.random, self.at()
        acknowledged = self.maybe(self.later(opened, 6), 0.8)
        resolved = self.maybe(self.later(acknowledged or opened), 0.8)
        row = Incident(
            id=uuid7(), **self.own(place), site_id=random.choice(place.sites).id,
            kind=random.choice(list(TicketKind)), priority=Priority.HIGH, source=Source.GUARD,
            reporter="A", summary="B", opened_at=opened, acknowledged_at=acknowledged,
            resolved_at=resolved, status=Status.NEW if resolved is None else Status.RESOLVED,
            outcome=None if resolved is None else random.choice([None, *IncidentOutcome]),
            reopened_count=random.choice([0, 0, 0, 1, 2]),
            reassigned_count=random.choice([0, 0, 1]),
            client_contact_count=random.choice([0, 1, 1, 2]),
        )  # fmt: skip
        self.session.add(row)
        await self.session.flush()
        self.incidents.append(row)
        if random.random() < 0.3:
            self.session.add(
                IncidentUpdate(
                    **self.own(place),
                    incident_id=row.id,
                    at=self.later(opened, 8),
                    author="A",
                    body="B",
                    client_visible=random.random() < 0.7,
                )
            )
        if random.random() < 0.4:
            suffix = random.choice(["", ":opened", ":at_risk"])
            self.message(place, f"incident:{row.id}{suffix}", self.later(opened, 8))

    def message(self, place: Place, intent: str, at: datetime, **more: Any) -> None:
        """A message to the contact, sent or still queued."""
        sent = self.maybe(self.later(at, 1), 0.9)
        values = {
            "contact_id": place.contact.id, "intent": intent, "template": "check_in",
            "template_version": 1, "language": "nl", "channel": Channel.EMAIL, "body": "b",
            "recipient": "a@b.example", "subject": "s", "content_sha256": "", "queued_at": at,
            "state": MessageState.SENT if sent else MessageState.QUEUED, "sent_at": sent,
        }  # fmt: skip
        self.session.add(Message(**self.own(place), **(values | more)))

    async def promise(self, place: Place) -> None:
        """A promise of an incident or of another unit, in any state, contested now and then."""
        random, own = self.random, self.own(place)
        about = random.choice(
            [each for each in self.incidents if each.account_id == own["account_id"]]
        )
        unit = about.id if random.random() < 0.7 else uuid4()
        kind = "incident" if unit == about.id else "report"
        if (
            await self.session.scalar(select(PromiseWatch.id).where(PromiseWatch.unit_id == unit))
            is None
        ):
            site = about.site_id if kind == "incident" else self.maybe(place.sites[0].id)
            self.session.add(
                PromiseWatch(
                    **own,
                    unit_kind=kind,
                    unit_id=unit,
                    site_id=site,
                    began_at=about.opened_at,
                    term_ids=[],
                )
            )
        state = random.choice([State.KEPT, State.KEPT, State.KEPT, State.LATE, State.RUNNING])
        decided = None if state is State.RUNNING else self.later(about.opened_at, 10)
        row = Promise(
            id=uuid7(), **own, unit_kind=kind, unit_id=unit, agreement_id=place.agreement.id,
            terms_id=place.terms.id, term_id=place.term.id, part=random.randrange(1_000_000),
            kind=place.term.kind, name="x", priority=Priority.HIGH, internal=random.random() < 0.2,
            state=state, started_at=self.maybe(about.opened_at, 0.9), decided_at=decided,
            target_us=1, evaluated_at=about.opened_at, evaluator=1,
        )  # fmt: skip
        self.session.add(row)
        await self.session.flush()
        if decided is not None and random.random() < 0.2:
            over = self.maybe(self.later(decided, 200))
            changed = random.choice([DisputeState.CHANGED, DisputeState.UNCHANGED])
            self.session.add(
                Dispute(
                    **own,
                    promise_id=row.id,
                    reason="r",
                    opened_by="c",
                    opened_at=decided,
                    verdict_was=str(state),
                    verdict_was_at=decided,
                    facts_was=1,
                    state=DisputeState.OPEN if over is None else changed,
                    decided_at=over,
                )
            )

    async def shift(self, place: Place, post: Post, guard: User, number: int) -> None:
        """A shift of a day of its own, attended or not."""
        random = self.random
        start = BEGIN + timedelta(days=number % DAYS, hours=random.choice([7, 15, 22]))
        until = start + timedelta(hours=random.choice([4, 8, 8.5]))
        state = random.choice([*ShiftState, ShiftState.ENDED, ShiftState.ENDED])
        begun = self.maybe(start + timedelta(seconds=random.randrange(-900, 1_800)), 0.8)
        if random.random() < 0.05:
            begun = start + timedelta(minutes=5)
        ended = (
            None if begun is None else self.maybe(begun + timedelta(hours=random.choice([2, 4, 9])))
        )
        self.session.add(
            Shift(
                **self.own(place),
                post_id=post.id,
                site_id=post.site_id,
                on_day=start.date(),
                user_id=self.maybe(guard.id, 0.8),
                state=state,
                from_at=start,
                until_at=until,
                started_at=begun,
                ended_at=ended,
                cancelled_at=start if state is ShiftState.CANCELLED else None,
            )
        )

    async def response(self, place: Place, survey: Survey, version: QuestionnaireVersion) -> None:
        """An invitation with its answers, anonymous now and then."""
        random, own, asked = self.random, self.own(place), self.at()
        wave = SurveyWave(
            id=uuid7(),
            **own,
            survey_id=survey.id,
            name=str(uuid4()),
            due_at=asked,
            decided_at=asked,
        )
        self.session.add(wave)
        await self.session.flush()
        answered = random.random() < 0.7
        invitation = SurveyInvitation(
            id=uuid7(), **own, survey_id=survey.id, wave_id=wave.id, version_id=version.id,
            contact_id=place.contact.id, purpose=SurveyPurpose.RELATIONSHIP, decided_at=asked,
            closes_at=asked + timedelta(days=14), is_answered=answered,
        )  # fmt: skip
        self.session.add(invitation)
        await self.session.flush()
        if random.random() < 0.2:
            lost = random.choice([MessageState.BOUNCED, MessageState.FAILED])
            self.message(place, f"survey:{invitation.id}", asked, state=lost)
        if not answered:
            return
        anonymous = random.random() < 0.3
        row = SurveyResponse(
            id=uuid7(), **own, survey_id=survey.id, version_id=version.id, language="nl",
            invitation_id=None if anonymous else invitation.id,
            contact_id=None if anonymous else place.contact.id,
            site_id=self.maybe(random.choice(place.sites).id), is_anonymous=anonymous,
            answered_at=self.later(asked, 300), weight=random.choice([1.0, 3.0]),
        )  # fmt: skip
        self.session.add(row)
        await self.session.flush()
        for question, kind, scale in (
            ("a", QuestionKind.RATING, 5), ("b", QuestionKind.RATING, 5),
            ("c", QuestionKind.NPS, 11), ("d", QuestionKind.CES, 8),
        ):  # fmt: skip
            number = random.choice([*range(scale + 1), None])
            self.session.add(
                SurveyAnswer(
                    **own,
                    response_id=row.id,
                    question=question,
                    kind=kind,
                    number=number,
                    is_anonymous=anonymous,
                )
            )

    async def invoice(self, place: Place, rate: Rate, month: int, currency: str) -> None:
        """An invoice of a month with a delivery, a correction, payments and a credit note now and then."""
        random, own = self.random, self.own(place)
        first = date(2025, 12, 1) if month == 0 else date(2026, month, 1)
        last = first + timedelta(days=27)
        issued = last + timedelta(days=random.randrange(3, 9))
        net = random.randrange(10_000, 90_000)
        gross = net * 121 // 100
        parts = {
            "issued_on": issued, "period_from_on": first, "period_until_on": last, "supplier": {},
            "customer": {}, "currency": currency,
        }  # fmt: skip
        row = Invoice(
            id=uuid7(), **own, **parts, number=str(uuid4()), net_cents=net, vat_cents=gross - net,
            gross_cents=gross, agreement_id=place.agreement.id, due_on=issued + timedelta(days=14),
        )  # fmt: skip
        self.session.add(row)
        await self.session.flush()
        line = InvoiceLine(
            id=uuid7(), **own, position=1, name="n", quantity_milli=1, unit=Unit.HOUR, price_cents=1,
            net_cents=net, vat_category="S", vat_rate_bps=2_100, invoice_id=row.id, rate_id=rate.id,
        )  # fmt: skip
        self.session.add(line)
        await self.session.flush()
        for quantity in (1_000, self.maybe(-500, 0.4)):
            if quantity is not None:
                self.session.add(
                    DeliveredLine(
                        **own,
                        agreement_id=place.agreement.id,
                        rate_code=rate.code,
                        delivered_on=first + timedelta(days=random.randrange(28)),
                        quantity_milli=quantity,
                        reference=str(uuid4()),
                        invoice_line_id=self.maybe(line.id),
                    )
                )
        if random.random() < 0.3:
            self.session.add(
                CreditNote(
                    **own,
                    **parts,
                    number=str(uuid4()),
                    net_cents=1_000,
                    vat_cents=210,
                    gross_cents=1_210,
                    agreement_id=place.agreement.id,
                    invoice_id=row.id,
                )
            )
        for amount in random.choice(
            [[gross], [gross - 1_210], [gross // 2, gross - gross // 2], []]
        ):
            paid = row.due_on + timedelta(days=random.randrange(-12, 4))
            payment = Payment(
                id=uuid7(), **own, invoice_id=row.id, amount_cents=amount, paid_on=paid,
                reference=str(uuid4()), reversed_at=self.maybe(self.at(), 0.1),
            )  # fmt: skip
            self.session.add(payment)
            await self.session.flush()
            if payment.reversed_at is not None:
                self.session.add(
                    Payment(
                        **own,
                        invoice_id=row.id,
                        amount_cents=-amount,
                        paid_on=paid,
                        reference=payment.reference,
                        reverses_id=payment.id,
                    )
                )

    async def commitment(self, place: Place, owner: User) -> None:
        """A commitment, done in time, late, not at all, or withdrawn."""
        made = self.at()
        due = made + timedelta(hours=self.random.randrange(1, 400))
        done = self.maybe(self.random.choice([due, self.later(made, 500)]), 0.7)
        gone = None if done is not None else self.maybe(made, 0.3)
        self.session.add(
            Commitment(
                **self.own(place),
                kind=self.random.choice(list(CommitmentKind)),
                words="W",
                owner_id=owner.id,
                internal=self.random.random() < 0.2,
                made_at=made,
                due_at=due,
                done_at=done,
                done_by=None if done is None else "user:1",
                withdrawn_at=gone,
                withdrawn_reason=None if gone is None else "r",
            )
        )

    async def status_report(self, place: Place, number: int) -> None:
        """A status report of one day, confirmed as computed, greener, or not at all."""
        day = BEGIN.date() + timedelta(days=number)
        confirmed = self.maybe(self.at(), 0.8)
        greener = self.random.random() < 0.3
        self.session.add(
            StatusReport(
                **self.own(place),
                from_on=day,
                until_on=day + timedelta(days=1),
                drafted_at=BEGIN,
                computed=StatusLight.RED,
                reasons=[],
                summary="S",
                figures={},
                done_ids=[],
                due_ids=[],
                raid_ids=[],
                confirmed=None if confirmed is None else StatusLight.GREEN,
                confirmed_at=confirmed,
                confirmed_by=None if confirmed is None else "user:1",
                is_greener=None if confirmed is None else greener,
                reason="r",
            )
        )

    async def movement(self, place: Place) -> None:
        """A journal entry of any kind."""
        own, cents = self.own(place), self.random.randrange(100, 9_000)
        entry = JournalEntry(
            id=uuid7(), **own, agreement_id=place.agreement.id, subject_id=uuid4(), n=1,
            kind=self.random.choice([*JournalKind, JournalKind.GRANT, JournalKind.GRANT]),
            reason="r", at=self.at(), actor="a",
        )  # fmt: skip
        self.session.add(entry)
        await self.session.flush()
        sign = self.random.choice([1, 1, 1, -1])
        cost = self.random.choice([Book.SERVICE_RECOVERY, Book.GOODWILL, Book.BANK])
        currency = self.random.choice(["EUR", "EUR", "EUR", "USD"])
        for book, amount in ((cost, sign * cents), (Book.CLIENT_CREDIT, -sign * cents)):
            self.session.add(
                JournalLine(
                    **own, entry_id=entry.id, book=book, amount_cents=amount, currency=currency
                )
            )


async def filled(make: Sessions, seed: int) -> Filled:
    """A company with four accounts, full of random rows."""
    random, world = Random(seed), await build.client(make)
    system = Actor.system(world.tenant.id, "test")
    survey = await surveying.survey(make, world.tenant.id, BEGIN)
    async with transaction(make) as session:
        tx = Tx(session, system, BEGIN)
        places = [await _place(tx, world, random, number) for number in range(4)]
    async with transaction(make) as session:
        filling = Filling(session, random, world)
        version = (
            await session.scalars(
                select(QuestionnaireVersion).where(
                    QuestionnaireVersion.questionnaire_id == survey.questionnaire_id
                )
            )
        ).first()
        assert version is not None
        for place in places:
            await _fill(filling, place, survey, version)
    return Filled(world, places)


async def _place(tx: Tx, world: World, random: Random, number: int) -> Place:
    account = await accounts.create_account(
        tx, name=f"Klant {uuid4()}", segment=list(Segment)[number % 3],
        service_tier=list(ServiceTier)[number % 2],
        time_zone=("Europe/Amsterdam", "America/New_York")[number % 2],
    )  # fmt: skip
    sites = [await accounts.add_site(tx, account.id, name=f"Site {n}") for n in range(2)]
    contact = await accounts.add_contact(
        tx, account.id, name="C", role="r", email=f"{uuid4()}@example.org"
    )
    agreement = await agreements.sign(
        tx, account.id, reference=str(uuid4()), title="T", signed_on=date(2025, 12, 1),
        in_force_from=BEGIN, terms=build.terms_draft(world.calendar),
    )  # fmt: skip
    await agreements.amend(
        tx, agreement.id, in_force_from=BEGIN + timedelta(days=random.randrange(20, 90)),
        terms=build.terms_draft(world.calendar),
    )  # fmt: skip
    terms = (
        await tx.session.scalars(select(Terms).where(Terms.agreement_id == agreement.id))
    ).all()
    term = (
        await tx.session.scalars(select(PromiseTerm).where(PromiseTerm.terms_id == terms[0].id))
    ).first()
    assert term is not None
    return Place(account, sites, contact, agreement, terms[-1], term)


async def _fill(
    filling: Filling, place: Place, survey: Survey, version: QuestionnaireVersion
) -> None:
    session, own = filling.session, filling.own(place)
    guard = User(
        id=uuid7(),
        tenant_id=own["tenant_id"],
        email=f"{uuid4()}@example.org",
        name="G",
        role="guard",
    )
    posts = [
        Post(id=uuid7(), **own, site_id=site.id, name="P", service="s", valid_from_on=BEGIN.date())
        for site in place.sites
    ]
    rate = Rate(
        id=uuid7(), **own, agreement_id=place.agreement.id, code="h", name="Hour", unit=Unit.HOUR,
        price_cents=1, currency="EUR", in_force=Range(date(2025, 1, 1), None),
    )  # fmt: skip
    session.add_all([guard, *posts, rate])
    await session.flush()
    for _ in range(AMOUNT):
        await filling.incident(place)
    for number in range(AMOUNT):
        await filling.promise(place)
        await filling.shift(place, filling.random.choice(posts), guard, number)
        await filling.response(place, survey, version)
        await filling.movement(place)
        await filling.commitment(place, guard)
        await filling.status_report(place, number)
    for month in range(7):
        await filling.invoice(place, rate, month, "EUR")
    await filling.invoice(place, rate, 3, "USD")
    if filling.random.random() < 0.7:
        filling.message(place, f"agreement:{place.agreement.id}", BEGIN + timedelta(days=5))
    filling.message(place, f"agreement:{place.terms.id}:amended", BEGIN + timedelta(days=21))
    ended = await session.get_one(Agreement, place.agreement.id)
    ended.ended_at = filling.maybe(BEGIN + timedelta(days=150))
