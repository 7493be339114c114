"""The history of contacts: their rows, with the changes since taken back one by one."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Contact
from domain.core.base import among
from domain.core.erasable_text import ErasableText
from domain.core.ledger import LedgerRow
from domain.health.facts import KnownContact

_ASSESSED = ("decision_power", "relationship_strength")
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


class _Change(NamedTuple):
    number: int
    at: datetime
    before: str  # commitment to the values before
    is_known: bool


async def load_contacts(
    session: AsyncSession,
    tenant_id: UUID,
    account_ids: Collection[UUID],
    *,
    known_at: datetime | None = None,
    merged_by: datetime | None = None,
) -> defaultdict[UUID, list[KnownContact]]:
    """Return what was known of each contact from which instant on, with the facts recorded by `known_at`.

    Contacts that were merged into another one by `merged_by` are left out.
    """
    rows = await session.execute(
        select(
            Contact.account_id, Contact.id, Contact.decision_power, Contact.relationship_strength
        ).where(
            Contact.tenant_id == tenant_id,
            among(Contact.account_id, account_ids),
            or_(
                Contact.merged_at.is_(None),
                false() if merged_by is None else Contact.merged_at > merged_by,
            ),
        )
    )
    added: dict[UUID, _Change] = {}
    changes: defaultdict[UUID, list[_Change]] = defaultdict(list)
    for subject_id, kind, change in await _changes(session, tenant_id, account_ids, known_at):
        if kind == "contact.added":
            added[subject_id] = change
        else:
            changes[subject_id].append(change)
    texts = await _texts(session, [each.before for some in changes.values() for each in some])
    found: defaultdict[UUID, list[KnownContact]] = defaultdict(list)
    for account_id, contact_id, power, strength in rows:
        now = {"decision_power": power, "relationship_strength": strength}
        for change in reversed(changes[contact_id]):
            if change.is_known:
                found[account_id].append(_known(contact_id, change.at, now, change.number))
            now = now | texts.get(change.before, {})
        first = added.get(contact_id)
        if first is None:
            found[account_id].append(_known(contact_id, _FIRST, now, None))
        elif first.is_known:
            found[account_id].append(_known(contact_id, first.at, now, first.number))
    return found


async def _changes(
    session: AsyncSession,
    tenant_id: UUID,
    account_ids: Collection[UUID],
    known_at: datetime | None,
) -> list[tuple[UUID, str, _Change]]:
    """Select the facts about contacts that say how they are assessed, in the order in which they were recorded."""
    row = LedgerRow
    facts = await session.execute(
        select(row.subject_id, row.kind, row.id, row.at, row.recorded_at, row.body)
        .where(
            row.tenant_id == tenant_id,
            among(row.account_id, account_ids),
            among(row.kind, ["contact.added", "contact.changed"]),
        )
        .order_by(row.id)
    )
    return [
        (
            subject_id,
            kind,
            _Change(
                number, at, body.get("before", ""), known_at is None or recorded_at <= known_at
            ),
        )
        for subject_id, kind, number, at, recorded_at, body in facts
        if kind == "contact.added" or set(_ASSESSED) & set(body["fields"])
    ]


def _known(
    contact_id: UUID, at: datetime, now: Mapping[str, int], fact: int | None
) -> KnownContact:
    return KnownContact(at, contact_id, now["decision_power"], now["relationship_strength"], fact)


async def _texts(session: AsyncSession, wanted: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the assessments behind commitments, without erased ones."""
    if not wanted:
        return {}
    rows = await session.execute(
        select(ErasableText.commitment, ErasableText.words).where(
            among(ErasableText.commitment, wanted)
        )
    )
    return {
        commitment: {k: v for k, v in msgspec.json.decode(words).items() if k in _ASSESSED}
        for commitment, words in rows
    }
