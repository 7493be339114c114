"""Personal data: show a person everything we know, forget a person."""

from dataclasses import dataclass
from typing import Annotated, Any

import strawberry

from domain import accounts, privacy
from domain.privacy import Person
from schema.accounts import Contact, User
from schema.scalars import Json
from schema.thin import shows
from schema.verbs import Ask, ContactId, UserId, verb


@dataclass(frozen=True, slots=True)
class Everything:
    """A person's row and, the first time, everything about the person."""

    row: accounts.Contact | accounts.User
    told: dict[str, Any] | None


@shows(Everything)
class PersonalData:
    """Everything that is known about a person."""

    told: Annotated[
        Json | None,
        "The person's own row, messages, facts about and by the person, and texts that name the person;"
        " null when the answer is repeated under its key.",
    ]


def _again(row: Any) -> Everything:
    return Everything(row, None)


@strawberry.type
class PrivacyMutation:
    """Verbs about personal data."""

    @verb(PersonalData, again=_again)
    @staticmethod
    async def export_contact(ask: Ask, id: Annotated[ContactId, "The contact."]) -> Everything:
        """Show everything that is known about a contact; that it was shown is written down."""
        return Everything(
            *await privacy.export(ask.session, ask.actor, Person.CONTACT, id, at=ask.at)
        )

    @verb(PersonalData, again=_again)
    @staticmethod
    async def export_user(ask: Ask, id: Annotated[UserId, "The user."]) -> Everything:
        """Show everything that is known about a user; that it was shown is written down."""
        return Everything(*await privacy.export(ask.session, ask.actor, Person.USER, id, at=ask.at))

    @verb(Contact)
    @staticmethod
    async def erase_contact(ask: Ask, id: Annotated[ContactId, "The contact."]) -> Any:
        """Forget a contact, within seconds: name, addresses and messages go, the ledger's proofs stay."""
        return await privacy.request_erasure(ask.session, ask.actor, Person.CONTACT, id, at=ask.at)

    @verb(User)
    @staticmethod
    async def erase_user(ask: Ask, id: Annotated[UserId, "The user."]) -> Any:
        """Forget a user, within seconds: access, name and address go, the ledger's proofs stay."""
        return await privacy.request_erasure(ask.session, ask.actor, Person.USER, id, at=ask.at)
