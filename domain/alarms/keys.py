"""The register of keys: which keys of sites the company keeps, who has them now, and who had them when."""

from uuid import UUID

from sqlalchemy import select

from domain import shifts
from domain.access import Right, Tx, visible_to
from domain.accounts.model import Site
from domain.alarms import events
from domain.alarms.model import KeyMovement, KeyMovementKind, RegisteredKey
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line


async def register_key(tx: Tx, site_id: UUID, *, label: str) -> RegisteredKey:
    """Take a key of a site into the register; it is in the safe."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_line(label, "label")
    site = await tx.get(Site, site_id, "site", argument="siteId", lock=True)
    known = await tx.session.scalar(
        select(RegisteredKey.id).where(
            RegisteredKey.site_id == site.id,
            RegisteredKey.label == label,
            RegisteredKey.withdrawn_at.is_(None),
        )
    )
    if known is not None:
        raise Refused(
            Code.ALREADY_EXISTS,
            "The register has a key with this label at this site.",
            argument="label",
            existing=("RegisteredKey", known),
        )
    key = RegisteredKey(
        id=uuid7(),
        tenant_id=site.tenant_id,
        account_id=site.account_id,
        site_id=site.id,
        label=label,
        registered_at=tx.at,
    )
    tx.session.add(key)
    tx.record(
        events.KeyRegistered(
            account_id=key.account_id, subject_id=key.id, at=tx.at, site_id=site.id, label=label
        )
    )
    await tx.session.flush()
    return key


async def issue_key(tx: Tx, key_id: UUID, user_id: UUID) -> RegisteredKey:
    """Issue a key from the safe to a member of the company's staff; one that is out is refused."""
    tx.actor.must(Right.ROSTER)
    key = await _locked(tx, key_id)
    if key.holder_id is not None:
        raise Refused(
            Code.ALREADY_DONE, "This key is out: it has to come back first.", argument="id"
        )
    guard = await shifts.guard_for(tx, key.account_id, user_id, argument="userId")
    key.holder_id = guard.user_id
    _move(tx, key, guard.user_id, KeyMovementKind.ISSUED)
    tx.record(
        events.KeyIssued(account_id=key.account_id, subject_id=key.id, at=tx.at, guard=guard.number)
    )
    await tx.session.flush()
    return key


async def return_key(tx: Tx, key_id: UUID) -> RegisteredKey:
    """Take a key back into the safe: the office does."""
    tx.actor.must(Right.ROSTER)
    key = await _locked(tx, key_id)
    if key.holder_id is None:
        raise Refused(Code.ALREADY_DONE, "This key is in the safe.", argument="id")
    guard = await shifts.guard_for(tx, key.account_id, key.holder_id, argument="id")
    _move(tx, key, key.holder_id, KeyMovementKind.RETURNED)
    key.holder_id = None
    tx.record(
        events.KeyReturned(
            account_id=key.account_id, subject_id=key.id, at=tx.at, guard=guard.number
        )
    )
    await tx.session.flush()
    return key


async def withdraw_key(tx: Tx, key_id: UUID) -> RegisteredKey:
    """Take a key out of the register: the client has it back. Its history stays."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    key = await _locked(tx, key_id)
    if key.holder_id is not None:
        raise Refused(Code.INVALID, "This key is out: it has to come back first.", argument="id")
    key.withdrawn_at = tx.at
    tx.record(events.KeyWithdrawn(account_id=key.account_id, subject_id=key.id, at=tx.at))
    await tx.session.flush()
    return key


async def _locked(tx: Tx, key_id: UUID) -> RegisteredKey:
    key = await tx.get(
        RegisteredKey, key_id, "key", lock=True, among=visible_to(tx.actor, RegisteredKey)
    )
    if key.withdrawn_at is not None:
        raise Refused(Code.ALREADY_DONE, "This key is no longer in the register.", argument="id")
    return key


def _move(tx: Tx, key: RegisteredKey, user_id: UUID, kind: KeyMovementKind) -> None:
    tx.session.add(
        KeyMovement(
            id=uuid7(),
            tenant_id=key.tenant_id,
            account_id=key.account_id,
            key_id=key.id,
            user_id=user_id,
            kind=kind,
            moved_at=tx.at,
        )
    )
