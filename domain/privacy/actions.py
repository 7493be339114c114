"""Erase and export personal data. The ledger stays whole, because it holds commitments instead of texts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain import (
    accounts,
    advocacy,
    feedback,
    files,
    guards,
    messages,
    reputation,
    surveys,
    testimonials,
)
from domain.access import Actor, Tx
from domain.accounts.model import Contact, User
from domain.core.base import JSON
from domain.core.erasable_text import ErasableText
from domain.credentials.model import Device, Invitation, Password, RefreshToken, SignIn
from domain.factors import delete_factors
from domain.messages.model import Address, Attempt, Enclosure, Message, MessageState, Unsubscription
from domain.positions.model import Fix
from domain.privacy.events import Erased, ErasureRequested, Exported
from domain.privacy.mentions import must_be_mentions, redact
from domain.privacy.reads import locked_person, personal_data
from domain.privacy.rules import ERASED, Person

WORDLESS = {
    "recipient": ERASED,
    "subject": ERASED,
    "body": ERASED,
    "html": None,
    "error": None,
}
ENDED = tuple(state for state in MessageState if state not in messages.WAITING)


async def request_erasure(
    tx: Tx, person: Person, person_id: UUID, *, confirmed: Sequence[str] = ()
) -> Contact | User:
    """Request the erasure of a person; a job does it within seconds, with the role and access of `tx.actor`.

    `confirmed` are the texts, as the export lists them, that mean this person.
    """
    row = await locked_person(tx.session, tx.actor, person, person_id)
    await must_be_mentions(tx.session, tx.actor, row, confirmed)
    tx.record(
        ErasureRequested(
            account_id=_account_of(row),
            subject_id=row.id,
            at=tx.at,
            person=person,
            role=tx.actor.role,
            accounts=_reach(tx.actor, row),
            mentions=sorted(set(confirmed)),
        )
    )
    return row


async def export(tx: Tx, person: Person, person_id: UUID) -> tuple[Contact | User, JSON]:
    """Return the person's row and everything about the person that `tx.actor` may read; record the export."""
    row = await locked_person(tx.session, tx.actor, person, person_id)
    data = await personal_data(tx.session, tx.actor, row)
    tx.record(Exported(account_id=_account_of(row), subject_id=row.id, at=tx.at, person=person))
    return row, data


async def erase(tx: Tx, person: Person, person_id: UUID, *, confirmed: Sequence[str] = ()) -> None:
    """Erase a person: the row keeps only its id, so that facts still distinguish persons.

    Messages to the person lose recipient and text and keep their hash. Free text changes only in the `confirmed` texts,
    within the actor's access. A second call has no effect.
    """
    row = await locked_person(tx.session, tx.actor, person, person_id)
    if row.name == ERASED:
        return
    words, texts = await redact(tx.session, tx.actor, row, confirmed)
    letters, dropped = await _erase_messages(tx, row)
    dropped += await _drop(
        tx.session, ErasableText.tenant_id == row.tenant_id, ErasableText.subject_id == row.id
    )
    if isinstance(row, Contact):
        dropped += await _drop(
            tx.session,
            ErasableText.tenant_id == row.tenant_id,
            ErasableText.subject_id.in_(surveys.responses_of(row.id)),
        )
    account_id = _account_of(row)
    if isinstance(row, Contact):
        merged = select(Contact.id).where(Contact.merged_into_id == row.id).order_by(Contact.id)
        for each in (await tx.session.scalars(merged)).all():
            await erase(tx, person, each, confirmed=confirmed)
    if isinstance(row, Contact):
        await feedback.forget_person(tx.session, row.id)
        texts += await surveys.forget(tx.session, row.id)
        texts += await testimonials.forget_contact(tx, row.id)
        await reputation.forget_contact(tx.session, row.id)
        await advocacy.forget_contact(tx, row.id)
        _erase_contact(row)
    else:
        await accounts.disable_user(tx, row.id)
        await _erase_credentials(tx.session, row.id, tx.at)
        await guards.erase_guard(tx.session, row.id)
        await files.erase_origin(tx.session, tx.actor, f"user:{row.id}", at=tx.at)
        row.name, row.email = ERASED, f"{ERASED}-{row.id}@{ERASED}.invalid"
    tx.record(
        Erased(
            account_id=account_id,
            subject_id=row.id,
            at=tx.at,
            person=person,
            messages=letters,
            disclosures=words + dropped,
            texts=texts,
        )
    )
    await tx.session.flush()


