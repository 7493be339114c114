"""Security companies, their clients, the places they guard and the people on both sides."""

from datetime import date, datetime, time
from typing import Annotated, Any

import strawberry
from strawberry.types.unset import UNSET

from domain import accounts
from domain.access import Role
from domain.accounts import (
    CadenceTier,
    Channel,
    Complexity,
    ContractType,
    Segment,
    ServiceTier,
    Stage,
)
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lazy_types import ItsAccount, ItsAgreement, ItsIncident
from schema.core.loaders import Some
from schema.core.mutations import (
    AccountId,
    ContactId,
    ExpectedVersion,
    MutationContext,
    UserId,
    mutation,
)
from schema.core.pagination import checked
from schema.core.scalars import Long
from schema.core.types import RESTRICTED, enum, from_row, resolver

enum(
    Segment, "Segment",
    enterprise="A large organisation.", mid_market="A middle-sized one.", small_business="A small one.",
)  # fmt: skip
enum(
    Stage, "Stage",
    prospect="Not a client yet.", onboarding="Getting started.", delivery="Being served.",
    growth="Taking more services.", renewal="Deciding whether to go on.", advocacy="Recommending us.",
)  # fmt: skip
enum(
    ContractType, "ContractType",
    subscription="By the period.", project="By the project.", retainer="A reserved amount of work.",
    transactional="By the assignment.",
)  # fmt: skip
enum(
    Complexity, "Complexity",
    simple="One service at one site.", moderate="Some services or sites.", complex="Many of both.",
    custom="Made to measure.",
)  # fmt: skip
enum(
    CadenceTier, "CadenceTier",
    strategic="Most often.", core="Regularly.", standard="As often as everybody.",
)  # fmt: skip
enum(
    ServiceTier, "ServiceTier",
    basic="Standard support.", enhanced="A manager of one's own, and priority.",
    premium="Also business reviews and training.",
)  # fmt: skip
enum(
    Channel, "Channel",
    email="E-mail.", sms="A text message.", push="A notification in an app.",
    chat="A message in a chat room.", webhook="A call of a partner's system.",
)  # fmt: skip
enum(
    Role, "Role",
    client_user="Works for a client: sees the client's accounts, reports.",
    client_admin="Also manages the client's users.",
    guard="On duty at the sites; reports.",
    dispatcher="Handles tickets around the clock.",
    relationship_manager="Looks after accounts, agreements and tickets.",
    finance="Agreements and money.",
    management="Everything.",
    partner="A partner's system.",
    auditor="Reads everything, changes nothing.",
    system="The software itself.",
)  # fmt: skip

AccountRow = strawberry.Parent[accounts.Account]
SiteRow = strawberry.Parent[accounts.Site]
ContactRow = strawberry.Parent[accounts.Contact]
Few = Annotated[int, "How many at most, 100 at most."]


@from_row(accounts.Tenant)
class Tenant(Node):
    """A security company."""

    name: Annotated[str, "What it is called."]
    kvk_number: Annotated[str | None, "Number in the Dutch trade register."]
    permit_number: Annotated[str | None, "Number of its permit (ND-nummer)."]
    time_zone: Annotated[str, "IANA time zone of its days."]
    currency: Annotated[str, "ISO 4217 code of its money."]


@from_row(accounts.User)
class User(Node):
    """Somebody who signs in: staff of the company, or of a client."""

    email: Annotated[str, "The address with which the user signs in, and to which letters go."]
    name: Annotated[str, "What the user is called."]
    role: Annotated[Role, "What the user may do."]
    language: Annotated[str | None, "`nl` or `en`, of letters; null for the company's."]
    disabled_at: Annotated[datetime | None, "Since when the user cannot sign in any more."]
    version: Annotated[int, "Raised by every change."]


