"""A believable security company for an empty database: clients, sites, agreements and four weeks behind it.

The history is played through the same actions as everything else, in order of time, and marked as history: it
has verdicts and credits, but nobody gets a message about it.
"""

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from rich.progress import Progress
from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.demo import billing
from api.demo import surveys as demo_surveys
from api.demo.billing import Books, Step
from api.demo.data import CLIENTS, COMPANY, GUARDS, STAFF, Client
from api.demo.guard_work import guard_steps
from api.demo.incident_texts import HAPPENINGS, RESOLUTIONS, UPDATES
from domain import accounts, agreements, calendars, compensation, incidents, reports
from domain.access import Actor, Origin, Role, Tx
from domain.accounts import Account, Site, Stage, Tenant
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
from domain.core.db import Sessions, connect, sessions, transaction
from domain.core.settings import Settings
from domain.incidents import PauseCause, Source
from domain.promises import Promise, State
from domain.reports import Cadence

WEEKS = 4
TICKETS_A_DAY = 6


def run(settings: Settings) -> bool:
    """Seed the database of `settings` when it is empty, with a progress bar on a terminal; whether it was."""
    return asyncio.run(_run(settings))


async def _run(settings: Settings) -> bool:
    engine = connect(settings.system_database_url)
    try:
        make = sessions(engine)
        if not await is_empty(make):
            return False
        with Progress(transient=True, disable=not sys.stderr.isatty()) as progress:
            bar = progress.add_task("Playing four weeks of a security company", total=None)
            await seed(
                make,
                at=datetime.now(UTC),
                tell=lambda done, of: progress.update(bar, completed=done, total=of),
            )
        return True
    finally:
        await engine.dispose()


async def is_empty(make: Sessions) -> bool:
    """Whether there is no security company yet."""
    async with make() as session:
        return not await session.scalar(select(exists().where(Tenant.id.is_not(None))))


async def seed(make: Sessions, *, at: datetime, tell: Callable[[int, int], None]) -> None:
    """Enter the company and play its last weeks; `tell(done, of)` follows the progress.

    One transaction: a seed that is interrupted leaves the database empty, to be seeded again.
    """
    chance = random.Random(20_260_101)  # noqa: S311 - a story, not a secret; the same one every time
    start = at - timedelta(weeks=WEEKS)
    async with transaction(make) as session:
        desk, manager_id, sites, everyone = await _company(session, start)
        actor = Actor.system(desk.tenant_id, "seed", origin=Origin.HISTORY)
        month_on, _ = billing.billed_month(start, at)
        await billing.open_books(session, actor, everyone, at=start, month_on=month_on)
        await _other_company(session, start)
        steps = sorted(
            [
                *_weeks(chance, desk, sites, everyone, start, at),
                *billing.weeks(actor, manager_id, everyone, start, at),
                *await guard_steps(session, desk, sites, at),
            ],
            key=lambda step: step[0],
        )
        for done, (_, step) in enumerate(steps):
            await step(session)
            if done % 25 == 0:
                session.expunge_all()  # what is written need not be looked at again by every flush
                tell(done, len(steps))
        await _first_reports(session, actor, everyone, at)
        await demo_surveys.year(session, actor, everyone, at=at)


async def _first_reports(
    session: AsyncSession, actor: Actor, everyone: Sequence[Books], at: datetime
) -> None:
    """Have yesterday's report of each client fall due in 14 minutes: it is made at once, and in time."""
    for whose in everyone:
        account = await session.get_one(Account, whose.account_id)
        local = at.astimezone(ZoneInfo(account.time_zone))
        due = min(local + timedelta(minutes=14), local.replace(hour=23, minute=59))
        await reports.set_plan(
            session,
            actor,
            account.id,
            Cadence.DAILY,
            local_time=due.time(),
            at=at - timedelta(days=1),
        )