def _reach(actor: Actor, row: Contact | User) -> list[UUID] | None:
    """Return the accounts in which the job may erase: a contact's own, otherwise those of the requester."""
    if isinstance(row, Contact):
        return [row.account_id]
    return None if actor.accounts is None else sorted(actor.accounts)


def _account_of(row: Contact | User) -> UUID | None:
    return row.account_id if isinstance(row, Contact) else None


def _erase_contact(row: Contact) -> None:
    row.name = row.role = ERASED
    row.email = row.phone = row.seniority = row.tone = row.cultural_notes = None
    row.last_contact_at = row.quiet_from = row.quiet_until = None
    row.decision_power = row.relationship_strength = 3  # the middle: unknown
    row.wants_service_messages = False


async def _erase_credentials(session: AsyncSession, user_id: UUID, at: datetime) -> None:
    """Delete passwords, invitations, sign-ins and fixes; devices stay without name or use, because facts name them."""
    sign_ins = select(SignIn.id).where(SignIn.user_id == user_id)
    devices = select(Device.id).where(Device.user_id == user_id)
    for gone in (
        delete(Fix).where(Fix.device_id.in_(devices)),
        delete(RefreshToken).where(RefreshToken.sign_in_id.in_(sign_ins)),
        delete(SignIn).where(SignIn.user_id == user_id),
        delete(Password).where(Password.user_id == user_id),
        delete(Invitation).where(Invitation.user_id == user_id),
        update(Device)
        .where(Device.user_id == user_id)
        .values(name=ERASED, revoked_at=func.coalesce(Device.revoked_at, at)),
    ):
        await session.execute(gone.execution_options(synchronize_session=False))
    await delete_factors(session, user_id)


async def _erase_messages(tx: Tx, row: Contact | User) -> tuple[int, int]:
    """Return how many messages to the person lost their text, and how many disclosures of them were deleted."""
    own = Message.contact_id if isinstance(row, Contact) else Message.user_id
    of_person = (own == row.id, Message.tenant_id == row.tenant_id)
    waiting = await tx.session.scalars(
        select(Message.id).where(*of_person, Message.state.not_in(ENDED))
    )
    for message_id in waiting.all():
        await messages.mark_failed(tx, message_id, error="the person is erased")
    await tx.session.flush()
    letters = await tx.session.scalars(
        update(Message)
        .where(*of_person, Message.body != ERASED)
        .values(WORDLESS)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    forgotten = letters.all()
    await delete_parts(tx.session, forgotten)
    for model in (Address, Unsubscription) if isinstance(row, Contact) else ():
        await tx.session.execute(
            delete(model)
            .where(model.contact_id == row.id)
            .execution_options(synchronize_session=False)
        )
    dropped = await _drop(
        tx.session,
        ErasableText.tenant_id == row.tenant_id,
        ErasableText.subject_id.in_(select(Message.id).where(*of_person)),
    )
    return len(forgotten), dropped


async def delete_parts(session: AsyncSession, message_ids: Sequence[UUID]) -> None:
    """Delete the files of messages, and the servers' error texts of attempts, because those name addresses."""
    for forgotten in (
        delete(Enclosure).where(Enclosure.message_id.in_(message_ids)),
        update(Attempt).where(Attempt.message_id.in_(message_ids)).values(error=None),
    ):
        await session.execute(forgotten.execution_options(synchronize_session=False))


async def _drop(session: AsyncSession, *conditions: ColumnElement[bool]) -> int:
    gone = await session.scalars(
        delete(ErasableText)
        .where(*conditions)
        .returning(ErasableText.commitment)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