@from_row(accounts.Contact)
class Contact(Node):
    """A person on the client's side, and how that person wants to be spoken to."""

    name: Annotated[str, "What the person is called."]
    email: Annotated[str | None, "Where mail goes."]
    phone: Annotated[str | None, "Where calls and texts go."]
    role: Annotated[str, "What the person does there."]
    seniority: Annotated[str | None, "How high in the organisation."]
    decision_power: Annotated[int, "Say in decisions, 1 to 5.", RESTRICTED]
    relationship_strength: Annotated[int, "How well we know each other, 1 to 5.", RESTRICTED]
    last_contact_at: Annotated[datetime | None, "When we last spoke.", RESTRICTED]
    channel: Annotated[Channel, "How the person wants to hear from us."]
    language: Annotated[str, "`nl` or `en`."]
    tone: Annotated[str | None, "How the person wants to be addressed.", RESTRICTED]
    time_zone: Annotated[str, "IANA time zone of the quiet hours."]
    cultural_notes: Annotated[str | None, "What to mind.", RESTRICTED]
    quiet_from: Annotated[time | None, "No messages from this local time on."]
    quiet_until: Annotated[time | None, "Messages again from this local time on."]
    wants_service_messages: Annotated[bool, "Whether notices about the service are welcome."]
    version: Annotated[int, "Raised by every change."]

    @resolver(User | None)
    @staticmethod
    async def internal_owner(row: ContactRow, info: Info) -> accounts.User | None:
        """Who of the company looks after the contact. Null for clients."""
        if row.internal_owner_id is None:
            return None
        return await info.context.loaders.user.load(row.internal_owner_id)


@from_row(accounts.Site)
class Site(Node):
    """A place the company guards for a client."""

    name: Annotated[str, "What it is called."]
    street: Annotated[str | None, "Street and number."]
    postcode: Annotated[str | None, "Postal code."]
    city: Annotated[str | None, "Town."]
    country: Annotated[str, "ISO 3166 code."]
    lat: Annotated[float | None, "Latitude in degrees, WGS 84."]
    lon: Annotated[float | None, "Longitude in degrees, WGS 84."]
    services: Annotated[list[str], "What is done there."]
    fence_radius_m: Annotated[float | None, "The circle around it in which a guard is there."]
    fence_outline: Annotated[
        list[float] | None, "Or the corners: latitude, longitude, latitude, longitude …"
    ]
    version: Annotated[int, "Raised by every change."]

    @resolver(ItsAccount | None)
    @staticmethod
    async def account(row: SiteRow, info: Info) -> accounts.Account | None:
        """The client whose place it is."""
        return await info.context.loaders.account.load(row.account_id)

    @resolver(list[ItsIncident])
    @staticmethod
    async def incidents(row: SiteRow, info: Info, first: Few = 10) -> list[Any]:
        """The newest tickets of this place; the root field `incidents` pages and filters."""
        return await info.context.loaders.incidents_of_site.load(
            Some(row.id, checked(first, "first"))
        )


