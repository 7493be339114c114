"""Builders: a client with everything a test needs, valid by default, a tenant of its own each time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from domain import accounts, agreements, calendars, incidents, messages
from domain.access import Actor, Role, Tx
from domain.accounts import Account, Contact, Site, Tenant, User
from domain.agreements import (
    Agreement,
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
from domain.core.db import Sessions, transaction
from domain.incidents import Incident, Source

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday morning in winter."""

ROUND_THE_CLOCK = CalendarSpec(zone="Europe/Amsterdam", always_open=True)
CREDITS: dict[Priority | None, CreditDraft] = {
    None: CreditDraft(fixed_cents=5_000),
    Priority.CRITICAL: CreditDraft(fee_bps=500),
}


@dataclass(frozen=True)
class World:
    """One security company with one client under agreement."""

    tenant: Tenant
    account: Account
    site: Site
    contacts: Sequence[Contact]
    calendar: CalendarVersion
    agreement: Agreement
    staff: Actor
    client: Actor
    client_user: User


async def client(make: Sessions, *, contacts: int = 2, **terms: Any) -> World:
    """A tenant, an account, a site, contacts (Dutch, English, …) and the default matrix in force from 2026."""
    name = uuid4().hex[:12]
    async with transaction(make) as session:
        tenant = await accounts.create_tenant(session, name=f"Beveiliging {name}")
        actor = Actor.system(tenant.id, "test")
        account = await accounts.create_account(Tx(session, actor, T0), name=f"Klant {name}")
        site = await accounts.add_site(Tx(session, actor, T0), account.id, name="Hoofdkantoor")
        people = [
            await accounts.add_contact(
                Tx(session, actor, T0),
                account.id,
                name=f"Contact {n}",
                role="facility manager",
                email=f"contact{n}@{name}.example",
                language=("nl", "en")[n % 2],
            )
            for n in range(contacts)
        ]
        user = await accounts.add_user(
            Tx(session, actor, T0),
            email=f"client@{name}.example",
            name="Client",
            role=Role.CLIENT_ADMIN,
            accounts=[account.id],
        )
        calendar = await calendars.define(Tx(session, actor, T0), name="24x7", spec=ROUND_THE_CLOCK)
        agreement = await agreements.sign(
            Tx(session, actor, T0),
            account.id,
            reference=f"A-{name}",
            title="Objectbeveiliging",
            signed_on=date(2025, 12, 1),
            in_force_from=datetime(2026, 1, 1, tzinfo=UTC),
            terms=terms_draft(calendar, **terms),
        )
    return World(
        tenant=tenant,
        account=account,
        site=site,
        contacts=people,
        calendar=calendar,
        agreement=agreement,
        staff=Actor(tenant.id, Role.DISPATCHER, "user:dispatcher"),
        client=Actor(tenant.id, Role.CLIENT_ADMIN, f"user:{user.id}", frozenset({account.id})),
        client_user=user,
    )


def terms_draft(
    calendar: CalendarVersion,
    promises: Sequence[PromiseDraft] | None = None,
    period_fee_cents: int = 1_000_000,
    credit_cap_cents: int | None = None,
) -> TermsDraft:
    """The default matrix with credits, unless the test says otherwise."""
    found = seed_matrix(calendar.id, CREDITS) if promises is None else tuple(promises)
    if not found:  # an agreement has at least one: one about a kind of incident that no test opens
        found = (
            PromiseDraft(
                "unused",
                PromiseKind.CLOSURE,
                calendar.id,
                {Priority.LOW: Target(business_days=300)},
                ticket_kinds=(TicketKind.ENHANCEMENT,),
            ),
        )
    return TermsDraft(found, period_fee_cents=period_fee_cents, credit_cap_cents=credit_cap_cents)


async def incident(
    make: Sessions,
    world: World,
    *,
    priority: Priority = Priority.CRITICAL,
    at: datetime = T0,
    **fields: Any,
) -> Incident:
    """An open incident at the client's site, reported by a guard."""
    fields = {"summary": "Broken window", "source": Source.GUARD, "reporter": "J. Jansen"} | fields
    async with transaction(make) as session:
        return await incidents.open_incident(
            Tx(session, world.staff, at), site_id=world.site.id, priority=priority, **fields
        )


async def bounced(make: Sessions, world: World) -> None:
    """A letter to the first contact that came back, because nobody is at the address."""
    async with transaction(make) as session:
        written = await messages.compose(
            Tx(session, Actor.system(world.tenant.id, "test"), T0),
            world.account.id,
            intent=f"test:{uuid4()}",
            template=messages.CheckpointNotice,
            variables={
                "company": "Veilig BV",
                "account": "Haven",
                "facts": 7,
                "size": 70,
                "note": "note",
                "verifier_key": "key",
                "signed_at": T0,
            },
        )
        for message in written[:1]:
            actor = Actor.system(world.tenant.id, "test")
            await messages.mark_sent(Tx(session, actor, T0), message.id)
            await messages.bounce(Tx(session, actor, T0), message.id, error="5.1.1 nobody")


def minutes(n: float) -> timedelta:
    """N minutes."""
    return timedelta(minutes=n)
