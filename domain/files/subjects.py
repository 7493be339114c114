"""What files can be attached to: rows of other nouns, by the name of their type in the API."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Tx, visible_to, workable_by
from domain.core.errors import Code, Refused
from domain.incidents.model import Incident
from domain.occurrences.model import OccurrenceEntry


@dataclass(frozen=True, slots=True)
class AttachableNoun:
    """A noun to whose rows files can be attached; `fact_field` holds its ids in the facts."""

    model: Any
    fact_field: str


SUBJECTS = {
    "Incident": AttachableNoun(Incident, "incident_id"),
    "OccurrenceEntry": AttachableNoun(OccurrenceEntry, "occurrence_entry_id"),
}
"""Type of the API → the noun. A noun that gets files needs a line here, and its field in `OfAttachment`."""


@dataclass(frozen=True, slots=True)
class FileSubject:
    """One row to which a file is attached."""

    kind: str
    id: UUID
    account_id: UUID
    internal: bool = False

    def in_facts(self) -> dict[str, Any]:
        """Return the fields of a fact that name it."""
        ids = {each.fact_field: None for each in SUBJECTS.values()}
        return {"attached_kind": self.kind, **ids, SUBJECTS[self.kind].fact_field: self.id}


async def site_of(session: AsyncSession, subject: FileSubject) -> UUID | None:
    """Return the site of a row to which a file is attached; None without one."""
    model = SUBJECTS[subject.kind].model
    found: UUID | None = await session.scalar(select(model.site_id).where(model.id == subject.id))
    return found


async def subject_of(tx: Tx, kind: str, row_id: UUID, *, argument: str) -> FileSubject:
    """Return a row that the actor sees and may work on; refuse any other as if it did not exist."""
    noun = SUBJECTS.get(kind)
    if noun is not None:
        reach = (visible_to(tx.actor, noun.model), workable_by(tx.actor, noun.model))
        row = await tx.session.scalar(select(noun.model).where(noun.model.id == row_id, *reach))
        if row is not None:
            return FileSubject(kind, row_id, row.account_id, getattr(row, "internal", False))
    kinds = " or ".join(SUBJECTS)
    raise Refused(Code.NOT_FOUND, f"No such {kinds}.", argument=argument)
