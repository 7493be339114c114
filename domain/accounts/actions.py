"""Change accounts, sites, contacts, users and API keys."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import CLIENTS, Actor, Right, Role, Tx, row_of, visible_to
from domain.access.rights import DEFAULT_SCOPES, SCOPES
from domain.accounts.access_rules import managed_user
from domain.accounts.events import (
    AccountChanged,
    AccountCreated,
    ApiKeyIssued,
    ApiKeyRevoked,
    ContactAdded,
    ContactChanged,
    ContactsRead,
    SiteAdded,
    UserAdded,
    UserDisabled,
)
from domain.accounts.model import Account, ApiKey, Contact, Reach, Site, Tenant, User
from domain.accounts.rules import camel, check, check_email, new_key
from domain.core.base import uuid7
from domain.core.changes import as_text, values_of
from domain.core.errors import Code, Refused, must_be_current
from domain.core.ledger import LedgerRow
from domain.core.mailboxes import mailbox

Row = TypeVar("Row", Account, Site, Contact)


async def create_tenant(session: AsyncSession, *, name: str, **fields: Any) -> Tenant:
    """Create a security company. It is the first row, so there is no actor yet."""
    check({"name": name, **fields})
    tenant = Tenant(name=name, **fields)
    session.add(tenant)
    await session.flush()
    return tenant


async def create_account(tx: Tx, *, name: str, **fields: Any) -> Account:
    """Open an account for a client; a second one of the same name is refused."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    if tx.actor.accounts is not None:  # the new account would be inaccessible to its creator
        raise Refused(
            Code.NOT_ALLOWED, "Your user is limited to some accounts and cannot open others."
        )
    account = await _insert_once(
        tx.session,
        Account,
        tenant_id=tx.actor.tenant_id,
        name=name,
        **fields,
    )
    tx.record(AccountCreated(account_id=account.id, subject_id=account.id, at=tx.at))
    return account


async def change_account(
    tx: Tx, account_id: UUID, *, expected_version: int | None = None, **changes: Any
) -> Account:
    """Change an account; a name that another account has, or a stale `expected_version`, is refused."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    account = await tx.get(Account, account_id, "account", lock=True)
    must_be_current(account.version, expected_version)
    changed = _changed(account, changes)
    if changed:
        tx.record(AccountChanged(account_id=account.id, subject_id=account.id, at=tx.at, **changed))
        await tx.session.flush()
    return account


async def add_site(tx: Tx, account_id: UUID, *, name: str, **fields: Any) -> Site:
    """Add a site of the client that the company guards."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    account = await _account(tx.session, tx.actor, account_id, argument="accountId")
    site = await _insert_once(
        tx.session,
        Site,
        tenant_id=tx.actor.tenant_id,
        account_id=account.id,
        name=name,
        **fields,
    )
    tx.record(SiteAdded(account_id=account.id, subject_id=site.id, at=tx.at))
    return site


async def add_contact(
    tx: Tx, account_id: UUID, *, name: str, role: str, smtp_utf8: bool = False, **fields: Any
) -> Contact:
    """Add a contact of the client; an e-mail address belongs to one contact of an account.

    `smtp_utf8` tells whether the mail server accepts addresses with a local part outside ASCII.
    """
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    account = await _account(tx.session, tx.actor, account_id, argument="accountId")
    await _must_be_colleague(tx, fields.get("internal_owner_id"))
    check(fields)
    check_email(fields.get("email"), smtp_utf8=smtp_utf8)
    await _must_be_unused(tx.session, account.id, fields.get("email"))
    contact = await _insert_once(
        tx.session,
        Contact,
        tenant_id=tx.actor.tenant_id,
        account_id=account.id,
        name=name,
        role=role,
        **fields,
    )
    tx.record(ContactAdded(account_id=account.id, subject_id=contact.id, at=tx.at))
    return contact


