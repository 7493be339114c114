"""Ask for testimonials, take them with consent, moderate and withdraw them."""

from collections.abc import Collection
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import exists, select

from domain import messages
from domain.access import Right, Tx
from domain.accounts.model import Account, Contact, Stage, Tenant
from domain.core.base import uuid7
from domain.core.errors import Code, Refused, must_be_current, naming_only
from domain.core.text_rules import must_be_line, must_be_text
from domain.crises import in_crisis
from domain.testimonials import events
from domain.testimonials.letters import TestimonialLetter
from domain.testimonials.links import place_of
from domain.testimonials.model import (
    Testimonial,
    TestimonialChannel,
    TestimonialRefusal,
    TestimonialState,
)
from domain.testimonials.rules import ASKED_AGAIN, CONSENT_VERSION, LONGEST

SERVED = (Stage.DELIVERY, Stage.GROWTH, Stage.RENEWAL, Stage.ADVOCACY)
MOST_WORDS = 2_000
_OVER = frozenset({TestimonialState.DECLINED, TestimonialState.WITHDRAWN})


async def ask_everybody(tx: Tx) -> list[Testimonial]:
    """Ask every contact of every client that is served, all alike; return the requests.

    Left out are those without an e-mail address, who want no such messages, were asked within 180 days, or are of a
    client in a crisis. What anybody answered, rated or is expected to say is not looked at.
    """
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    if tx.actor.accounts is not None:
        raise Refused(
            Code.NOT_ALLOWED, "Everybody is asked, so this needs access to every account."
        )
    asked = exists().where(
        Testimonial.contact_id == Contact.id, Testimonial.asked_at > tx.at - ASKED_AGAIN
    )
    people = await tx.session.scalars(
        select(Contact)
        .join(Account, Account.id == Contact.account_id)
        .where(
            Contact.tenant_id == tx.actor.tenant_id,
            Contact.email.is_not(None),
            Contact.wants_service_messages,
            Account.stage.in_(SERVED),
            ~asked,
            ~in_crisis(Account.id),
        )
        .order_by(Contact.id)
    )
    tenant = await tx.session.get_one(Tenant, tx.actor.tenant_id)
    batch_id = uuid7()
    return [
        row
        for contact in people.all()
        if (row := await _ask(tx, contact, tenant, batch_id)) is not None
    ]


async def give(
    tx: Tx,
    testimonial_id: UUID,
    *,
    words: str,
    shown_name: str,
    shown_role: str | None,
    channels: Collection[TestimonialChannel],
    until_on: date,
    language: str,
) -> Testimonial:
    """Take the text of a contact with the consent for these channels; it waits for moderation, also the second time."""
    row = await _locked(tx, testimonial_id, None)
    _must_be_open(row)
    must_be_text(words, "words")
    must_be_line(shown_name, "name")
    must_be_line(shown_role, "role")
    if len(words) > MOST_WORDS:
        raise Refused(
            Code.INVALID, f"The text has at most {MOST_WORDS:,} characters.", argument="words"
        )
    if not channels:
        raise Refused(Code.INVALID, "Choose where it may be shown.", argument="channels")
    today = tx.at.date()
    if not today <= until_on <= today + LONGEST:
        raise Refused(Code.INVALID, "Choose a day within three years.", argument="until")
    before, row.state = row.state, TestimonialState.GIVEN
    row.words, row.shown_name, row.shown_role = words, shown_name, shown_role
    row.channels = sorted(str(each) for each in channels)
    row.language, row.until_on = language, until_on
    row.consent_version, row.consented_at = CONSENT_VERSION, tx.at
    row.moderated_at = row.refusal = None
    tx.record(
        events.TestimonialGiven(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            channels=row.channels,
            until_on=until_on,
            consent_version=CONSENT_VERSION,
            before=str(before),
            after=str(row.state),
        )
    )
    await tx.session.flush()
    return row


async def decline(tx: Tx, testimonial_id: UUID) -> Testimonial:
    """Take a contact's no; what was written before is erased."""
    row = await _locked(tx, testimonial_id, None)
    _must_be_open(row)
    is_given = row.state is not TestimonialState.REQUESTED
    return await (_withdraw(tx, row) if is_given else _decline(tx, row))


