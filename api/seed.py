"""A believable security company for an empty database: clients, sites, agreements and four weeks behind it.

The history is played through the same actions as everything else, in order of time, and marked as history: it
has verdicts and credits, but nobody gets a message about it.
"""

import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import accounts, agreements, calendars, compensation, incidents
from domain.accounts import Account, CadenceTier, Segment, ServiceTier, Site, Stage, Tenant
from domain.actor import Actor, Origin, Role
from domain.agreements import (
    CreditDraft,
    Priority,
    PromiseDraft,
    PromiseKind,
    Target,
    TermsDraft,
    TicketKind,
    seed_matrix,
)
from domain.calendars import CalendarSpec, CalendarVersion
from domain.db import Sessions, transaction
from domain.incidents import PauseCause, Source
from domain.sla import Promise, State

WEEKS = 4
TICKETS_A_DAY = 6
COMPANY = "Noorderlicht Beveiliging B.V."

Step = Callable[[AsyncSession], Awaitable[Any]]


@dataclass(frozen=True)
class Place:
    """A site as it is entered."""

    name: str
    street: str
    postcode: str
    city: str
    lat: float
    lon: float
    services: tuple[str, ...]


@dataclass(frozen=True)
class Client:
    """A client as it is entered; names and numbers are invented."""

    name: str
    kvk_number: str
    segment: Segment
    vertical: str
    fee_cents: int
    tier: tuple[CadenceTier, ServiceTier]
    places: tuple[Place, ...]
    people: tuple[tuple[str, str, str], ...]  # name, role, language


CLIENTS = (
    Client(
        "Havenkwartier Logistiek N.V.",
        "60000101",
        Segment.ENTERPRISE,
        "logistics",
        4_850_000,
        (CadenceTier.STRATEGIC, ServiceTier.PREMIUM),
        (
            Place(
                "Terminal Oost",
                "Butaanweg 12",
                "3196 KC",
                "Rotterdam",
                51.8806,
                4.3412,
                ("objectbeveiliging", "alarmopvolging"),
            ),
            Place(
                "Distributiecentrum Venlo",
                "Columbusweg 31",
                "5928 LA",
                "Venlo",
                51.3897,
                6.1066,
                ("objectbeveiliging", "mobiele surveillance"),
            ),
        ),
        (
            ("Marloes Dekker", "security manager", "nl"),
            ("Owen Reilly", "operations director", "en"),
        ),
    ),
    Client(
        "Stichting Zorggroep De Linden",
        "60000102",
        Segment.ENTERPRISE,
        "healthcare",
        3_120_000,
        (CadenceTier.STRATEGIC, ServiceTier.PREMIUM),
        (
            Place(
                "Locatie Parkzicht",
                "Maliebaan 88",
                "3581 CX",
                "Utrecht",
                52.0899,
                5.1327,
                ("receptie", "objectbeveiliging"),
            ),
            Place(
                "Locatie Eemland",
                "Utrechtseweg 201",
                "3818 EH",
                "Amersfoort",
                52.1493,
                5.3721,
                ("mobiele surveillance",),
            ),
        ),
        (("Jolanda Smit", "facility manager", "nl"), ("Bram de Wit", "locatiehoofd", "nl")),
    ),
    Client(
        "Winkelhart Almere VvE",
        "60000103",
        Segment.MID_MARKET,
        "retail",
        1_240_000,
        (CadenceTier.CORE, ServiceTier.ENHANCED),
        (
            Place(
                "Winkelhart",
                "Stationsplein 4",
                "1315 KT",
                "Almere",
                52.3747,
                5.2183,
                ("winkelsurveillance",),
            ),
        ),
        (("Fatima Bouzid", "centrummanager", "nl"),),
    ),
    Client(
        "Datapoort B.V.",
        "60000104",
        Segment.MID_MARKET,
        "data centre",
        2_260_000,
        (CadenceTier.CORE, ServiceTier.ENHANCED),
        (
            Place(
                "AMS-2",
                "Kabelweg 37",
                "1014 BA",
                "Amsterdam",
                52.3969,
                4.8535,
                ("toegangscontrole", "alarmopvolging"),
            ),
        ),
        (("Sven Lindqvist", "head of security", "en"), ("Ilse Vermeer", "site manager", "nl")),
    ),
    Client(
        "Van Houten Evenementen",
        "60000105",
        Segment.SMALL_BUSINESS,
        "events",
        460_000,
        (CadenceTier.STANDARD, ServiceTier.BASIC),
        (
            Place(
                "Griendpark",
                "Maasboulevard 1",
                "6211 JW",
                "Maastricht",
                50.8533,
                5.6976,
                ("evenement",),
            ),
        ),
        (("Pieter van Houten", "eigenaar", "nl"),),
    ),
    Client(
        "Bouwcombinatie Noordzijde",
        "60000106",
        Segment.SMALL_BUSINESS,
        "construction",
        380_000,
        (CadenceTier.STANDARD, ServiceTier.BASIC),
        (
            Place(
                "Bouwplaats Suikerzijde",
                "Hoogkerkerdiep 2",
                "9745 AA",
                "Groningen",
                53.2141,
                6.5114,
                ("mobiele surveillance", "alarmopvolging"),
            ),
        ),
        (("Anneke Hofstra", "uitvoerder", "nl"),),
    ),
)

