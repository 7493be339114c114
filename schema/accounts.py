"""Security companies, their clients, the guarded sites, and users and contacts."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Any

import strawberry
from strawberry.types.unset import UNSET

from domain import accounts, agreements, incidents
from schema.account_enums import (
    CadenceTier,
    Channel,
    Complexity,
    ContractType,
    Role,
    Segment,
    ServiceTier,
    Stage,
)
from schema.core.argument_groups import ArgumentGroup
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.mutations import (
    AccountId,
    ContactId,
    ExpectedVersion,
    MutationContext,
    UserId,
    mutation,
)
from schema.core.pagination import checked
from schema.core.roots import mutation_fields
from schema.core.scalars import Long
from schema.core.types import RESTRICTED, from_row, relation, relations, resolver

AccountRow = strawberry.Parent[accounts.Account]
SiteRow = strawberry.Parent[accounts.Site]
ContactRow = strawberry.Parent[accounts.Contact]
Few = Annotated[int, "Maximum number of rows to return, at most 100."]


@from_row(accounts.Tenant)
class Tenant(Node):
    """Security company that uses this system."""

    name: Annotated[str, "Name of the security company."]
    kvk_number: Annotated[str | None, "Number in the Dutch trade register (KvK), eight digits."]
    permit_number: Annotated[str | None, "Permit number of the company (ND-nummer)."]
    time_zone: Annotated[str, "IANA time zone of the company's days."]
    currency: Annotated[str, "Default currency of the company, as an ISO 4217 code."]


@from_row(accounts.User)
class User(Node):
    """Person who can sign in: staff of the company or of a client."""

    email: Annotated[str, "E-mail address for signing in and for messages to the user."]
    name: Annotated[str, "Name of the user, as shown to people."]
    role: Annotated[Role, "Role of the user, which decides the rights."]
    language: Annotated[
        str | None, "Language of e-mail to the user, `nl` or `en`; null for the company's language."
    ]
    disabled_at: Annotated[
        datetime | None, "Time at which access was disabled; null while the user can sign in."
    ]
    version: Annotated[int, "Version of the row, raised by every change."]


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

    @resolver(User | None)
    @staticmethod
    async def internal_owner(row: ContactRow, info: Info) -> accounts.User | None:
        """User of the company who looks after the contact. Null for clients."""
        return await info.context.get(accounts.User, row.internal_owner_id)


@from_row(accounts.Site)
class Site(Node):
    """Site that the company guards for a client."""

    name: Annotated[str, "Name of the site, as shown to people."]
    street: Annotated[str | None, "Street and house number of the site."]
    postcode: Annotated[str | None, "Postal code of the site."]
    city: Annotated[str | None, "City or town of the site."]
    country: Annotated[str, "Country of the site, as an ISO 3166 code."]
    lat: Annotated[float | None, "Latitude of the site in degrees, WGS 84."]
    lon: Annotated[float | None, "Longitude of the site in degrees, WGS 84."]
    services: Annotated[list[str], "Services performed at the site, such as patrols."]
    fence_radius_m: Annotated[
        float | None, "Radius of the circular geofence in metres; null without a circle."
    ]
    fence_outline: Annotated[
        list[float] | None,
        "Corners of the geofence polygon: latitude, longitude, latitude, longitude …; null without a polygon.",
    ]
    version: Annotated[int, "Version of the row, raised by every change."]

    @relation("Account")
    @staticmethod
    async def account(row: SiteRow, info: Info) -> accounts.Account | None:
        """Account of the client that owns the site."""
        return await info.context.get(accounts.Account, row.account_id)

    @relations("Incident")
    @staticmethod
    async def incidents(row: SiteRow, info: Info, first: Few = 10) -> list[Any]:
        """Newest incidents at this site; use the root field `incidents` for pages and filters."""
        return await info.context.children(
            incidents.Incident.site_id,
            row.id,
            order=(incidents.Incident.opened_at, incidents.Incident.id),
            descending=True,
            first=checked(first, "first"),
        )


@from_row(accounts.Account)
class Account(Node):
    """Account: a client of the security company."""

    name: Annotated[str, "Name of the client, as shown to people."]
    kvk_number: Annotated[str | None, "Number in the Dutch trade register (KvK), eight digits."]
    segment: Annotated[Segment, "Size class of the client."]
    vertical: Annotated[str | None, "Industry sector of the client."]
    regions: Annotated[list[str], "Regions in which the client operates."]
    yearly_revenue_cents: Annotated[
        Long | None, "Yearly revenue of the client, in cents.", RESTRICTED
    ]
    employees: Annotated[int | None, "Number of employees of the client."]
    yearly_transactions: Annotated[
        Long | None, "Number of transactions of the client per year.", RESTRICTED
    ]
    complexity: Annotated[Complexity, "Complexity of the service for this client."]
    contract_type: Annotated[ContractType, "Way in which the client buys services."]
    growth_potential: Annotated[int, "Potential for growth, from 1 (low) to 5 (high).", RESTRICTED]
    strategic_importance: Annotated[
        int, "Strategic importance, from 1 (low) to 5 (high).", RESTRICTED
    ]
    stage: Annotated[Stage, "Stage of the relationship with the client.", RESTRICTED]
    cadence_tier: Annotated[
        CadenceTier, "Tier that decides how often contact is planned.", RESTRICTED
    ]
    service_tier: Annotated[ServiceTier, "Tier of support to which the client is entitled."]
    time_zone: Annotated[str, "IANA time zone of the client's days and months."]
    language: Annotated[str, "Language of messages to the client, `nl` or `en`."]
    currency: Annotated[str, "Currency of the client's money, as an ISO 4217 code."]
    client_since_on: Annotated[date | None, "First day as a client of the company."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(list[Site])
    @staticmethod
    async def sites(row: AccountRow, info: Info, first: Few = 20) -> list[accounts.Site]:
        """Sites guarded for the client, by name; use the root field `sites` for pages."""
        return await info.context.children(
            accounts.Site.account_id,
            row.id,
            order=(accounts.Site.name, accounts.Site.id),
            first=checked(first, "first"),
        )

    @resolver(list[Contact])
    @staticmethod
    async def contacts(row: AccountRow, info: Info, first: Few = 20) -> list[accounts.Contact]:
        """Contact persons of the client, by name."""
        return await info.context.children(
            accounts.Contact.account_id,
            row.id,
            order=(accounts.Contact.name, accounts.Contact.id),
            first=checked(first, "first"),
        )

    @relations("Agreement")
    @staticmethod
    async def agreements(row: AccountRow, info: Info, first: Few = 10) -> list[Any]:
        """Agreements signed with the client, newest first."""
        return await info.context.children(
            agreements.Agreement.account_id,
            row.id,
            order=(agreements.Agreement.id,),
            descending=True,
            first=checked(first, "first"),
        )

    @relations("Incident")
    @staticmethod
    async def incidents(row: AccountRow, info: Info, first: Few = 10) -> list[Any]:
        """Newest incidents of the client; use the root field `incidents` for pages and filters."""
        return await info.context.children(
            incidents.Incident.account_id,
            row.id,
            order=(incidents.Incident.opened_at, incidents.Incident.id),
            descending=True,
            first=checked(first, "first"),
        )


@dataclass(frozen=True, kw_only=True)
class AccountChanges(ArgumentGroup):
    """Details of an account that may change; what is left out stays as it is."""

    name: Annotated[str | None, "New name of the client; unique in the company."] = UNSET
    kvk_number: Annotated[
        str | None, "New number in the Dutch trade register (KvK), or null for none."
    ] = UNSET
    segment: Annotated[Segment | None, "New size class of the client."] = UNSET
    vertical: Annotated[str | None, "Industry sector of the client, or null."] = UNSET
    regions: Annotated[list[str] | None, "Regions in which the client operates."] = UNSET
    employees: Annotated[int | None, "Number of employees of the client, or null."] = UNSET
    yearly_revenue_cents: Annotated[
        Long | None, "Yearly revenue of the client in cents, or null."
    ] = UNSET
    yearly_transactions: Annotated[
        Long | None, "Number of transactions of the client per year, or null."
    ] = UNSET
    complexity: Annotated[Complexity | None, "Complexity of the service for this client."] = UNSET
    contract_type: Annotated[ContractType | None, "Way in which the client buys services."] = UNSET
    growth_potential: Annotated[int | None, "Potential for growth, from 1 (low) to 5 (high)."] = (
        UNSET
    )
    strategic_importance: Annotated[
        int | None, "Strategic importance, from 1 (low) to 5 (high)."
    ] = UNSET
    cadence_tier: Annotated[
        CadenceTier | None, "Tier that decides how often contact is planned."
    ] = UNSET
    service_tier: Annotated[ServiceTier | None, "Tier of support that the client receives."] = UNSET
    language: Annotated[str | None, "Language of messages to the client, `nl` or `en`."] = UNSET
    client_since_on: Annotated[date | None, "First day as a client, or null when unknown."] = UNSET


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
class AccountMutation:
    """Mutations of accounts, sites, contacts and users."""

    @mutation(Account)
    @staticmethod
    async def create_account(
        ask: MutationContext,
        name: Annotated[str, "Name of the client; unique in the company."],
        kvk_number: Annotated[
            str | None, "Number in the Dutch trade register (KvK), eight digits."
        ] = None,
        segment: Annotated[Segment, "Size class of the client."] = Segment.MID_MARKET,
        vertical: Annotated[str | None, "Industry sector of the client."] = None,
        employees: Annotated[int | None, "Number of employees of the client."] = None,
        yearly_revenue_cents: Annotated[
            Long | None, "Yearly revenue of the client, in cents."
        ] = None,
        service_tier: Annotated[
            ServiceTier, "Tier of support agreed with the client."
        ] = ServiceTier.BASIC,
        time_zone: Annotated[
            str, "IANA time zone of the client's days and months."
        ] = "Europe/Amsterdam",
        language: Annotated[str, "Language of messages to the client, `nl` or `en`."] = "nl",
        client_since_on: Annotated[date | None, "First day as a client of the company."] = None,
    ) -> accounts.Account:
        """Create an account for a client."""
        return await accounts.create_account(
            ask.session,
            ask.actor,
            name=name,
            at=ask.at,
            kvk_number=kvk_number,
            segment=segment,
            vertical=vertical,
            employees=employees,
            yearly_revenue_cents=yearly_revenue_cents,
            service_tier=service_tier,
            time_zone=time_zone,
            language=language,
            client_since_on=client_since_on,
        )

    @mutation(Account)
    @staticmethod
    async def change_account(
        ask: MutationContext,
        id: Annotated[AccountId, "Account to be changed."],
        changes: AccountChanges,
        expected_version: ExpectedVersion = None,
    ) -> accounts.Account:
        """Change the details of an account. Arguments that are omitted stay as they are."""
        return await accounts.change_account(
            ask.session,
            ask.actor,
            id,
            at=ask.at,
            expected_version=expected_version,
            **changes.given(),
        )

    @mutation(Site)
    @staticmethod
    async def add_site(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the client that owns the site."],
        name: Annotated[str, "Name of the site; unique within the account."],
        street: Annotated[str | None, "Street and house number of the site."] = None,
        postcode: Annotated[str | None, "Postal code of the site."] = None,
        city: Annotated[str | None, "City or town of the site."] = None,
        country: Annotated[str, "Country of the site, as an ISO 3166 code."] = "NL",
        lat: Annotated[float | None, "Latitude of the site in degrees, WGS 84."] = None,
        lon: Annotated[float | None, "Longitude of the site in degrees, WGS 84."] = None,
        services: Annotated[
            list[str] | None, "Services performed at the site, such as patrols."
        ] = None,
    ) -> accounts.Site:
        """Add a site of a client to be guarded."""
        return await accounts.add_site(
            ask.session,
            ask.actor,
            account_id,
            name=name,
            at=ask.at,
            street=street,
            postcode=postcode,
            city=city,
            country=country,
            lat=lat,
            lon=lon,
            services=services or [],
        )

    @mutation(Contact)
    @staticmethod
    async def add_contact(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the contact person."],
        details: ContactDetails,
    ) -> accounts.Contact:
        """Add a contact person to an account."""
        return await accounts.add_contact(
            ask.session,
            ask.actor,
            account_id,
            at=ask.at,
            smtp_utf8=ask.ctx.smtp_utf8,
            **details.given(),
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
            ask.session,
            ask.actor,
            id,
            at=ask.at,
            expected_version=expected_version,
            smtp_utf8=ask.ctx.smtp_utf8,
            **changes.given(),
        )

    @mutation(User)
    @staticmethod
    async def add_user(
        ask: MutationContext,
        email: Annotated[str, "E-mail address that identifies the user."],
        name: Annotated[str, "Name of the user, as shown to people."],
        role: Annotated[Role, "Role of the user, which decides the rights."],
        account_ids: Annotated[
            list[AccountId] | None,
            "Accounts to which the user is limited; users of clients need at least one.",
        ] = None,
        language: Annotated[
            str | None,
            "Language of e-mail to the user, `nl` or `en`; null for the company's language.",
        ] = None,
    ) -> accounts.User:
        """Add a user, in a role of which you hold all rights.

        A client's administrator adds users for its own accounts. One e-mail address may belong to several users: of
        two clients, or of a client and the company.
        """
        return await accounts.add_user(
            ask.session,
            ask.actor,
            email=email,
            name=name,
            role=role,
            accounts=account_ids or (),
            language=language,
            smtp_utf8=ask.ctx.smtp_utf8,
            at=ask.at,
        )
