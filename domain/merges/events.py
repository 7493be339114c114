"""Facts about merges; the subject is the row that was merged into another one."""

from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class SiteMerged(Fact):
    """A site was merged into another one: how many rows moved and stayed by column, and its values before."""

    kind: ClassVar[str] = "site.merged"
    subject_type: ClassVar[str | None] = "Site"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    into_id: UUID
    reason: str
    moved: dict[str, int]
    stayed: dict[str, int]
    before: dict[str, str | float | None]


class ContactMerged(Fact):
    """A contact was merged into another one: how many rows moved and stayed by column.

    `before` and `after` hold the values of the merged contact that went, and those that the other one took over.
    """

    kind: ClassVar[str] = "contact.merged"
    subject_type: ClassVar[str | None] = "Contact"
    personal: ClassVar[frozenset[str]] = frozenset({"before", "after", "reason"})
    into_id: UUID
    reason: str
    moved: dict[str, int]
    stayed: dict[str, int]
    before: str
    after: str
