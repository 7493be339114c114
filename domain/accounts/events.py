"""Facts about accounts and the people around them."""

from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class AccountCreated(Fact):
    """A client account was opened."""

    kind: ClassVar[str] = "account.created"


class AccountChanged(Fact):
    """What is known of a client changed: `fields` names which, `before` and `after` hold the values as JSON."""

    kind: ClassVar[str] = "account.changed"
    personal: ClassVar[frozenset[str]] = frozenset({"before", "after"})
    fields: list[str]
    before: str
    after: str


class CompanyChanged(Fact):
    """The settings of the company changed: the values before and after, by field."""

    kind: ClassVar[str] = "company.changed"
    before: dict[str, Any]
    after: dict[str, Any]


class SiteChanged(Fact):
    """What is known of a site changed: the values before and after, by field."""

    kind: ClassVar[str] = "site.changed"
    before: dict[str, Any]
    after: dict[str, Any]


class SiteAdded(Fact):
    """A site came under guard."""

    kind: ClassVar[str] = "site.added"


class ContactAdded(Fact):
    """A contact became known."""

    kind: ClassVar[str] = "contact.added"


class ContactChanged(Fact):
    """A contact's details changed: `fields` names which, `before` and `after` hold the values as JSON."""

    kind: ClassVar[str] = "contact.changed"
    personal: ClassVar[frozenset[str]] = frozenset({"before", "after"})
    fields: list[str]
    before: str
    after: str


class UserAdded(Fact):
    """Somebody may sign in."""

    kind: ClassVar[str] = "user.added"
    role: str


class UserDisabled(Fact):
    """Somebody may no longer sign in."""

    kind: ClassVar[str] = "user.disabled"


class ContactsRead(Fact):
    """Somebody read about an account's contacts, within the hour. Told to staff and auditors, not to clients."""

    kind: ClassVar[str] = "account.contacts_read"
    internal: bool = True


class ApiKeyIssued(Fact):
    """A partner system got a key."""

    kind: ClassVar[str] = "api_key.issued"
    role: str
    scopes: list[str] | None
    account_ids: list[UUID] | None


class ApiKeyRevoked(Fact):
    """A key stopped working."""

    kind: ClassVar[str] = "api_key.revoked"
