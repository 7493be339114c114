"""The actor of a request: tenant, role, rights, and accessible accounts."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false

from domain.access.rights import CLIENTS, RIGHTS, Right, Role
from domain.core.errors import Code, Refused
from domain.core.ledger import Origin


@dataclass(frozen=True, slots=True)
class Actor:
    """A user, API key, device or part of the software that acts inside one tenant.

    `accounts` is None with access to every account of the tenant, else the listed accounts only. `granted` is None with
    all rights of the role, else the granted subset of them.
    """

    tenant_id: UUID
    role: Role
    subject: str  # name in the ledger: "user:<id>", "key:<id>" or "system:<name>"
    accounts: frozenset[UUID] | None = None
    origin: Origin = Origin.LIVE
    trace_id: str | None = None
    granted: frozenset[Right] | None = None

    @classmethod
    def system(cls, tenant_id: UUID, name: str, *, origin: Origin = Origin.LIVE) -> "Actor":
        """Return the actor of the software inside one tenant; `name` is the part that acts (`relay`, `sweeper`)."""
        return cls(tenant_id, Role.SYSTEM, f"system:{name}", origin=origin)

    @property
    def is_client(self) -> bool:
        """Whether this actor belongs to a client and so sees only what is meant for clients."""
        return self.role in CLIENTS

    @property
    def rights(self) -> frozenset[Right]:
        """The rights of the role, as far as they were granted."""
        return RIGHTS[self.role] if self.granted is None else RIGHTS[self.role] & self.granted

    @property
    def user_id(self) -> UUID | None:
        """The id of the user that acts; None for keys, devices and the system."""
        kind, _, row_id = self.subject.partition(":")
        return UUID(row_id) if kind == "user" and len(row_id) == len(str(self.tenant_id)) else None

    @property
    def authority(self) -> tuple[object, ...]:
        """A key of everything that a response may depend on: actors of equal authority see the same."""
        own = None if self.may(Right.READ_ALL_WORK) else self.subject
        return (self.tenant_id, self.role, self.granted, self.accounts, self.origin, own)

    def may(self, right: Right) -> bool:
        """Return whether the actor has the right."""
        return right in RIGHTS[self.role] and (self.granted is None or right in self.granted)

    def manages(self, role: Role) -> bool:
        """Return whether this actor may give, change or end access of users and keys with this role.

        Nobody manages a role that has a right which the own role lacks, and a client manages client roles only.
        """
        if not self.may(Right.MANAGE_ACCESS) or role is Role.SYSTEM:
            return False
        if self.is_client and role not in CLIENTS:
            return False
        return RIGHTS[role] <= self.rights

    def must(self, right: Right) -> None:
        """Refuse unless the actor has the right."""
        if not self.may(right):
            raise Refused(
                Code.NOT_ALLOWED,
                f"The role {self.role} may not do this; it needs the right {right}.",
            )

    def must_access_all_accounts(self, what: str) -> None:
        """Refuse an actor who is limited to some accounts; `what` says, in the plural, what all accounts share."""
        if self.accounts is not None:
            raise Refused(
                Code.NOT_ALLOWED,
                f"{what} are for all accounts; your user is limited to some of them.",
            )

    def can_access(self, account_id: UUID | None) -> bool:
        """Return whether the actor has access to an account."""
        return self.accounts is None or account_id in self.accounts

    def restricted_to(self, only: Collection[UUID]) -> "Actor":
        """Return the same actor with access to these accounts at most."""
        listed = frozenset(only)
        return replace(self, accounts=listed if self.accounts is None else listed & self.accounts)

    def scope(self, model: Any) -> ColumnElement[bool]:
        """Select the rows of the actor's tenant and accounts; `visible_to` says which of them the role sees.

        Of a model without accounts, an actor who is limited to some accounts gets none.
        """
        if self.accounts is None:
            return self.scope_of(model.tenant_id, None)
        is_account = getattr(model, "__tablename__", None) == "account"
        account_id = model.id if is_account else getattr(model, "account_id", None)
        return false() if account_id is None else self.scope_of(model.tenant_id, account_id)

    def scope_of(self, tenant_id: Any, account_id: Any) -> ColumnElement[bool]:
        """Select by these columns in the same way."""
        own: ColumnElement[bool] = tenant_id == self.tenant_id
        return own if self.accounts is None else and_(own, account_id.in_(self.accounts))
