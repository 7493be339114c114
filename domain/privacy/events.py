"""Facts about personal data: who asked, what went. They count; they never repeat what was erased."""

from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class ErasureRequested(Fact):
    """Somebody asked for a person to be forgotten; about that person's row."""

    kind: ClassVar[str] = "person.erasure_requested"
    person: str
    role: str  # the job erases with this role and reach, never with more
    accounts: list[UUID] | None
    mentions: list[str]  # the texts that were confirmed to name the person, by place


class Erased(Fact):
    """A person was forgotten: so many messages, disclosures of facts and other texts lost their words."""

    kind: ClassVar[str] = "person.erased"
    person: str
    messages: int
    disclosures: int
    texts: int


class Exported(Fact):
    """Everything about a person was shown to somebody."""

    kind: ClassVar[str] = "person.exported"
    person: str


class Expired(Fact):
    """Personal data of one kind was kept long enough and erased; about the company."""

    kind: ClassVar[str] = "data.expired"
    what: str
    count: int