@from_row(accounts.Account)
class Account(Node):
    """A client of the security company."""

    name: Annotated[str, "What the client is called."]
    kvk_number: Annotated[str | None, "Number in the Dutch trade register, eight digits."]
    segment: Annotated[Segment, "How large the client is."]
    vertical: Annotated[str | None, "What the client does."]
    regions: Annotated[list[str], "Where."]
    yearly_revenue_cents: Annotated[Long | None, "Turnover a year, in cents.", RESTRICTED]
    employees: Annotated[int | None, "How many people work there."]
    yearly_transactions: Annotated[Long | None, "How many transactions a year.", RESTRICTED]
    complexity: Annotated[Complexity, "How much there is to the service."]
    contract_type: Annotated[ContractType, "How the client buys."]
    growth_potential: Annotated[int, "1 to 5.", RESTRICTED]
    strategic_importance: Annotated[int, "1 to 5.", RESTRICTED]
    stage: Annotated[Stage, "Where the relationship stands.", RESTRICTED]
    cadence_tier: Annotated[CadenceTier, "How often we meet.", RESTRICTED]
    service_tier: Annotated[ServiceTier, "What support the client is entitled to."]
    time_zone: Annotated[str, "IANA time zone of the client's days and months."]
    language: Annotated[str, "`nl` or `en`."]
    currency: Annotated[str, "ISO 4217 code of the client's money."]
    client_since_on: Annotated[date | None, "The first day as a client."]
    version: Annotated[int, "Raised by every change."]

    @resolver(list[Site])
    @staticmethod
    async def sites(row: AccountRow, info: Info, first: Few = 20) -> list[accounts.Site]:
        """The places guarded for the client, by name; the root field `sites` pages."""
        return await info.context.loaders.sites_of_account.load(
            Some(row.id, checked(first, "first"))
        )

    @resolver(list[Contact])
    @staticmethod
    async def contacts(row: AccountRow, info: Info, first: Few = 20) -> list[accounts.Contact]:
        """The people on the client's side, by name."""
        return await info.context.loaders.contacts_of_account.load(
            Some(row.id, checked(first, "first"))
        )

    @resolver(list[ItsAgreement])
    @staticmethod
    async def agreements(row: AccountRow, info: Info, first: Few = 10) -> list[Any]:
        """What was signed with the client, newest first."""
        return await info.context.loaders.agreements_of_account.load(
            Some(row.id, checked(first, "first"))
        )

    @resolver(list[ItsIncident])
    @staticmethod
    async def incidents(row: AccountRow, info: Info, first: Few = 10) -> list[Any]:
        """The client's newest tickets; the root field `incidents` pages and filters."""
        return await info.context.loaders.incidents_of_account.load(
            Some(row.id, checked(first, "first"))
        )


