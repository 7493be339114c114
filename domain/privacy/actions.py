"""Forget people, and what was kept long enough. The ledger stays whole: it never held the words themselves."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain import accounts, messages
from domain.accounts.model import Contact, User
from domain.actor import Actor
from domain.base import JSON
from domain.credentials.model import Device, Invitation, Password, RefreshToken, SignIn
from domain.disclosure import Disclosure
from domain.ledger import record
from domain.messages.model import Address, Attempt, Enclosure, Message, MessageState, Unsubscription
from domain.positions.model import Fix
from domain.privacy.events import Erased, ErasureRequested, Expired, Exported
from domain.privacy.reads import TEXTS, everything, found, names_of
from domain.privacy.rules import ERASED, Person, Retention, pattern

_WORDLESS = {
    "recipient": ERASED, "subject": ERASED, "body": ERASED, "html": None, "error": None,
}  # fmt: skip
_ENDED = tuple(state for state in MessageState if state not in messages.WAITING)


async def request_erasure(
    session: AsyncSession, actor: Actor, person: Person, person_id: UUID, *, at: datetime
) -> Contact | User:
    """Ask for a person to be forgotten; a job does it within seconds."""
    row = await found(session, actor, person, person_id)
    account_id = row.account_id if isinstance(row, Contact) else None
    record(
        session,
        actor,
        ErasureRequested(account_id=account_id, subject_id=row.id, at=at, person=person),
    )
    return row


async def export(
    session: AsyncSession, actor: Actor, person: Person, person_id: UUID, *, at: datetime
) -> tuple[Contact | User, JSON]:
    """The person's row and everything known about the person; that it was shown is a fact too."""
    row = await found(session, actor, person, person_id)
    told = await everything(session, actor, row)
    account_id = row.account_id if isinstance(row, Contact) else None
    record(session, actor, Exported(account_id=account_id, subject_id=row.id, at=at, person=person))
    return row, told


async def erase(
    session: AsyncSession, actor: Actor, person: Person, person_id: UUID, *, at: datetime
) -> None:
    """Forget a person: the row keeps its id, so that facts still know one person from another, and nothing else.

    Messages lose recipient and words and keep their hash. Names in tickets' texts are replaced; a fact's words that
    name the person go as a whole, because a commitment cannot be cut. Doing it twice changes nothing.
    """
    row = await found(session, actor, person, person_id)
    if row.name == ERASED:
        return
    wanted = pattern(names_of(row))
    account_id = row.account_id if isinstance(row, Contact) else None
    letters, words = 0, 0
    if isinstance(row, Contact):
        letters, words = await _forget_messages(session, actor, row, at)
        _forget_contact(row)
    else:
        await accounts.disable_user(session, actor, row.id, at=at)
        await _forget_credentials(session, row.id, at)
        row.name, row.email = ERASED, f"{ERASED}-{row.id}@{ERASED}.invalid"
    texts = 0
    if wanted is not None:
        words += await _drop(session, *_inside(actor, Disclosure, account_id, wanted))
        texts = await _black_out(session, actor, account_id, wanted)
    record(
        session,
        actor,
        Erased(
            account_id=account_id,
            subject_id=row.id,
            at=at,
            person=person,
            messages=letters,
            disclosures=words,
            texts=texts,
        ),
    )
    await session.flush()