STAFF = (
    (Role.DISPATCHER, "Dennis Kuipers", "meldkamer"),
    (Role.GUARD, "Yara El Amrani", "guard"),
    (Role.RELATIONSHIP_MANAGER, "Sanne Brouwer", "accounts"),
    (Role.FINANCE, "Ruben Mulder", "finance"),
    (Role.MANAGEMENT, "Hanneke Vos", "management"),
    (Role.AUDITOR, "Karin Postma", "audit"),
)

TROUBLES: tuple[tuple[TicketKind, Priority, Source, str], ...] = (
    (TicketKind.ALARM, Priority.CRITICAL, Source.ALARM_CENTRE, "Inbraakalarm zone 3, laaddock"),
    (TicketKind.ALARM, Priority.HIGH, Source.ALARM_CENTRE, "Deur nooduitgang geopend buiten tijd"),
    (TicketKind.INCIDENT, Priority.CRITICAL, Source.GUARD, "Agressie aan de balie, politie gebeld"),
    (TicketKind.INCIDENT, Priority.HIGH, Source.GUARD, "Hekwerk doorgeknipt aan de noordzijde"),
    (TicketKind.INCIDENT, Priority.MEDIUM, Source.GUARD, "Verdachte bestelbus op het terrein"),
    (TicketKind.INCIDENT, Priority.LOW, Source.GUARD, "Verlichting parkeerdek 2 defect"),
    (
        TicketKind.INQUIRY,
        Priority.MEDIUM,
        Source.CLIENT,
        "Graag rapport van de ronde van afgelopen nacht",
    ),
    (TicketKind.SERVICE_REQUEST, Priority.LOW, Source.CLIENT, "Extra sluitronde op vrijdagavond"),
    (
        TicketKind.COMPLAINT,
        Priority.HIGH,
        Source.CLIENT,
        "Beveiliger niet op de post bij overdracht",
    ),
    (TicketKind.MAINTENANCE, Priority.LOW, Source.SYSTEM, "Camera 14 zonder beeld"),
)


async def is_empty(make: Sessions) -> bool:
    """Whether there is no security company yet."""
    async with make() as session:
        return not await session.scalar(select(exists().where(Tenant.id.is_not(None))))


async def seed(make: Sessions, *, at: datetime, tell: Callable[[int, int], None]) -> None:
    """Enter the company and play its last weeks; `tell(done, of)` follows the progress."""
    chance = random.Random(20_260_101)  # noqa: S311 - a story, not a secret; the same one every time
    async with transaction(make) as session:
        company = await accounts.create_tenant(
            session, name=COMPANY, kvk_number="60000100", permit_number="ND 9999"
        )
        actor = Actor.system(company.id, "seed", origin=Origin.HISTORY)
        start = at - timedelta(weeks=WEEKS)
        sites = await _clients(session, actor, start)
        for role, name, mailbox in STAFF:
            await accounts.add_user(
                session,
                actor,
                email=f"{mailbox}@noorderlicht.example",
                name=name,
                role=role,
                at=start,
            )
        await _other_company(session, start)
    steps = sorted(_weeks(chance, actor, sites, start, at), key=lambda step: step[0])
    for done in range(0, len(steps), 25):
        async with transaction(make) as session:
            for _, step in steps[done : done + 25]:
                await step(session)
        tell(min(done + 25, len(steps)), len(steps))


