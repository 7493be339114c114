"""Find the subjects of the ledger that are the same person: users with one address or name, and keys they issued."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.events import ApiKeyIssued
from domain.accounts.model import ApiKey, User
from domain.core.ledger import LedgerRow


class _Known(NamedTuple):
    subject: str
    mailbox: str
    name: str


async def same_person(session: AsyncSession, tenant_id: UUID, subject: str) -> frozenset[str]:
    """Return every subject (`user:…`, `key:…`) of the person behind this subject, itself included.

    A key counts as the person who issued it. Users are one person when they share a mailbox (`jan+desk@` is `jan@`) or
    a full name: one person with two roles has two users.
    """
    issuers = await _issuers(session, tenant_id)
    while subject in issuers:
        subject = issuers[subject]
    users = await session.execute(
        select(User.id, User.email, User.name).where(User.tenant_id == tenant_id)
    )
    known = [_Known(f"user:{row.id}", _mailbox(row.email), _folded(row.name)) for row in users]
    own = {each for each in known if each.subject == subject}
    names = {each.name for each in own if " " in each.name}
    mailboxes = {each.mailbox for each in own}
    persons = {each.subject for each in known if each.mailbox in mailboxes or each.name in names}
    persons.add(subject)
    while True:
        more = {key for key, issuer in issuers.items() if issuer in persons} - persons
        if not more:
            return frozenset(persons)
        persons |= more


async def _issuers(session: AsyncSession, tenant_id: UUID) -> dict[str, str]:
    """Return the issuer of each key, by the subjects that the ledger names."""
    rows = await session.execute(
        select(LedgerRow.subject_id, LedgerRow.actor)
        .join(ApiKey, ApiKey.id == LedgerRow.subject_id)
        .where(ApiKey.tenant_id == tenant_id, LedgerRow.kind == ApiKeyIssued.kind)
    )
    return {f"key:{key_id}": actor for key_id, actor in rows}


def _mailbox(email: str) -> str:
    name, _, host = email.strip().lower().rpartition("@")
    return f"{name.partition('+')[0]}@{host}"


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
