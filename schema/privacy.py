"""Personal data: export and erasure of one person."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from domain import accounts, privacy
from domain.privacy import Person
from schema.contacts import Contact
from schema.core.mutations import ContactId, MutationContext, UserId, mutation
from schema.core.roots import mutation_fields
from schema.core.scalars import Json
from schema.core.types import from_row
from schema.users import User


@dataclass(frozen=True, slots=True)
class Everything:
    """Row of a person with the export, which is None when the response is repeated."""

    row: accounts.Contact | accounts.User
    told: dict[str, Any] | None


@from_row(Everything)
class PersonalData:
    """All personal data of one person."""

    told: Annotated[
        Json | None,
        (
            "The person's own row, messages, facts about and by the person, and texts "
            "that mention the person; null when the response is repeated for the same "
            "idempotency key."
        ),
    ]


def _again(row: Any) -> Everything:
    return Everything(row, None)


Mentions = Annotated[
    list[str] | None,
    (
        "Entries from `named_in` of the export with a text about this person, at most "
        "100: the name is redacted there, and nowhere else. Only entries marked "
        "`erasable`."
    ),
]


@mutation_fields
class PrivacyMutation:
    """Mutations of personal data."""

    @mutation(PersonalData, again=_again)
    @staticmethod
    async def export_contact(
        ask: MutationContext, id: Annotated[ContactId, "Contact to be exported."]
    ) -> Everything:
        """Export all data about a contact that you may read; the export is recorded."""
        return await _export(ask, Person.CONTACT, id)

    @mutation(PersonalData, again=_again)
    @staticmethod
    async def export_user(
        ask: MutationContext, id: Annotated[UserId, "User to be exported."]
    ) -> Everything:
        """Export all data about a user that you may read; the export is recorded."""
        return await _export(ask, Person.USER, id)

    @mutation(Contact)
    @staticmethod
    async def erase_contact(
        ask: MutationContext,
        id: Annotated[ContactId, "Contact to be erased."],
        mentions: Mentions = None,
    ) -> Any:
        """Erase a contact within seconds: name, addresses and messages are removed, the proofs in the ledger stay."""
        return await _erase(ask, Person.CONTACT, id, mentions)

    @mutation(User)
    @staticmethod
    async def erase_user(
        ask: MutationContext, id: Annotated[UserId, "User to be erased."], mentions: Mentions = None
    ) -> Any:
        """Erase a user within seconds: access, name and address are removed, the proofs in the ledger stay."""
        return await _erase(ask, Person.USER, id, mentions)


async def _export(ask: MutationContext, person: Person, person_id: UUID) -> Everything:
    return Everything(*await privacy.export(ask.tx, person, person_id))


async def _erase(
    ask: MutationContext, person: Person, person_id: UUID, mentions: list[str] | None
) -> Any:
    return await privacy.request_erasure(ask.tx, person, person_id, confirmed=mentions or ())