async def change_contact(
    tx: Tx,
    contact_id: UUID,
    *,
    expected_version: int | None = None,
    smtp_utf8: bool = False,
    **changes: Any,
) -> Contact:
    """Change a contact; a stale `expected_version` is refused."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    contact = await tx.get(Contact, contact_id, "contact", lock=True)
    must_be_current(contact.version, expected_version)
    await _must_be_colleague(tx, changes.get("internal_owner_id"))
    check(changes)
    check_email(changes.get("email"), smtp_utf8=smtp_utf8)
    await _must_be_unused(tx.session, contact.account_id, changes.get("email"), but_for=contact.id)
    changed = _changed(contact, changes)
    if changed:
        tx.record(
            ContactChanged(
                account_id=contact.account_id, subject_id=contact.id, at=tx.at, **changed
            )
        )
        await tx.session.flush()
    return contact


async def _must_be_unused(
    session: AsyncSession, account_id: UUID, email: str | None, *, but_for: UUID | None = None
) -> None:
    """Refuse the mailbox of another contact of the account, however it is written; concurrent requests wait."""
    if email is None:
        return
    lock = func.hashtextextended(f"{account_id} {mailbox(email)}", 0)
    await session.execute(select(func.pg_advisory_xact_lock(lock)))
    rows = await session.execute(
        select(Contact.id, Contact.email).where(
            Contact.account_id == account_id, Contact.email.is_not(None)
        )
    )
    for contact_id, known in rows:
        if contact_id != but_for and known is not None and mailbox(known) == mailbox(email):
            words = "A contact of this client already has this mailbox."
            raise Refused(Code.ALREADY_EXISTS, words, argument="email")


async def note_contacts_read(tx: Tx, account_id: UUID, *, hour: datetime) -> None:
    """Record that the actor read the account's contacts, at most once per hour."""
    once_key = f"contacts_read:{tx.actor.subject}:{account_id}:{hour:%Y-%m-%dT%H}"
    recorded = select(LedgerRow.id).where(
        LedgerRow.tenant_id == tx.actor.tenant_id, LedgerRow.once_key == once_key
    )
    if await tx.session.scalar(recorded) is None:
        fact = ContactsRead(account_id=account_id, subject_id=account_id, at=tx.at)
        tx.record(fact, once_key=once_key)


async def add_user(
    tx: Tx,
    *,
    email: str,
    name: str,
    role: Role,
    accounts: Collection[UUID] = (),
    language: str | None = None,
    smtp_utf8: bool = False,
) -> User:
    """Add a user, limited to the named accounts; client users need one, staff without accounts have access to all.

    An address may belong to several users: one person can work for two clients. A second active user of the same
    address is refused only to an actor who sees the first one, so that an address reveals nothing about other people.
    """
    tx.actor.must(Right.MANAGE_ACCESS)
    if role is Role.SYSTEM:
        raise Refused(Code.INVALID, "The role SYSTEM cannot be given to a user.", argument="role")
    if tx.actor.is_client and role not in CLIENTS:
        raise Refused(Code.NOT_ALLOWED, "A client can add client users only.", argument="role")
    must_manage(tx.actor, role)
    await must_have_access(tx.session, tx.actor, role, accounts)
    email = email.strip().lower()
    check({"email": email, "name": name, "language": language})
    check_email(email, smtp_utf8=smtp_utf8)
    await _must_be_new(tx, email)
    user = User(
        id=uuid7(),
        tenant_id=tx.actor.tenant_id,
        email=email,
        name=name,
        role=role,
        language=language,
    )
    tx.session.add(user)
    await tx.session.flush()
    tx.session.add_all(
        Reach(user_id=user.id, account_id=account_id, tenant_id=tx.actor.tenant_id)
        for account_id in dict.fromkeys(accounts)
    )
    tx.record(UserAdded(account_id=None, subject_id=user.id, at=tx.at, role=role))
    await tx.session.flush()
    return user


def must_manage(actor: Actor, role: Role) -> None:
    """Refuse a role with rights that the actor lacks."""
    if not actor.manages(role):
        words = f"The role {actor.role} cannot give the role {role}."
        raise Refused(Code.NOT_ALLOWED, words, argument="role")


async def must_have_access(
    session: AsyncSession, actor: Actor, role: Role, accounts: Collection[UUID]
) -> None:
    """Refuse inaccessible accounts, none for a client role, and all of them to an actor without access to all."""
    if role in CLIENTS and not accounts:
        raise Refused(
            Code.INVALID, "A client user needs at least one account.", argument="accountIds"
        )
    for account_id in accounts:
        await _account(session, actor, account_id, argument="accountIds")
    if actor.accounts is not None and not accounts:
        raise Refused(
            Code.NOT_ALLOWED, "Name the accounts that the user can access.", argument="accountIds"
        )


async def _must_be_new(tx: Tx, email: str) -> None:
    """Refuse a second active user of an address to an actor who sees the first; concurrent requests wait."""
    lock = func.hashtextextended(f"{tx.actor.tenant_id} {email}", 0)
    await tx.session.execute(select(func.pg_advisory_xact_lock(lock)))
    query = select(User.id).where(
        User.email == email, User.disabled_at.is_(None), visible_to(tx.actor, User)
    )
    if await tx.session.scalar(query.limit(1)) is not None:
        raise Refused(
            Code.ALREADY_EXISTS,
            "A user with this address exists already. Change or invite that user.",
            argument="email",
        )


async def disable_user(tx: Tx, user_id: UUID) -> User:
    """End a user's access; open WebSockets close within seconds."""
    user = await managed_user(tx.session, tx.actor, user_id)
    if user.disabled_at is None:
        user.disabled_at = tx.at
        tx.record(UserDisabled(account_id=None, subject_id=user.id, at=tx.at))
        await tx.session.flush()
    return user