async def _company(
    session: AsyncSession, at: datetime
) -> tuple[Actor, UUID, list[Site], list[Books]]:
    """The company with its clients and staff; its dispatcher, who looks after clients, its sites, and the books."""
    company = await accounts.create_tenant(
        session, name=COMPANY, kvk_number="60000100", permit_number="ND 9999", demo=True
    )
    actor = Actor.system(company.id, "seed", origin=Origin.HISTORY)
    sites, everyone = await _clients(session, actor, at)
    staff = {
        role: await accounts.add_user(
            Tx(session, actor, at), email=f"{mailbox}@noorderlicht.example", name=name, role=role
        )
        for role, name, mailbox in STAFF
    }
    for name in GUARDS[1:]:
        mailbox = name.lower().replace(" ", ".")
        await accounts.add_user(
            Tx(session, actor, at),
            email=f"{mailbox}@noorderlicht.example",
            name=name,
            role=Role.GUARD,
        )
    desk = replace(actor, role=Role.DISPATCHER, subject=f"user:{staff[Role.DISPATCHER].id}")
    return desk, staff[Role.RELATIONSHIP_MANAGER].id, sites, everyone


async def _clients(
    session: AsyncSession, actor: Actor, at: datetime
) -> tuple[list[Site], list[Books]]:
    sites: list[Site] = []
    everyone: list[Books] = []
    calendar = await calendars.define(
        Tx(session, actor, at),
        name="24x7",
        spec=CalendarSpec(zone="Europe/Amsterdam", always_open=True),
    )
    office = await calendars.define(
        Tx(session, actor, at),
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
            Tx(session, actor, at),
            name=client.name,
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
                Tx(session, actor, at),
                account.id,
                name=place.name,
                street=place.street,
                postcode=place.postcode,
                city=place.city,
                lat=place.lat,
                lon=place.lon,
                services=list(place.services),
                fence_radius_m=100.0,
            )
            for place in client.places
        ]
        await _people(session, actor, account, client, at)
        agreement = await agreements.sign(
            Tx(session, actor, at),
            account.id,
            reference=f"NL-2026-{number:03d}",
            title=f"Beveiliging {client.name}",
            signed_on=date(2025, 12, 10),
            in_force_from=at - timedelta(days=200),
            terms=_terms(client, calendar, office),
        )
        everyone.append(Books(client, account.id, agreement.id))
    return sites, everyone