async def _clients(session: AsyncSession, actor: Actor, at: datetime) -> list[Site]:
    sites: list[Site] = []
    calendar = await calendars.define(
        session,
        actor,
        name="24x7",
        spec=CalendarSpec(zone="Europe/Amsterdam", always_open=True),
    )
    office = await calendars.define(
        session,
        actor,
        name="kantooruren",
        spec=CalendarSpec.from_dict(
            {
                "zone": "Europe/Amsterdam",
                "country": "NL",
                "holidays_left_out": ["Good Friday"],
                "hours": {
                    day: [["08:30", "12:30"], ["13:00", "17:00"]]
                    for day in ("mon", "tue", "wed", "thu", "fri")
                },
            }
        ),
    )
    for number, client in enumerate(CLIENTS, 1):
        cadence, service = client.tier
        account = await accounts.create_account(
            session,
            actor,
            name=client.name,
            at=at,
            kvk_number=client.kvk_number,
            segment=client.segment,
            vertical=client.vertical,
            cadence_tier=cadence,
            service_tier=service,
            stage=Stage.DELIVERY,
            client_since_on=date(2024, number, 1),
        )
        sites += [
            await accounts.add_site(
                session,
                actor,
                account.id,
                name=place.name,
                at=at,
                street=place.street,
                postcode=place.postcode,
                city=place.city,
                lat=place.lat,
                lon=place.lon,
                services=list(place.services),
            )
            for place in client.places
        ]
        await _people(session, actor, account, client, at)
        await agreements.sign(
            session,
            actor,
            account.id,
            reference=f"NL-2026-{number:03d}",
            title=f"Beveiliging {client.name}",
            signed_on=date(2025, 12, 10),
            in_force_from=at - timedelta(days=200),
            terms=_terms(client, calendar, office),
            at=at,
        )
    return sites


async def _people(
    session: AsyncSession, actor: Actor, account: Account, client: Client, at: datetime
) -> None:
    domain = f"klant{client.kvk_number[-2:]}.example"
    for index, (name, role, language) in enumerate(client.people):
        email = f"{name.split()[0].lower()}@{domain}"
        await accounts.add_contact(
            session,
            actor,
            account.id,
            name=name,
            role=role,
            at=at,
            email=email,
            language=language,
            decision_power=5 - index,
            quiet_from=time(22),
            quiet_until=time(7),
        )
        await accounts.add_user(
            session,
            actor,
            email=email,
            name=name,
            role=Role.CLIENT_USER if index else Role.CLIENT_ADMIN,
            accounts=[account.id],
            at=at,
        )


def _terms(client: Client, always: CalendarVersion, office: CalendarVersion) -> TermsDraft:
    """The default matrix; alarms are taken up within a minute, and paperwork follows office hours."""
    earns: dict[Priority | None, CreditDraft] = {
        None: CreditDraft(fixed_cents=2_500),
        Priority.CRITICAL: CreditDraft(fee_bps=100),
        Priority.HIGH: CreditDraft(fee_bps=40),
    }
    matrix = [
        replace(promise, ticket_kinds=(TicketKind.INCIDENT,))
        if promise.name == "first_response"
        else promise
        for promise in seed_matrix(always.id, earns)
    ]
    alarm = PromiseDraft(
        "alarm_taken_up",
        PromiseKind.FIRST_RESPONSE,
        always.id,
        {Priority.CRITICAL: Target(elapsed_s=60), Priority.HIGH: Target(elapsed_s=180)},
        ticket_kinds=(TicketKind.ALARM,),
        credits=earns,
    )
    paperwork = PromiseDraft(
        "maintenance_closed",
        PromiseKind.CLOSURE,
        office.id,
        {Priority.LOW: Target(business_days=5), Priority.MEDIUM: Target(business_days=2)},
        ticket_kinds=(TicketKind.MAINTENANCE,),
    )
    return TermsDraft(
        (*matrix, alarm, paperwork),
        period_fee_cents=client.fee_cents,
        credit_cap_cents=client.fee_cents // 4,
    )


async def _other_company(session: AsyncSession, at: datetime) -> None:
    """A second company with one client: whoever signs in at the first never sees it."""
    other = await accounts.create_tenant(session, name="Zuiderpark Security B.V.")
    actor = Actor.system(other.id, "seed", origin=Origin.HISTORY)
    account = await accounts.create_account(session, actor, name="Hotel De Kroon", at=at)
    await accounts.add_site(
        session, actor, account.id, name="Hotel De Kroon", city="Den Haag", at=at
    )
    await accounts.add_user(
        session,
        actor,
        email="meldkamer@zuiderpark.example",
        name="Joost Prins",
        role=Role.DISPATCHER,
        at=at,
    )


