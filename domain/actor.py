"""Who is asking: tenant, role, the accounts in reach, and the fence that every select wears."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_

from domain.errors import Code, Refused


class Role(StrEnum):
    """What somebody is to the security company."""

    CLIENT_USER = "client_user"
    CLIENT_ADMIN = "client_admin"
    GUARD = "guard"
    DISPATCHER = "dispatcher"
    RELATIONSHIP_MANAGER = "relationship_manager"
    FINANCE = "finance"
    MANAGEMENT = "management"
    PARTNER = "partner"
    AUDITOR = "auditor"
    SYSTEM = "system"


class Right(StrEnum):
    """What an action asks of its actor."""

    REPORT = "report"  # open tickets, post client-visible updates
    HANDLE = "handle"  # acknowledge, pause, resolve, close
    AGREE_DATES = "agree_dates"  # agree with a client, for the company, when something is done
    MANAGE_ACCOUNTS = "manage_accounts"
    MANAGE_AGREEMENTS = "manage_agreements"
    ACCEPT_RISK = "accept_risk"  # sign off terms that may cost more than the limit
    MANAGE_ACCESS = "manage_access"
    WATCH_ALL = "watch_all"  # feeds across accounts
    LOCATE = "locate"  # see where guards on duty are; clients: inside their own fences
    OPERATE = "operate"  # see what the software has still to do, and have it tried again
    APPROVE_CREDITS = "approve_credits"  # above the threshold, gestures, overrides, disputes
    BILL = "bill"  # rates, deliveries, invoices, payments


CLIENTS = frozenset({Role.CLIENT_USER, Role.CLIENT_ADMIN})

_RIGHTS: dict[Role, frozenset[Right]] = {
    Role.CLIENT_USER: frozenset({Right.REPORT, Right.LOCATE}),
    Role.CLIENT_ADMIN: frozenset({Right.REPORT, Right.MANAGE_ACCESS, Right.LOCATE}),
    Role.GUARD: frozenset({Right.REPORT}),
    Role.DISPATCHER: frozenset(
        {
            Right.REPORT,
            Right.HANDLE,
            Right.AGREE_DATES,
            Right.WATCH_ALL,
            Right.LOCATE,
            Right.OPERATE,
        }
    ),
    Role.RELATIONSHIP_MANAGER: frozenset(
        {
            Right.REPORT,
            Right.HANDLE,
            Right.AGREE_DATES,
            Right.MANAGE_ACCOUNTS,
            Right.MANAGE_AGREEMENTS,
            Right.WATCH_ALL,
            Right.LOCATE,
        }
    ),
    Role.FINANCE: frozenset(
        {Right.MANAGE_AGREEMENTS, Right.WATCH_ALL, Right.APPROVE_CREDITS, Right.BILL}
    ),
    Role.MANAGEMENT: frozenset(Right),
    Role.PARTNER: frozenset({Right.REPORT, Right.HANDLE}),
    Role.AUDITOR: frozenset({Right.WATCH_ALL}),
    Role.SYSTEM: frozenset(Right),
}


class Origin(StrEnum):
    """Whether a fact is news (it has consequences) or history entered afterwards (it has none)."""

    LIVE = "live"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody (or something) acting inside one tenant.

    `accounts` is None for those who may reach every account of the tenant, else the listed accounts only.
    Equal actors have equal authority, so an actor can be part of a sharing key.
    """

    tenant_id: UUID
    role: Role
    subject: str  # "user:<id>", "key:<id>" or "system:<name>": who the ledger names
    accounts: frozenset[UUID] | None = None
    origin: Origin = Origin.LIVE
    trace_id: str | None = None

    @classmethod
    def system(cls, tenant_id: UUID, name: str, *, origin: Origin = Origin.LIVE) -> "Actor":
        """The software itself, inside one tenant; `name` is the part that acts (`relay`, `sweeper`)."""
        return cls(tenant_id, Role.SYSTEM, f"system:{name}", origin=origin)

    @property
    def is_client(self) -> bool:
        """Whether this actor belongs to a client and so sees only what is meant for clients."""
        return self.role in CLIENTS

    def may(self, right: Right) -> bool:
        """Whether the role carries the right."""
        return right in _RIGHTS[self.role]

    def manages(self, role: Role) -> bool:
        """Whether this actor may give, change or end access of users and keys with this role.

        Nobody manages a role with a right that the own role lacks, and a client manages client roles only.
        """
        if not self.may(Right.MANAGE_ACCESS) or role is Role.SYSTEM:
            return False
        if self.is_client and role not in CLIENTS:
            return False
        return _RIGHTS[role] <= _RIGHTS[self.role]

    def must(self, right: Right) -> None:
        """Refuse unless the role carries the right."""
        if not self.may(right):
            raise Refused(Code.NOT_ALLOWED, f"The role {self.role} may not do this ({right}).")

    def reaches(self, account_id: UUID | None) -> bool:
        """Whether rows of this account exist for the actor."""
        return self.accounts is None or account_id in self.accounts

    def narrowed(self, only: Collection[UUID]) -> "Actor":
        """The same actor, who reaches these accounts at most."""
        listed = frozenset(only)
        return replace(self, accounts=listed if self.accounts is None else listed & self.accounts)

    def fence(self, model: Any) -> ColumnElement[bool]:
        """The condition every select wears: rows of other tenants and accounts do not exist."""
        own: ColumnElement[bool] = model.tenant_id == self.tenant_id
        if self.accounts is None:
            return own
        column = model.id if model.__tablename__ == "account" else model.account_id
        return and_(own, column.in_(self.accounts))