@strawberry.type
class AccountMutation:
    """Verbs about clients, places and people."""

    @mutation(Account)
    @staticmethod
    async def create_account(
        ask: MutationContext,
        name: Annotated[str, "What the client is called; unique in the company."],
        kvk_number: Annotated[str | None, "Number in the trade register, eight digits."] = None,
        segment: Annotated[Segment, "How large the client is."] = Segment.MID_MARKET,
        vertical: Annotated[str | None, "What the client does."] = None,
        employees: Annotated[int | None, "How many people work there."] = None,
        yearly_revenue_cents: Annotated[Long | None, "Turnover a year, in cents."] = None,
        service_tier: Annotated[ServiceTier, "The support agreed."] = ServiceTier.BASIC,
        time_zone: Annotated[str, "IANA time zone."] = "Europe/Amsterdam",
        language: Annotated[str, "`nl` or `en`."] = "nl",
        client_since_on: Annotated[date | None, "The first day as a client."] = None,
    ) -> accounts.Account:
        """Open a client account."""
        return await accounts.create_account(
            ask.session, ask.actor, name=name, at=ask.at, kvk_number=kvk_number, segment=segment,
            vertical=vertical, employees=employees, yearly_revenue_cents=yearly_revenue_cents,
            service_tier=service_tier, time_zone=time_zone, language=language,
            client_since_on=client_since_on,
        )  # fmt: skip

    @mutation(Account)
    @staticmethod
    async def change_account(
        ask: MutationContext,
        id: Annotated[AccountId, "The client."],
        name: Annotated[str | None, "Another name; unique in the company."] = UNSET,
        kvk_number: Annotated[str | None, "Another number in the trade register, or null."] = UNSET,
        segment: Annotated[Segment | None, "How large the client is now."] = UNSET,
        vertical: Annotated[str | None, "What the client does, or null."] = UNSET,
        regions: Annotated[list[str] | None, "Where."] = UNSET,
        employees: Annotated[int | None, "How many people work there, or null."] = UNSET,
        yearly_revenue_cents: Annotated[Long | None, "Turnover a year in cents, or null."] = UNSET,
        yearly_transactions: Annotated[Long | None, "Transactions a year, or null."] = UNSET,
        complexity: Annotated[Complexity | None, "How much there is to the service."] = UNSET,
        contract_type: Annotated[ContractType | None, "How the client buys."] = UNSET,
        growth_potential: Annotated[int | None, "1 to 5."] = UNSET,
        strategic_importance: Annotated[int | None, "1 to 5."] = UNSET,
        cadence_tier: Annotated[CadenceTier | None, "How often we meet."] = UNSET,
        service_tier: Annotated[ServiceTier | None, "What support the client gets."] = UNSET,
        language: Annotated[str | None, "`nl` or `en`."] = UNSET,
        client_since_on: Annotated[date | None, "The first day as a client, or null."] = UNSET,
        expected_version: ExpectedVersion = None,
    ) -> accounts.Account:
        """Change what is known of a client; what is left out stays as it is."""
        given = {
            "name": name, "kvk_number": kvk_number, "segment": segment, "vertical": vertical,
            "regions": regions, "employees": employees, "yearly_revenue_cents": yearly_revenue_cents,
            "yearly_transactions": yearly_transactions, "complexity": complexity,
            "contract_type": contract_type, "growth_potential": growth_potential,
            "strategic_importance": strategic_importance, "cadence_tier": cadence_tier,
            "service_tier": service_tier, "language": language, "client_since_on": client_since_on,
        }  # fmt: skip
        changes = {field: value for field, value in given.items() if value is not UNSET}
        return await accounts.change_account(
            ask.session, ask.actor, id, at=ask.at, expected_version=expected_version, **changes
        )

    @mutation(Site)
    @staticmethod
    async def add_site(
        ask: MutationContext,
        account_id: Annotated[AccountId, "The client."],
        name: Annotated[str, "What the place is called; unique for the client."],
        street: Annotated[str | None, "Street and number."] = None,
        postcode: Annotated[str | None, "Postal code."] = None,
        city: Annotated[str | None, "Town."] = None,
        country: Annotated[str, "ISO 3166 code."] = "NL",
        lat: Annotated[float | None, "Latitude in degrees."] = None,
        lon: Annotated[float | None, "Longitude in degrees."] = None,
        services: Annotated[list[str] | None, "What is done there."] = None,
    ) -> accounts.Site:
        """Put a place of the client under guard."""
        return await accounts.add_site(
            ask.session, ask.actor, account_id, name=name, at=ask.at, street=street,
            postcode=postcode, city=city, country=country, lat=lat, lon=lon, services=services or [],
        )  # fmt: skip

    @mutation(Contact)
    @staticmethod
    async def add_contact(
        ask: MutationContext,
        account_id: Annotated[AccountId, "The client."],
        name: Annotated[str, "What the person is called."],
        role: Annotated[str, "What the person does there."],
        email: Annotated[str | None, "Where mail goes; unique for the client."] = None,
        phone: Annotated[str | None, "Where calls and texts go."] = None,
        channel: Annotated[Channel, "How the person wants to hear from us."] = Channel.EMAIL,
        language: Annotated[str, "`nl` or `en`."] = "nl",
        time_zone: Annotated[str, "IANA time zone of the quiet hours."] = "Europe/Amsterdam",
        quiet_from: Annotated[time | None, "No messages from this local time on."] = None,
        quiet_until: Annotated[time | None, "Messages again from this local time on."] = None,
        wants_service_messages: Annotated[bool, "Whether notices are welcome."] = True,
        seniority: Annotated[str | None, "How high in the organisation."] = None,
        decision_power: Annotated[int, "Say in decisions, 1 to 5."] = 3,
        relationship_strength: Annotated[int, "How well we know each other, 1 to 5."] = 3,
        tone: Annotated[str | None, "How the person wants to be addressed."] = None,
        cultural_notes: Annotated[str | None, "What to mind."] = None,
        internal_owner_id: Annotated[UserId | None, "Who of the company looks after it."] = None,
    ) -> accounts.Contact:
        """Add a person on the client's side."""
        return await accounts.add_contact(
            ask.session, ask.actor, account_id, name=name, role=role, at=ask.at, email=email,
            phone=phone, channel=channel, language=language, time_zone=time_zone,
            quiet_from=quiet_from, quiet_until=quiet_until,
            wants_service_messages=wants_service_messages, seniority=seniority,
            decision_power=decision_power, relationship_strength=relationship_strength, tone=tone,
            cultural_notes=cultural_notes, internal_owner_id=internal_owner_id,
        )  # fmt: skip

    @mutation(Contact)
    @staticmethod
    async def change_contact(
        ask: MutationContext,
        id: Annotated[ContactId, "The contact."],
        name: Annotated[str | None, "A new name."] = UNSET,
        role: Annotated[str | None, "Another role."] = UNSET,
        email: Annotated[str | None, "Another address, or null for none."] = UNSET,
        phone: Annotated[str | None, "Another number, or null for none."] = UNSET,
        channel: Annotated[Channel | None, "Another channel."] = UNSET,
        language: Annotated[str | None, "Another language."] = UNSET,
        time_zone: Annotated[str | None, "Another time zone of the quiet hours."] = UNSET,
        quiet_from: Annotated[time | None, "Start of the quiet hours, or null."] = UNSET,
        quiet_until: Annotated[time | None, "End of the quiet hours, or null."] = UNSET,
        wants_service_messages: Annotated[bool | None, "Whether notices are welcome."] = UNSET,
        seniority: Annotated[str | None, "How high in the organisation, or null."] = UNSET,
        decision_power: Annotated[int | None, "Say in decisions, 1 to 5."] = UNSET,
        relationship_strength: Annotated[
            int | None, "How well we know each other, 1 to 5."
        ] = UNSET,
        last_contact_at: Annotated[datetime | None, "When we last spoke, or null."] = UNSET,
        tone: Annotated[str | None, "How to address the person, or null."] = UNSET,
        cultural_notes: Annotated[str | None, "What to mind, or null."] = UNSET,
        internal_owner_id: Annotated[UserId | None, "Who looks after it, or null."] = UNSET,
        expected_version: ExpectedVersion = None,
    ) -> accounts.Contact:
        """Change details of a contact; what is left out stays as it is."""
        given = {
            "name": name, "role": role, "email": email, "phone": phone, "channel": channel,
            "language": language, "time_zone": time_zone, "quiet_from": quiet_from,
            "quiet_until": quiet_until, "wants_service_messages": wants_service_messages,
            "seniority": seniority, "decision_power": decision_power,
            "relationship_strength": relationship_strength, "last_contact_at": last_contact_at,
            "tone": tone, "cultural_notes": cultural_notes, "internal_owner_id": internal_owner_id,
        }  # fmt: skip
        changes = {field: value for field, value in given.items() if value is not UNSET}
        return await accounts.change_contact(
            ask.session, ask.actor, id, at=ask.at, expected_version=expected_version, **changes
        )

    @mutation(User)
    @staticmethod
    async def add_user(
        ask: MutationContext,
        email: Annotated[str, "The address that identifies the user."],
        name: Annotated[str, "What the user is called."],
        role: Annotated[Role, "What the user may do."],
        account_ids: Annotated[
            list[AccountId] | None, "The accounts the user is limited to; clients need one."
        ] = None,
        language: Annotated[str | None, "`nl` or `en`, of letters; null for the company's."] = None,
    ) -> accounts.User:
        """Add a user with a role that you have the rights of; a client adds client users of the own accounts.

        One address may be several users: of two clients, or of a client and the company.
        """
        return await accounts.add_user(
            ask.session, ask.actor, email=email, name=name, role=role,
            accounts=account_ids or (), language=language, at=ask.at,
        )  # fmt: skip
