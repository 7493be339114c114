"""A company in which there is one of everything."""

from datetime import timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, update

from domain import (
    accounts,
    audit,
    compensation,
    credentials,
    escalation,
    incidents,
    messages,
    positions,
    quality,
    reports,
    simulation,
    webhooks,
)
from domain.access import Actor, Role, Tx
from domain.accounts import User
from domain.agreements import Priority, TicketKind
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.core.outbox import Outbox, OutboxState
from domain.incidents import PauseCause
from domain.promises import Promise, State
from domain.webhooks import DeliveryState, WebhookDelivery
from domain.webhooks.deliveries import enqueue
from tests import build, guards
from tests.api import asking
from tests.api.asking import Api, Office
from tests.build import T0
from tests.gate import money, of_nouns, prober


async def furnished(api: Api) -> Office:
    """An office with tickets in every state, a broken promise, a credit, a message, a key, and numbered facts."""
    office = await asking.office(api)
    world, make = office.world, api.make
    system = Actor.system(world.tenant.id, "test")
    late = await build.incident(make, world, priority=Priority.HIGH)
    paused = await build.incident(make, world)
    solved = await build.incident(make, world, kind=TicketKind.ALARM)
    async with transaction(make) as session:
        at = T0 + timedelta(minutes=300)
        await incidents.acknowledge(Tx(session, world.staff, at), late.id)
        await incidents.acknowledge(Tx(session, world.staff, T0), paused.id)
        await incidents.acknowledge(Tx(session, world.staff, T0), solved.id)
        await incidents.arrive(Tx(session, world.staff, T0), solved.id)
        at += timedelta(minutes=1)
        await incidents.update(
            Tx(session, world.staff, at), late.id, body="Looking", client_visible=True
        )
        await incidents.pause(
            Tx(session, world.staff, at), paused.id, cause=PauseCause.WAITING_ON_CLIENT
        )
        await incidents.resolve(Tx(session, world.staff, at), solved.id, resolution="Glued")
        await accounts.issue_api_key(
            Tx(session, system, T0), name="probe me", role=Role.PARTNER, all_accounts=True
        )
    async with transaction(make) as session:
        broken = await session.scalars(
            select(Promise).where(Promise.tenant_id == world.tenant.id, Promise.state == State.LATE)
        )
        for promise in list(broken):
            await compensation.decide(Tx(session, system, at), promise.id)
        await messages.compose(
            Tx(session, system, at),
            world.account.id,
            intent=f"probe:{world.tenant.id}",
            template="incident_resolved",
            variables={
                "company": "V",
                "site": "S",
                "summary": "W",
                "reference": "R",
                "opened_at": T0,
                "ticket_kind": "incident",
                "resolved_at": at,
            },
        )
    await _put_on_duty(api, office)
    await money.owed(api, world, at=at)
    await of_nouns.furnish(api, office)
    await prober.number(api)
    await _report_on(api, office)
    await _look_at(api, office)
    await _hook(api, office)
    await _escalate(api, office, late.id, paused.id, solved.id)
    await _leave_to_do(api, office)
    async with transaction(api.make) as session:
        await credentials.begin(session, world.client_user, at=api.state.now())
    return office


async def _leave_to_do(api: Api, office: Office) -> None:
    """Proposed terms whose risk nobody has accepted, and a consequence that was given up."""
    world = office.world
    system, at = Actor.system(world.tenant.id, "test"), T0 + timedelta(minutes=390)
    async with transaction(api.make) as session:
        await simulation.simulate(
            Tx(session, system, at), world.account.id, terms=build.terms_draft(world.calendar)
        )
        fact = select(LedgerRow.id).where(LedgerRow.tenant_id == world.tenant.id).limit(1)
        session.add(
            Outbox(
                tenant_id=world.tenant.id, fact_id=await session.scalar(fact), job="probe",
                state=OutboxState.DEAD, due_at=at, error="probed",
            )
        )  # fmt: skip


async def _escalate(api: Api, office: Office, *incident_ids: UUID) -> None:
    """A policy, and tickets that have been followed for a day."""
    system = Actor.system(office.world.tenant.id, "test")
    step = escalation.StepDraft(after_minutes=1, roles=[Role.DISPATCHER])
    async with transaction(api.make) as session:
        await escalation.set_policy(
            Tx(session, system, T0),
            name="probe me",
            steps=[step],
            account_id=office.world.account.id,
        )
        for incident_id in incident_ids:
            await escalation.follow(Tx(session, system, T0 + timedelta(days=1)), incident_id)
    await prober.number(api)


