"""Erase and export personal data. The ledger stays whole, because it holds commitments instead of texts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain import accounts, files, messages
from domain.access import Actor, Tx
from domain.accounts.model import Contact, User
from domain.core.base import JSON
from domain.core.erasable_text import ErasableText
from domain.core.ledger import record
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
    session: AsyncSession,
    actor: Actor,
    person: Person,
    person_id: UUID,
    *,
    confirmed: Sequence[str] = (),
    at: datetime,
) -> Contact | User:
    """Request the erasure of a person; a job does it within seconds, with the role and access of `actor`.

    `confirmed` are the texts, as the export lists them, that mean this person.
    """
    row = await locked_person(session, actor, person, person_id)
    await must_be_mentions(session, actor, row, confirmed)
    record(
        session,
        actor,
        ErasureRequested(
            account_id=_account_of(row),
            subject_id=row.id,
            at=at,
            person=person,
            role=actor.role,
            accounts=_reach(actor, row),
            mentions=sorted(set(confirmed)),
        ),
    )
    return row


async def export(
    session: AsyncSession,
    actor: Actor,
    person: Person,
    person_id: UUID,
    *,
    at: datetime,
) -> tuple[Contact | User, JSON]:
    """Return the person's row and everything about the person that `actor` may read; record the export."""
    row = await locked_person(session, actor, person, person_id)
    data = await personal_data(session, actor, row)
    record(
        session,
        actor,
        Exported(account_id=_account_of(row), subject_id=row.id, at=at, person=person),
    )
    return row, data


async def erase(
    session: AsyncSession,
    actor: Actor,
    person: Person,
    person_id: UUID,
    *,
    confirmed: Sequence[str] = (),
    at: datetime,
) -> None:
    """Erase a person: the row keeps only its id, so that facts still distinguish persons.

    Messages to the person lose recipient and text and keep their hash. Free text changes only in the `confirmed` texts,
    within the actor's access. A second call has no effect.
    """
    row = await locked_person(session, actor, person, person_id)
    if row.name == ERASED:
        return
    words, texts = await redact(session, actor, row, confirmed)
    letters, dropped = await _erase_messages(session, actor, row, at)
    dropped += await _drop(
        session, ErasableText.tenant_id == row.tenant_id, ErasableText.subject_id == row.id
    )
    account_id = _account_of(row)
    if isinstance(row, Contact):
        _erase_contact(row)
    else:
        await accounts.disable_user(Tx(session, actor, at), row.id)
        await _erase_credentials(session, row.id, at)
        await files.erase_origin(session, actor, f"user:{row.id}", at=at)
        row.name, row.email = ERASED, f"{ERASED}-{row.id}@{ERASED}.invalid"
    record(
        session,
        actor,
        Erased(
            account_id=account_id,
            subject_id=row.id,
            at=at,
            person=person,
            messages=letters,
            disclosures=words + dropped,
            texts=texts,
        ),
    )
    await session.flush()


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


async def _erase_messages(
    session: AsyncSession, actor: Actor, row: Contact | User, at: datetime
) -> tuple[int, int]:
    """Return how many messages to the person lost their text, and how many disclosures of them were deleted."""
    own = Message.contact_id if isinstance(row, Contact) else Message.user_id
    of_person = (own == row.id, Message.tenant_id == row.tenant_id)
    waiting = await session.scalars(
        select(Message.id).where(*of_person, Message.state.not_in(ENDED))
    )
    for message_id in waiting.all():
        await messages.mark_failed(Tx(session, actor, at), message_id, error="the person is erased")
    await session.flush()
    letters = await session.scalars(
        update(Message)
        .where(*of_person, Message.body != ERASED)
        .values(WORDLESS)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    forgotten = letters.all()
    await delete_parts(session, forgotten)
    for model in (Address, Unsubscription) if isinstance(row, Contact) else ():
        await session.execute(
            delete(model)
            .where(model.contact_id == row.id)
            .execution_options(synchronize_session=False)
        )
    dropped = await _drop(
        session,
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
