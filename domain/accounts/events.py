"""Facts about accounts and the people around them."""

from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class AccountCreated(Fact):
    """An account was opened for a client."""

    kind: ClassVar[str] = "account.created"
    subject_type: ClassVar[str | None] = "Account"


class AccountChanged(Fact):
    """An account was changed: `fields` names the columns, `before` and `after` hold the values as JSON."""

    kind: ClassVar[str] = "account.changed"
    subject_type: ClassVar[str | None] = "Account"
    personal: ClassVar[frozenset[str]] = frozenset({"before", "after"})
    fields: list[str]
    before: str
    after: str


class CompanyChanged(Fact):
    """The settings of the company changed: the values before and after, by field."""

    kind: ClassVar[str] = "company.changed"
    subject_type: ClassVar[str | None] = "Tenant"
    before: dict[str, Any]
    after: dict[str, Any]


class SiteChanged(Fact):
    """A site was changed: the values before and after, by field."""

    kind: ClassVar[str] = "site.changed"
    subject_type: ClassVar[str | None] = "Site"
    before: dict[str, Any]
    after: dict[str, Any]


class SiteAdded(Fact):
    """A site was added."""

    kind: ClassVar[str] = "site.added"
    subject_type: ClassVar[str | None] = "Site"


class ContactAdded(Fact):
    """A contact was added."""

    kind: ClassVar[str] = "contact.added"
    subject_type: ClassVar[str | None] = "Contact"


class ContactChanged(Fact):
    """A contact was changed: `fields` names the columns, `before` and `after` hold the values as JSON."""

    kind: ClassVar[str] = "contact.changed"
    subject_type: ClassVar[str | None] = "Contact"
    personal: ClassVar[frozenset[str]] = frozenset({"before", "after"})
    fields: list[str]
    before: str
    after: str


class UserAdded(Fact):
    """A user was added and may sign in."""

    kind: ClassVar[str] = "user.added"
    subject_type: ClassVar[str | None] = "User"
    role: str


class UserDisabled(Fact):
    """A user was disabled and may no longer sign in."""

    kind: ClassVar[str] = "user.disabled"
    subject_type: ClassVar[str | None] = "User"


class ContactsRead(Fact):
    """Somebody read an account's contacts within the hour. Visible to staff and auditors, not to clients."""

    kind: ClassVar[str] = "account.contacts_read"
    subject_type: ClassVar[str | None] = "Account"
    internal: bool = True


class ApiKeyIssued(Fact):
    """An API key was issued to a partner system."""

    kind: ClassVar[str] = "api_key.issued"
    subject_type: ClassVar[str | None] = "ApiKey"
    role: str
    scopes: list[str] | None
    account_ids: list[UUID] | None


class ApiKeyRevoked(Fact):
    """An API key was revoked."""

    kind: ClassVar[str] = "api_key.revoked"
    subject_type: ClassVar[str | None] = "ApiKey"