async def _people(
    session: AsyncSession, actor: Actor, account: Account, client: Client, at: datetime
) -> None:
    domain = f"klant{client.kvk_number[-2:]}.example"
    for index, (name, role, language) in enumerate(client.people):
        email = f"{name.split()[0].lower()}@{domain}"
        await accounts.add_contact(
            Tx(session, actor, at),
            account.id,
            name=name,
            role=role,
            email=email,
            language=language,
            decision_power=5 - index,
            quiet_from=time(22),
            quiet_until=time(7),
        )
        await accounts.add_user(
            Tx(session, actor, at),
            email=email,
            name=name,
            role=Role.CLIENT_USER if index else Role.CLIENT_ADMIN,
            accounts=[account.id],
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
    other = await accounts.create_tenant(session, name="Zuiderpark Security B.V.", demo=True)
    actor = Actor.system(other.id, "seed", origin=Origin.HISTORY)
    account = await accounts.create_account(Tx(session, actor, at), name="Hotel De Kroon")
    await accounts.add_site(
        Tx(session, actor, at), account.id, name="Hotel De Kroon", city="Den Haag"
    )
    await accounts.add_user(
        Tx(session, actor, at),
        email="meldkamer@zuiderpark.example",
        name="Joost Prins",
        role=Role.DISPATCHER,
    )


def _weeks(
    chance: random.Random,
    actor: Actor,
    sites: Sequence[Site],
    everyone: Sequence[Books],
    start: datetime,
    end: datetime,
) -> Iterator[tuple[datetime, Step]]:
    by_account = {each.account_id: each for each in everyone}
    for number in range(WEEKS * 7 * TICKETS_A_DAY):
        opened = start + timedelta(days=number / TICKETS_A_DAY, minutes=chance.uniform(0, 180))
        if opened < end - timedelta(minutes=5):
            site = chance.choice(sites)
            yield from _ticket(chance, actor, site, by_account[site.account_id], opened, end)


def _reporter(whose: Books, source: Source) -> str:
    """Who reports something: somebody of the client, the guard of the region, or the control room."""
    if source is Source.CLIENT:
        return whose.client.people[0][0]
    if source is Source.GUARD:
        return GUARDS[CLIENTS.index(whose.client) % len(GUARDS)]
    return "Meldkamer"


def _ticket(
    chance: random.Random,
    actor: Actor,
    site: Site,
    whose: Books,
    opened: datetime,
    end: datetime,
) -> Iterator[tuple[datetime, Step]]:
    """One ticket's life; most go as promised, a few run late somewhere."""
    kind, priority, source, summaries = chance.choice(HAPPENINGS)
    words = random.Random(f"{opened:%s}")  # noqa: S311 - of its own: other words change nothing else
    summary = words.choice(summaries)
    allowed = {
        Priority.CRITICAL: 15,
        Priority.HIGH: 60,
        Priority.MEDIUM: 240 if kind is TicketKind.INCIDENT else 120,
        Priority.LOW: 240 if kind is TicketKind.INCIDENT else 120,
    }[priority]
    if kind is TicketKind.ALARM:
        allowed = 1 if priority is Priority.CRITICAL else 3
    late = chance.random() < 0.03
    answered = opened + timedelta(
        minutes=allowed * (chance.uniform(1.1, 2.5) if late else chance.uniform(0.1, 0.8))
    )
    solving = {
        Priority.CRITICAL: 110,
        Priority.HIGH: 230,
        Priority.MEDIUM: 900,
        Priority.LOW: 2400,
    }[priority]
    factor = chance.uniform(1.05, 1.6) if chance.random() < 0.02 else chance.uniform(0.2, 0.8)
    solved = answered + timedelta(minutes=solving * factor)
    known: dict[str, UUID] = {}

    async def open_it(session: AsyncSession) -> None:
        ticket = await incidents.open_incident(
            Tx(session, actor, opened),
            site_id=site.id,
            kind=kind,
            priority=priority,
            source=source,
            reporter=_reporter(whose, source),
            summary=summary,
        )
        known["id"] = ticket.id

    def then(
        action: Callable[..., Awaitable[Any]], at: datetime, **how: Any
    ) -> tuple[datetime, Step]:
        async def do(session: AsyncSession) -> None:
            await action(Tx(session, actor, at), known["id"], **how)

        return at, do

    async def drive(session: AsyncSession) -> None:
        driver = Actor.system(actor.tenant_id, "seed", origin=Origin.HISTORY)
        await billing.call_out(driver, whose, known["id"], arrived)(session)

    # The history ends now: what would happen later has not happened.
    steps: list[tuple[datetime, Step]] = [
        (opened, open_it),
        then(incidents.acknowledge, answered),
    ]
    if kind is TicketKind.ALARM:
        arrived = answered + timedelta(minutes=chance.uniform(5, 18))
        steps.append(then(incidents.arrive, arrived))
        steps.append((arrived, drive))
    spoken = answered + timedelta(minutes=chance.uniform(5, 14))
    every = {Priority.CRITICAL: 28, Priority.HIGH: 100, Priority.MEDIUM: 220}.get(priority, 1300)
    while spoken < solved:
        steps.append(then(incidents.update, spoken, body=words.choice(UPDATES)))
        spoken += timedelta(minutes=every * (1.4 if chance.random() < 0.01 else 0.8))
    if priority is Priority.MEDIUM and chance.random() < 0.3:
        held = answered + (solved - answered) * 0.4
        steps.append(then(incidents.pause, held, cause=PauseCause.WAITING_ON_CLIENT))
        steps.append(then(incidents.resume, held + (solved - answered) * 0.3))
    steps.append(then(incidents.resolve, solved, resolution=words.choice(RESOLUTIONS)))
    steps.append(then(incidents.close, solved + timedelta(minutes=chance.uniform(5, 90))))

    async def settle_credits(session: AsyncSession) -> None:
        broken = await session.scalars(
            select(Promise.id).where(Promise.unit_id == known["id"], Promise.state == State.LATE)
        )
        for promise_id in broken:
            await compensation.decide(Tx(session, actor, steps[-1][0]), promise_id)

    past = [step for step in steps if step[0] <= end]
    yield from past
    yield past[-1][0], settle_credits
