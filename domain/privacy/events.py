"""Facts about personal data: requests, and counts of what was erased. They never repeat what was erased."""

from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class ErasureRequested(Fact):
    """The erasure of a person was requested; about that person's row."""

    kind: ClassVar[str] = "person.erasure_requested"
    subject_type: ClassVar[str | None] = None
    person: str
    role: str  # the job erases with this role and access, never with more
    accounts: list[UUID] | None
    mentions: list[str]  # the texts that were confirmed to name the person


class Erased(Fact):
    """A person was erased: so many messages, disclosures of facts and other texts lost their content."""

    kind: ClassVar[str] = "person.erased"
    subject_type: ClassVar[str | None] = None
    person: str
    messages: int
    disclosures: int
    texts: int


class Exported(Fact):
    """Everything about a person was exported."""

    kind: ClassVar[str] = "person.exported"
    subject_type: ClassVar[str | None] = None
    person: str


class Expired(Fact):
    """Personal data of one kind was erased after its retention period; about the company."""

    kind: ClassVar[str] = "data.expired"
    subject_type: ClassVar[str | None] = "Tenant"
    what: str
    count: int