async def _hook(api: Api, office: Office) -> None:
    """A webhook of the manager's, with a delivery that was given up."""
    identity = await api.state.authenticator.identify(office.manager)
    assert identity is not None
    async with transaction(api.make) as session:
        webhook, _ = await webhooks.add(
            Tx(session, identity.actor, T0),
            api.state.desk.vault,
            name="probe me",
            url="https://hooks.example.org/",
            wanted=webhooks.EventFilter(office.world.account.id),
        )
        webhook.position = 0
        await session.flush()
        await enqueue(session, webhook, identity.actor.scope(LedgerRow), at=T0, limit=1)
        await session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.webhook_id == webhook.id)
            .values(state=DeliveryState.DEAD, done_at=T0, due_at=None)
        )
        await webhooks.pause(Tx(session, identity.actor, T0), webhook.id, reason="probed")
    await prober.number(api)


async def _put_on_duty(api: Api, office: Office) -> None:
    """A guard at the client's, inside the fence, seen by those who may."""
    now = api.state.now()
    site, actor = office.world.site, Actor.system(office.world.tenant.id, "test")
    corners = [guards.near(*corner) for corner in ((50, -50), (50, 50), (-50, 50), (-50, -50))]
    outline = [corner[axis] for corner in corners for axis in ("lat", "lon")]
    async with transaction(api.make) as session:
        site = await positions.draw_fence(Tx(session, actor, now), site.id, outline=outline)
    spot = guards.near(0)
    places = [
        positions.ReceivedFix(at=now - timedelta(seconds=n), lat=spot["lat"], lon=spot["lon"])
        for n in range(60)
    ]
    for _ in range(2):  # one whom the prober's control shots let go, and one who stays
        guard = await guards.on_duty(api.make, office.world, site=site)
        await api.state.intake.take(guard.device.id, places, positions.FixSource.BATCH)
        async with transaction(api.make) as session:
            await positions.judge(session, guard.duty.id, at=now)
    async with transaction(api.make) as session:  # somebody to disable who carries no device
        await accounts.add_user(
            Tx(session, actor, now), email="desk@example.org", name="Desk", role=Role.DISPATCHER
        )


async def _look_at(api: Api, office: Office) -> None:
    """Measure the client's day, and sign for its facts, as workers do."""
    world, at = office.world, T0 + timedelta(minutes=390)
    ids = (world.account.id, world.tenant.id)
    async with transaction(api.make) as session:
        await quality.mark(session, *reversed(ids), dirty_from=T0, at=at)
    async with transaction(api.make) as session:
        await quality.measure(
            session, quality.ClaimedAccount(*ids, T0, at + timedelta(hours=1)), at=at
        )
    await prober.number(api)
    async with transaction(api.make) as session:
        while await audit.append(session, world.tenant.id):
            pass
        await audit.sign(
            session, audit.Signer(Ed25519PrivateKey.generate(), "probe"), world.tenant.id, at=at
        )


async def neighbour(api: Api, office: Office) -> str:
    """The token of a client of the same company, at another account."""
    world = office.world
    system = Actor.system(world.tenant.id, "test")
    async with transaction(api.make) as session:
        account = await accounts.create_account(Tx(session, system, T0), name="Buren")
        await accounts.add_site(Tx(session, system, T0), account.id, name="Ernaast")
        user: User = await accounts.add_user(
            Tx(session, system, T0),
            email="buur@example.org",
            name="Buur",
            role=Role.CLIENT_ADMIN,
            accounts=[account.id],
        )
    return api.token(user.id)


async def _report_on(api: Api, office: Office) -> None:
    """Make the client's first daily report, and plan when to speak with the client."""
    async with transaction(api.make) as session:
        await reports.adopt(session, at=T0)
        plan = await session.scalar(
            select(reports.ReportPlan).where(
                reports.ReportPlan.account_id == office.world.account.id,
                reports.ReportPlan.cadence == reports.Cadence.DAILY,
            )
        )
        assert plan is not None
        assert await reports.make_next(session, plan.id, at=plan.look_at) is not None