async def approve(
    tx: Tx, testimonial_id: UUID, *, expected_version: int | None = None
) -> Testimonial:
    """Let a testimonial be shown, word for word, within its consent."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await _locked(tx, testimonial_id, expected_version)
    if row.state not in {TestimonialState.GIVEN, TestimonialState.REFUSED}:
        raise Refused(Code.INVALID, f"The testimonial is {row.state}.", argument="id")
    before, row.state = row.state, TestimonialState.APPROVED
    row.moderated_at, row.refusal = tx.at, None
    tx.record(
        events.TestimonialApproved(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            before=str(before),
            after=str(row.state),
        )
    )
    await tx.session.flush()
    return row


async def refuse(
    tx: Tx,
    testimonial_id: UUID,
    *,
    reason: TestimonialRefusal,
    expected_version: int | None = None,
) -> Testimonial:
    """Refuse to show a testimonial for one of five reasons, none of which is that it is unfavourable."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await _locked(tx, testimonial_id, expected_version)
    if row.state not in {TestimonialState.GIVEN, TestimonialState.APPROVED}:
        raise Refused(Code.INVALID, f"The testimonial is {row.state}.", argument="id")
    before, row.state = row.state, TestimonialState.REFUSED
    row.moderated_at, row.refusal = tx.at, reason
    tx.record(
        events.TestimonialRefused(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            reason=str(reason),
            before=str(before),
            after=str(row.state),
        )
    )
    await tx.session.flush()
    return row


async def withdraw(
    tx: Tx, testimonial_id: UUID, *, expected_version: int | None = None
) -> Testimonial:
    """Withdraw a testimonial on behalf of its contact: it is shown nowhere from now on, and its text is erased."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await _locked(tx, testimonial_id, expected_version)
    if row.state in _OVER:
        raise Refused(Code.ALREADY_DONE, f"The testimonial is {row.state}.", argument="id")
    return await _withdraw(tx, row)


async def forget_contact(tx: Tx, contact_id: UUID) -> int:
    """Withdraw the testimonials of a contact who is erased; return how many had a text."""
    rows = await tx.session.scalars(
        select(Testimonial).where(Testimonial.contact_id == contact_id).with_for_update()
    )
    count = 0
    for row in rows.all():
        if row.state not in _OVER:
            count += row.words is not None
            await _withdraw(tx, row)
        row.contact_id = None
    await tx.session.flush()
    return count


async def _ask(tx: Tx, contact: Contact, tenant: Tenant, batch_id: UUID) -> Testimonial | None:
    row_id = uuid7()
    with naming_only():
        written = await messages.compose(
            tx,
            contact.account_id,
            intent=f"testimonial:{row_id}",
            template=TestimonialLetter,
            variables={"company": tenant.name, "link": place_of(row_id)},
            contacts=[contact.id],
        )
    if not written:
        return None
    row = Testimonial(
        id=row_id,
        tenant_id=contact.tenant_id,
        account_id=contact.account_id,
        contact_id=contact.id,
        batch_id=batch_id,
        state=TestimonialState.REQUESTED,
        asked_at=tx.at,
        language=contact.language,
        channels=[],
    )
    tx.session.add(row)
    tx.record(
        events.TestimonialRequested(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            contact_id=contact.id,
            batch_id=batch_id,
        )
    )
    await tx.session.flush()
    return row


async def _withdraw(tx: Tx, row: Testimonial) -> Testimonial:
    return await _end(tx, row, TestimonialState.WITHDRAWN, events.TestimonialWithdrawn)


async def _decline(tx: Tx, row: Testimonial) -> Testimonial:
    return await _end(tx, row, TestimonialState.DECLINED, events.TestimonialDeclined)


async def _end(
    tx: Tx,
    row: Testimonial,
    state: TestimonialState,
    fact: type[events.TestimonialWithdrawn | events.TestimonialDeclined],
) -> Testimonial:
    before, row.state = row.state, state
    row.words = row.shown_name = row.shown_role = row.refusal = None
    row.ended_at = tx.at
    tx.record(
        fact(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            before=str(before),
            after=str(state),
        )
    )
    await tx.session.flush()
    return row


async def _locked(tx: Tx, testimonial_id: UUID, expected_version: int | None) -> Testimonial:
    row = await tx.get(Testimonial, testimonial_id, "testimonial", lock=True)
    must_be_current(row.version, expected_version)
    return row


def _must_be_open(row: Testimonial) -> None:
    if row.state in _OVER:
        raise Refused(Code.ALREADY_DONE, "It was withdrawn or declined.")


def latest_day(today: date) -> date:
    """Return the last day that consent can be given for."""
    return today + LONGEST


def usual_day(today: date) -> date:
    """Return the day until which consent is proposed."""
    return today + timedelta(days=2 * 365)