async def expire(session: AsyncSession, kept: Retention, *, at: datetime, limit: int = 500) -> int:
    """Erase what was kept long enough, over all companies, at most `limit` of each kind; how much."""
    old_messages = (
        select(Message.id)
        .where(
            Message.queued_at < at - kept.messages,
            Message.state.in_(_ENDED),
            Message.body != ERASED,
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    letters = await session.execute(
        update(Message)
        .where(Message.id.in_(old_messages.scalar_subquery()))
        .values(_WORDLESS)
        .returning(Message.id, Message.tenant_id)
        .execution_options(synchronize_session=False)
    )
    gone_letters = letters.all()
    await _forget_parts(session, [message_id for message_id, _ in gone_letters])
    count = _tell(session, "messages", [tenant_id for _, tenant_id in gone_letters], at)
    old_words = (
        select(Disclosure.commitment)
        .where(Disclosure.at < at - kept.words)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    words = await session.scalars(
        delete(Disclosure)
        .where(Disclosure.commitment.in_(old_words.scalar_subquery()))
        .returning(Disclosure.tenant_id)
        .execution_options(synchronize_session=False)
    )
    count += _tell(session, "words", words.all(), at)
    gone = await session.execute(
        select(User.id, User.tenant_id)
        .where(User.disabled_at < at - kept.users, User.name != ERASED)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    for user_id, tenant_id in gone.all():
        actor = Actor.system(tenant_id, "retention")
        await erase(session, actor, Person.USER, user_id, at=at)
        count += 1
    return count


def _tell(session: AsyncSession, what: str, tenants: Sequence[UUID], at: datetime) -> int:
    for tenant_id, count in Counter(tenants).items():
        actor = Actor.system(tenant_id, "retention")
        record(
            session,
            actor,
            Expired(account_id=None, subject_id=tenant_id, at=at, what=what, count=count),
        )
    return len(tenants)


def _forget_contact(row: Contact) -> None:
    row.name = row.role = ERASED
    row.email = row.phone = row.seniority = row.tone = row.cultural_notes = None
    row.last_contact_at = row.quiet_from = row.quiet_until = None
    row.decision_power = row.relationship_strength = 3  # the middle: not known
    row.wants_service_messages = False


async def _forget_credentials(session: AsyncSession, user_id: UUID, at: datetime) -> None:
    """Passwords, invitations, sign-ins and fixes go; devices stay, because facts name them, without name or use."""
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


async def _forget_messages(
    session: AsyncSession, actor: Actor, contact: Contact, at: datetime
) -> tuple[int, int]:
    """How many messages lost their words, and how many disclosures of facts about them went."""
    of_contact = (Message.contact_id == contact.id, Message.tenant_id == contact.tenant_id)
    waiting = await session.scalars(
        select(Message.id).where(*of_contact, Message.state.not_in(_ENDED))
    )
    for message_id in waiting.all():
        await messages.mark_failed(session, actor, message_id, at=at, error="the contact is erased")
    await session.flush()
    letters = await session.scalars(
        update(Message)
        .where(*of_contact, Message.body != ERASED)
        .values(_WORDLESS)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    forgotten = letters.all()
    await _forget_parts(session, forgotten)
    for model in (Address, Unsubscription):
        await session.execute(
            delete(model)
            .where(model.contact_id == contact.id)
            .execution_options(synchronize_session=False)
        )
    dropped = await _drop(
        session,
        Disclosure.tenant_id == contact.tenant_id,
        Disclosure.subject_id.in_(select(Message.id).where(*of_contact)),
    )
    return len(forgotten), dropped


async def _forget_parts(session: AsyncSession, message_ids: Sequence[UUID]) -> None:
    """Files of messages go; of attempts goes what servers said, because it names addresses."""
    for forgotten in (
        delete(Enclosure).where(Enclosure.message_id.in_(message_ids)),
        update(Attempt).where(Attempt.message_id.in_(message_ids)).values(error=None),
    ):
        await session.execute(forgotten.execution_options(synchronize_session=False))


async def _drop(session: AsyncSession, *conditions: ColumnElement[bool]) -> int:
    gone = await session.scalars(
        delete(Disclosure)
        .where(*conditions)
        .returning(Disclosure.commitment)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


async def _black_out(
    session: AsyncSession, actor: Actor, account_id: UUID | None, wanted: str
) -> int:
    """Replace the person's names in texts outside the ledger; how many texts."""
    changed = 0
    for text in TEXTS:
        model: Any = text.class_
        rows = await session.scalars(
            update(model)
            .where(*_inside(actor, model, account_id, wanted, text))
            .values({text.key: func.regexp_replace(text, wanted, ERASED, "gi")})
            .returning(model.id)
            .execution_options(synchronize_session=False)
        )
        changed += len(rows.all())
    return changed


def _inside(
    actor: Actor, model: Any, account_id: UUID | None, wanted: str, text: Any = None
) -> list[ColumnElement[bool]]:
    """Rows in the actor's reach (a contact's: of its account) whose text names the person."""
    column = Disclosure.words if text is None else text
    where = [actor.fence(model), column.regexp_match(wanted, "i")]
    return where if account_id is None else [*where, model.account_id == account_id]