def _weeks(
    chance: random.Random, actor: Actor, sites: Sequence[Site], start: datetime, end: datetime
) -> Iterator[tuple[datetime, Step]]:
    for number in range(WEEKS * 7 * TICKETS_A_DAY):
        opened = start + timedelta(days=number / TICKETS_A_DAY, minutes=chance.uniform(0, 180))
        if opened < end - timedelta(minutes=5):
            yield from _ticket(chance, actor, chance.choice(sites), opened, end)


def _ticket(
    chance: random.Random, actor: Actor, site: Site, opened: datetime, end: datetime
) -> Iterator[tuple[datetime, Step]]:
    """One ticket's life; three of four go as promised, the rest runs late somewhere."""
    kind, priority, source, summary = chance.choice(TROUBLES)
    allowed = {
        Priority.CRITICAL: 15,
        Priority.HIGH: 60,
        Priority.MEDIUM: 240 if kind is TicketKind.INCIDENT else 120,
        Priority.LOW: 240 if kind is TicketKind.INCIDENT else 120,
    }[priority]
    if kind is TicketKind.ALARM:
        allowed = 1 if priority is Priority.CRITICAL else 3
    late = chance.random() < 0.12
    answered = opened + timedelta(
        minutes=allowed * (chance.uniform(1.1, 2.5) if late else chance.uniform(0.1, 0.8))
    )
    solving = {
        Priority.CRITICAL: 110,
        Priority.HIGH: 230,
        Priority.MEDIUM: 900,
        Priority.LOW: 2400,
    }[priority]
    factor = chance.uniform(1.05, 1.6) if chance.random() < 0.08 else chance.uniform(0.2, 0.8)
    solved = answered + timedelta(minutes=solving * factor)
    known: dict[str, UUID] = {}

    async def open_it(session: AsyncSession) -> None:
        ticket = await incidents.open_incident(
            session,
            actor,
            site_id=site.id,
            kind=kind,
            priority=priority,
            source=source,
            reporter={Source.CLIENT: "Klant", Source.GUARD: "Beveiliger"}.get(source, "Meldkamer"),
            summary=summary,
            at=opened,
        )
        known["id"] = ticket.id

    def then(
        action: Callable[..., Awaitable[Any]], at: datetime, **how: Any
    ) -> tuple[datetime, Step]:
        async def do(session: AsyncSession) -> None:
            await action(session, actor, known["id"], at=at, **how)

        return at, do

    # The history ends now: what would happen later has not happened.
    steps: list[tuple[datetime, Step]] = [
        (opened, open_it),
        then(incidents.acknowledge, answered),
    ]
    if kind is TicketKind.ALARM:
        steps.append(then(incidents.arrive, answered + timedelta(minutes=chance.uniform(6, 24))))
    spoken = answered + timedelta(minutes=chance.uniform(10, 25))
    every = {Priority.CRITICAL: 28, Priority.HIGH: 100, Priority.MEDIUM: 220}.get(priority, 1300)
    while spoken < solved:
        steps.append(then(incidents.update, spoken, body="We zijn ermee bezig."))
        spoken += timedelta(minutes=every * (1.4 if chance.random() < 0.05 else 0.9))
    if priority is Priority.MEDIUM and chance.random() < 0.3:
        held = answered + (solved - answered) * 0.4
        steps.append(then(incidents.pause, held, cause=PauseCause.WAITING_ON_CLIENT))
        steps.append(then(incidents.resume, held + (solved - answered) * 0.3))
    steps.append(then(incidents.resolve, solved, resolution="Opgelost en gecontroleerd."))
    steps.append(then(incidents.close, solved + timedelta(minutes=chance.uniform(5, 90))))

    async def settle_credits(session: AsyncSession) -> None:
        broken = await session.scalars(
            select(Promise.id).where(
                Promise.incident_id == known["id"], Promise.state == State.LATE
            )
        )
        for promise_id in broken:
            await compensation.decide(session, actor, promise_id, at=steps[-1][0])

    past = [step for step in steps if step[0] <= end]
    yield from past
    yield past[-1][0], settle_credits