async def issue_api_key(
    tx: Tx,
    *,
    name: str,
    role: Role = Role.PARTNER,
    accounts: Collection[UUID] | None = None,
    all_accounts: bool = False,
    scopes: Collection[str] | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Create an API key; its text is returned here and never again.

    A key has access to the named accounts, or to all of them when `all_accounts` is set. Without scopes a partner's key
    gets the operational ones, a key of another role all rights of its role.
    """
    tx.actor.must(Right.MANAGE_KEYS)
    if role is Role.SYSTEM:
        raise Refused(
            Code.NOT_ALLOWED, "The role SYSTEM cannot be given to a key.", argument="role"
        )
    must_manage(tx.actor, role)
    if expires_at is not None and expires_at <= tx.at:
        raise Refused(Code.INVALID, "expiresAt must be in the future.", argument="expiresAt")
    if role in CLIENTS and not accounts:
        raise Refused(
            Code.INVALID, "A client's key needs at least one account.", argument="accountIds"
        )
    if tx.actor.accounts is not None and not accounts:
        raise Refused(
            Code.NOT_ALLOWED, "Name the accounts that the key can access.", argument="accountIds"
        )
    if bool(accounts) == all_accounts:
        words = "Either name the accounts that the key can access, or set allAccounts."
        raise Refused(Code.INVALID, words, argument="accountIds")
    for account_id in accounts or ():
        await _account(tx.session, tx.actor, account_id, argument="accountIds")
    granted = _scopes(role, scopes)
    check({"name": name})
    key = new_key()
    row = ApiKey(
        tenant_id=tx.actor.tenant_id,
        name=name,
        prefix=key.prefix,
        secret_sha256=key.secret_sha256,
        role=role,
        account_ids=None if all_accounts else list(dict.fromkeys(accounts or ())),
        scopes=granted,
        created_at=tx.at,
        expires_at=expires_at,
    )
    tx.session.add(row)
    await tx.session.flush()
    fact = ApiKeyIssued(
        account_id=None,
        subject_id=row.id,
        at=tx.at,
        role=role,
        scopes=granted,
        account_ids=row.account_ids,
    )
    tx.record(fact)
    return row, key.text


def _scopes(role: Role, scopes: Collection[str] | None) -> list[str] | None:
    """Check scopes and put them in order; None when the key has all rights of its role."""
    if scopes is None:
        return list(DEFAULT_SCOPES) if role is Role.PARTNER else None
    unknown = sorted(set(scopes) - SCOPES.keys())
    if unknown:
        words = f"There is no scope {unknown[0]}. Use one of: {', '.join(SCOPES)}."
        raise Refused(Code.INVALID, words, argument="scopes")
    if not scopes:
        raise Refused(Code.INVALID, "A key needs at least one scope.", argument="scopes")
    return [scope for scope in SCOPES if scope in scopes]


async def revoke_api_key(tx: Tx, key_id: UUID) -> ApiKey:
    """Revoke a key; a second call has no effect."""
    tx.actor.must(Right.MANAGE_KEYS)
    row = await tx.get(ApiKey, key_id, "key", lock=True, among=visible_to(tx.actor, ApiKey))
    if row.revoked_at is None:
        row.revoked_at = tx.at
        tx.record(ApiKeyRevoked(account_id=None, subject_id=row.id, at=tx.at))
        await tx.session.flush()
    return row


async def _account(
    session: AsyncSession, actor: Actor, account_id: UUID, *, argument: str
) -> Account:
    return await row_of(session, actor, Account, account_id, "account", argument=argument)


async def _must_be_colleague(tx: Tx, user_id: UUID | None) -> None:
    """Refuse an owner who is not staff of the same company."""
    if user_id is None:
        return
    colleague = exists().where(
        User.id == user_id, User.tenant_id == tx.actor.tenant_id, User.role.not_in(CLIENTS)
    )
    if not await tx.session.scalar(select(colleague)):
        raise Refused(Code.NOT_FOUND, "No such user of the company.", argument="internalOwnerId")


def _changed(row: Account | Contact, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change the values that differ; return the fields with their values before and after, empty when nothing differs.

    None empties a field that may be empty.
    """
    check(changes)
    for name, value in changes.items():
        if value is None and not row.__table__.c[name].nullable:
            raise Refused(Code.INVALID, f"{camel(name)} cannot be empty.", argument=camel(name))
    changed = {name: value for name, value in changes.items() if getattr(row, name) != value}
    if not changed:
        return {}
    before = as_text(values_of(row, changed))
    for name, value in changed.items():
        setattr(row, name, value)
    return {"fields": sorted(changed), "before": before, "after": as_text(changed)}


async def _insert_once(session: AsyncSession, model: type[Row], **values: Any) -> Row:
    """Insert a row, or refuse when the table's unique key shows that it exists."""
    check(values)
    row: Row | None = await session.scalar(
        insert(model).values(id=uuid7(), **values).on_conflict_do_nothing().returning(model)
    )
    if row is None:
        raise Refused(Code.ALREADY_EXISTS, f"This {model.__name__.lower()} exists already.")
    return row
