"""Contact persons of clients, with their preferences for messages."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Annotated

import strawberry
from strawberry.types.unset import UNSET

from domain import accounts
from schema.account_enums import Channel
from schema.core.argument_groups import ArgumentGroup
from schema.core.ids import Node
from schema.core.mutations import (
    AccountId,
    ContactId,
    ExpectedVersion,
    MutationContext,
    UserId,
    mutation,
)
from schema.core.relations import to_one
from schema.core.roots import mutation_fields
from schema.core.types import RESTRICTED, from_row
from schema.users import User

ContactRow = strawberry.Parent[accounts.Contact]


@from_row(accounts.Contact)
class Contact(Node):
    """Contact person of a client, with preferences for messages."""

    name: Annotated[str, "Name of the contact person."]
    email: Annotated[str | None, "E-mail address of the contact; null when there is none."]
    phone: Annotated[
        str | None, "Phone number for calls and text messages; null when there is none."
    ]
    role: Annotated[str, "Function of the person at the client."]
    seniority: Annotated[str | None, "Seniority of the person in the organisation."]
    decision_power: Annotated[int, "Influence on decisions, from 1 (low) to 5 (high).", RESTRICTED]
    relationship_strength: Annotated[
        int, "Strength of the relationship, from 1 (weak) to 5 (strong).", RESTRICTED
    ]
    last_contact_at: Annotated[
        datetime | None, "Time of the last conversation with the contact.", RESTRICTED
    ]
    channel: Annotated[Channel, "Channel by which the contact prefers to receive messages."]
    language: Annotated[str, "Language of messages to the contact, `nl` or `en`."]
    tone: Annotated[str | None, "Tone in which the person prefers to be addressed.", RESTRICTED]
    time_zone: Annotated[str, "IANA time zone of the quiet hours."]
    cultural_notes: Annotated[str | None, "Notes on culture and customs to respect.", RESTRICTED]
    quiet_from: Annotated[
        time | None, "Local time at which quiet hours start: no messages from then on."
    ]
    quiet_until: Annotated[
        time | None, "Local time at which quiet hours end: messages are sent again."
    ]
    wants_service_messages: Annotated[bool, "Whether the contact wants messages about the service."]
    version: Annotated[int, "Version of the row, raised by every change."]

    internal_owner = to_one(
        User,
        accounts.User,
        "internal_owner_id",
        "User of the company who looks after the contact. Null for clients.",
    )


@dataclass(frozen=True, kw_only=True)
class ContactDetails(ArgumentGroup):
    """Details of a new contact."""

    name: Annotated[str, "Name of the contact person."]
    role: Annotated[str, "Function of the person at the client."]
    email: Annotated[str | None, "E-mail address of the contact; unique within the account."] = None
    phone: Annotated[str | None, "Phone number for calls and text messages."] = None
    channel: Annotated[Channel, "Channel by which the contact prefers to receive messages."] = (
        Channel.EMAIL
    )
    language: Annotated[str, "Language of messages to the contact, `nl` or `en`."] = "nl"
    time_zone: Annotated[str, "IANA time zone of the quiet hours."] = "Europe/Amsterdam"
    quiet_from: Annotated[
        time | None, "Local time at which quiet hours start: no messages from then on."
    ] = None
    quiet_until: Annotated[
        time | None, "Local time at which quiet hours end: messages are sent again."
    ] = None
    wants_service_messages: Annotated[
        bool, "Whether the contact wants messages about the service."
    ] = True
    seniority: Annotated[str | None, "Seniority of the person in the organisation."] = None
    decision_power: Annotated[int, "Influence on decisions, from 1 (low) to 5 (high)."] = 3
    relationship_strength: Annotated[
        int, "Strength of the relationship, from 1 (weak) to 5 (strong)."
    ] = 3
    tone: Annotated[str | None, "Tone in which the person prefers to be addressed."] = None
    cultural_notes: Annotated[str | None, "Notes on culture and customs to respect."] = None
    internal_owner_id: Annotated[
        UserId | None, "User of the company who looks after the contact."
    ] = None


@dataclass(frozen=True, kw_only=True)
class ContactChanges(ArgumentGroup):
    """Details of a contact that may change; what is left out stays as it is."""

    name: Annotated[str | None, "New name of the contact."] = UNSET
    role: Annotated[str | None, "New function of the person at the client."] = UNSET
    email: Annotated[str | None, "New e-mail address, or null for none."] = UNSET
    phone: Annotated[str | None, "New phone number, or null for none."] = UNSET
    channel: Annotated[Channel | None, "New preferred channel for messages."] = UNSET
    language: Annotated[str | None, "New language of messages, `nl` or `en`."] = UNSET
    time_zone: Annotated[str | None, "New IANA time zone of the quiet hours."] = UNSET
    quiet_from: Annotated[
        time | None, "Local time at which quiet hours start, or null for none."
    ] = UNSET
    quiet_until: Annotated[
        time | None, "Local time at which quiet hours end, or null for none."
    ] = UNSET
    wants_service_messages: Annotated[
        bool | None, "Whether the contact wants messages about the service."
    ] = UNSET
    seniority: Annotated[str | None, "Seniority of the person in the organisation, or null."] = (
        UNSET
    )
    decision_power: Annotated[int | None, "Influence on decisions, from 1 (low) to 5 (high)."] = (
        UNSET
    )
    relationship_strength: Annotated[
        int | None, "Strength of the relationship, from 1 (weak) to 5 (strong)."
    ] = UNSET
    last_contact_at: Annotated[
        datetime | None, "Time of the last conversation with the contact, or null."
    ] = UNSET
    tone: Annotated[str | None, "Tone in which the person prefers to be addressed, or null."] = (
        UNSET
    )
    cultural_notes: Annotated[str | None, "Notes on culture and customs to respect, or null."] = (
        UNSET
    )
    internal_owner_id: Annotated[
        UserId | None, "User of the company who looks after the contact, or null."
    ] = UNSET


@mutation_fields
class ContactMutation:
    """Mutations of contacts."""

    @mutation(Contact)
    @staticmethod
    async def add_contact(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the contact person."],
        details: ContactDetails,
    ) -> accounts.Contact:
        """Add a contact person to an account."""
        return await accounts.add_contact(
            ask.tx, account_id, smtp_utf8=ask.ctx.smtp_utf8, **details.given()
        )

    @mutation(Contact)
    @staticmethod
    async def change_contact(
        ask: MutationContext,
        id: Annotated[ContactId, "Contact to be changed."],
        changes: ContactChanges,
        expected_version: ExpectedVersion = None,
    ) -> accounts.Contact:
        """Change the details of a contact. Arguments that are omitted stay as they are."""
        return await accounts.change_contact(
            ask.tx,
            id,
            expected_version=expected_version,
            smtp_utf8=ask.ctx.smtp_utf8,
            **changes.given(),
        )
