"""Suppressed addresses: after a hard bounce no message is sent there until somebody corrects the address.

Whether an address is suppressed is the newest fact about its person. The address itself is stored beside the fact as
erasable text; after erasure the suppression has ended.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Right, Tx
from domain.accounts.model import Channel, Contact, User
from domain.core.erasable_text import ErasableText
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.messages.events import Freed, Suppressed
from domain.messages.model import Message, MessageState

STOPPED = "nobody is at this address: an earlier letter came back"


@dataclass(frozen=True, slots=True)
class SuppressedAddress:
    """A suppressed address: its people, since when, the server's error, and the number of messages not sent."""

    tenant_id: UUID
    address: str
    since: datetime
    error: str | None
    stopped: int


async def suppress(tx: Tx, message: Message, *, error: str) -> None:
    """Suppress the address of a message for every person of the company that has it; a second call has no effect."""
    if message.channel is not Channel.EMAIL:
        return
    people = await _people(tx.session, tx.actor.tenant_id, message.recipient)
    stands = await _newest_facts(tx.session, people)
    for person_id, account_id in people.items():
        if _is_for(stands.get(person_id), message.recipient):
            continue
        tx.record(
            Suppressed(
                account_id=account_id,
                subject_id=person_id,
                at=tx.at,
                message_id=message.id,
                address=message.recipient,
                error=error,
                internal=account_id is None,
            )
        )
    await tx.session.flush()


async def is_suppressed(session: AsyncSession, message: Message, address: str) -> bool:
    """Return whether an address is suppressed for the reader of a message."""
    readers = [each for each in (message.contact_id, message.user_id) if each is not None]
    stands = await _newest_facts(session, readers)
    return any(_is_for(stands.get(each), address) for each in readers)


async def unsuppress(tx: Tx, address: str) -> int:
    """Lift the suppression of an address that was corrected; return for how many people. Refused when there is none."""
    tx.actor.must(Right.OPERATE)
    tx.actor.must_access_all_accounts("Suppressed addresses")
    people = await _people(tx.session, tx.actor.tenant_id, address)
    stands = await _newest_facts(tx.session, people)
    lifted = [person for person in people if _is_for(stands.get(person), address)]
    if not lifted:
        raise Refused(Code.NOT_FOUND, "No such suppressed address.", argument="address")
    for person_id in lifted:
        tx.record(
            Freed(
                account_id=people[person_id],
                subject_id=person_id,
                at=tx.at,
                address=address,
                internal=people[person_id] is None,
            )
        )
    await tx.session.flush()
    return len(lifted)


async def suppressions(
    session: AsyncSession, tenants: Collection[UUID] | None = None
) -> list[SuppressedAddress]:
    """List suppressed addresses that a person still has, of some companies or of all, oldest first."""
    found: dict[tuple[UUID, str], SuppressedAddress] = {}
    for model in (Contact, User):
        query = select(model.id, model.tenant_id, model.email).where(model.email.is_not(None))
        if tenants is not None:
            query = query.where(model.tenant_id.in_(tenants))
        known = query.where(model.id.in_(select(LedgerRow.subject_id).where(_KIND))).subquery()
        rows = (await session.execute(select(known))).all()
        stands = await _newest_facts(session, [row.id for row in rows])
        for person_id, tenant_id, address in rows:
            stand = stands.get(person_id)
            key = (tenant_id, address.lower())
            if stand is not None and _is_for(stand, address) and key not in found:
                stopped = await _stopped(session, tenant_id, address, stand.entry.at)
                found[key] = SuppressedAddress(
                    tenant_id, address, stand.entry.at, stand.error, stopped
                )
    return sorted(found.values(), key=lambda each: each.since)


@dataclass(frozen=True, slots=True)
class _AddressFact:
    """The newest fact about a person's address, with its erasable text."""

    entry: LedgerRow
    address: str | None
    error: str | None


_KIND: ColumnElement[bool] = LedgerRow.kind.in_([Suppressed.kind, Freed.kind])


def _is_for(stand: _AddressFact | None, address: str) -> bool:
    return (
        stand is not None
        and stand.entry.kind == Suppressed.kind
        and stand.address is not None
        and stand.address.lower() == address.lower()
    )


async def _newest_facts(
    session: AsyncSession, people: Collection[UUID]
) -> dict[UUID, _AddressFact]:
    if not people:
        return {}
    newest = (
        select(LedgerRow)
        .where(LedgerRow.subject_id.in_(people), _KIND)
        .ext(distinct_on(LedgerRow.subject_id))
        .order_by(LedgerRow.subject_id, LedgerRow.id.desc())
    )
    entries = (await session.scalars(newest)).all()
    wanted = [
        entry.body[name] for entry in entries for name in ("address", "error") if name in entry.body
    ]
    texts = {
        row.commitment: row.words
        for row in await session.scalars(
            select(ErasableText).where(ErasableText.commitment.in_(wanted))
        )
    }
    return {
        entry.subject_id: _AddressFact(
            entry, texts.get(entry.body["address"]), texts.get(entry.body.get("error", ""))
        )
        for entry in entries
    }


async def _people(session: AsyncSession, tenant_id: UUID, address: str) -> dict[UUID, UUID | None]:
    """Return contacts with this e-mail address, with their accounts, and colleagues."""
    contacts = await session.execute(
        select(Contact.id, Contact.account_id).where(
            Contact.tenant_id == tenant_id, func.lower(Contact.email) == address.lower()
        )
    )
    users = await session.scalars(
        select(User.id).where(
            User.tenant_id == tenant_id, func.lower(User.email) == address.lower()
        )
    )
    return {row.id: row.account_id for row in contacts} | dict.fromkeys(users)


async def _stopped(session: AsyncSession, tenant_id: UUID, address: str, since: datetime) -> int:
    count = await session.scalar(
        select(func.count()).where(
            Message.tenant_id == tenant_id,
            func.lower(Message.recipient) == address.lower(),
            Message.state == MessageState.FAILED,
            Message.error == STOPPED,
            Message.queued_at >= since,
        )
    )
    return int(count or 0)
