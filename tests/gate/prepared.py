"""What some mutations need before they succeed: a closing note, a late arrival, a case at its last step, and so on."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import (
    accounts,
    agreements,
    compensation,
    credentials,
    factors,
    invoices,
    messages,
    positions,
    promises,
    recovery,
    webhooks,
)
from domain.access import Actor, Role, Tx
from domain.accounts import User
from domain.accounts.model import Channel
from domain.compensation import Credit
from domain.core.db import transaction
from domain.factors.rules import code_at, step_of
from domain.invoices import CreditNote
from domain.promises import Promise, State
from domain.recovery import Remedy, Size, StepKind
from schema.core import ids
from tests import build, guards
from tests.api import test_late_arrivals as late
from tests.api.asking import Api, Office
from tests.gate import prober
from tests.schema import test_payouts as payouts

Given = dict[str, Any]
CHAT = "https://chat.example.org/room"
SIMULATE = """mutation ($input: SimulateTermsInput!) { simulateTerms(input: $input) {
  ... on Refusal { code message } ... on Simulation { id } } }"""
SIGN_OFF = """mutation ($input: SignOffTermsInput!) { signOffTerms(input: $input) {
  __typename ... on Refusal { code message } } }"""
CURSOR = "{ ledger(last: 5) { nodes { cursor } } }"


def system(office: Office) -> Actor:
    """The company's own software."""
    return Actor.system(office.world.tenant.id, "test")


async def user(api: Api, office: Office, role: Role) -> User:
    """A new user of the company."""
    async with transaction(api.make) as session:
        return await accounts.add_user(
            Tx(session, system(office), build.T0),
            email=f"{uuid4().hex[:8]}@example.org",
            name="Somebody",
            role=role,
        )


async def signed_off(api: Api, office: Office) -> Given:
    """Terms whose risk the manager accepted."""
    promise = {
        "name": "first_response", "kind": "FIRST_RESPONSE", "calendarVersionId": office.calendar,
        "targets": [{"priority": "CRITICAL", "elapsedSeconds": 60}],
        "creditRules": [{"fixedCents": 5_000}],
    }  # fmt: skip
    terms = {"promises": [promise], "periodFeeCents": 1_000}
    given = {"accountId": office.account, "terms": terms}
    simulated = (await api.data(office.manager, SIMULATE, input=given))["simulateTerms"]
    given = {"id": simulated["id"], "reason": "Worth it"}
    signed = (await api.data(office.manager, SIGN_OFF, input=given))["signOffTerms"]
    assert signed["__typename"] == "Simulation", signed
    return {"terms": terms}


async def amendment(api: Api, office: Office) -> Given:
    """Such terms for the client's agreement, from today on."""
    return {
        **await signed_off(api, office),
        "id": ids.write("Agreement", office.world.agreement.id),
        "inForceFrom": datetime.now(UTC).isoformat(),
    }


async def missed(api: Api, office: Office) -> Promise:
    """A promise to the client that was broken within the hour."""
    now = datetime.now(UTC)
    incident = await build.incident(api.make, office.world, at=now - timedelta(hours=3))
    async with transaction(api.make) as session:
        await promises.sweep(session, at=now, only=incident.id)
        found = await session.scalar(
            select(Promise).where(
                Promise.incident_id == incident.id,
                Promise.state == State.LATE,
                Promise.internal.is_(False),
            )
        )
    assert found is not None
    return found


async def contested(api: Api, office: Office) -> Given:
    """A verdict that nobody contested yet."""
    return {"promiseId": ids.write("Promise", (await missed(api, office)).id)}


async def scheduled(api: Api, office: Office) -> Given:
    """A credit of the schedule that was granted, on no note."""
    promise = await missed(api, office)
    async with transaction(api.make) as session:
        await _choose_policy(session, office)
        await compensation.decide(Tx(session, system(office), datetime.now(UTC)), promise.id)
    async with api.make() as session:
        credit = await session.scalar(select(Credit).where(Credit.promise_id == promise.id))
    assert credit is not None
    return {"id": ids.write("Credit", credit.id), "amountCents": 2_500}


async def late_arrival(api: Api, office: Office) -> Given:
    """Fixes that came in hours after the promise to arrive was broken."""
    now = datetime.now(UTC).replace(microsecond=0)
    begins = now - late.LATE_BY
    guard = await guards.on_duty(api.make, office.world, from_at=begins - timedelta(minutes=9))
    incident = await late.opened(api, office, guard, begins)
    await late.hand_in(api, guard, begins + timedelta(seconds=60), now)
    [offered] = (await late.shown(api, office.manager, incident))["lateArrivals"]
    return {"id": incident, "arrivedAt": offered["arrivedAt"]}


async def chat(api: Api, office: Office) -> Given:
    """The room of a contact."""
    contact = ids.write("Contact", office.world.contacts[0].id)
    return {"contactId": contact, "channel": "CHAT", "url": CHAT, "p256dh": None, "auth": None}


async def chat_to_end(api: Api, office: Office) -> Given:
    """A room that the contact has."""
    contact = office.world.contacts[0]
    async with transaction(api.make) as session:
        await messages.add_address(
            Tx(session, system(office), build.T0), contact.id, channel=Channel.CHAT, url=CHAT
        )
    return {"contactId": ids.write("Contact", contact.id), "url": CHAT}


async def session_of_another(api: Api, office: Office) -> Given:
    """A session of somebody whom the manager manages."""
    somebody = await user(api, office, Role.DISPATCHER)
    async with transaction(api.make) as session:
        begun = await credentials.begin(session, somebody, at=api.state.now())
    return {"id": ids.write("SignIn", begun.sign_in_id)}


async def with_second_factor(api: Api, office: Office) -> Given:
    """Somebody with an authenticator app."""
    somebody = await user(api, office, Role.DISPATCHER)
    at, vault = api.state.now(), api.state.desk.vault
    async with transaction(api.make) as session:
        secret = await factors.begin_totp(session, somebody, vault, at=at)
        await factors.confirm_totp(session, somebody, vault, code_at(secret, step_of(at)), at=at)
    return {"id": ids.write("User", somebody.id)}


async def case_to_follow_up(api: Api, office: Office) -> Given:
    """A case of which only the last question is open."""
    at = datetime.now(UTC)
    incident = await build.incident(api.make, office.world, at=at)
    owner = await user(api, office, Role.RELATIONSHIP_MANAGER)
    async with transaction(api.make) as session:
        tx = Tx(session, system(office), at)
        case = await recovery.open_case(
            tx, incident.id, size=Size.SMALL, summary="Nobody came", owner_id=owner.id
        )
        for kind in list(StepKind)[:-1]:
            remedies = [Remedy.TRAINING_SESSION] if kind is StepKind.COMPENSATE else []
            await recovery.take_step(tx, case.id, kind=kind, note="Done", remedies=remedies)
    return {"id": ids.write("RecoveryCase", case.id)}


async def cursor(api: Api, office: Office) -> Given:
    """A position before the one of a webhook of the manager's."""
    await prober.number(api)
    actor = await _manager(api, office)
    async with transaction(api.make) as session:
        webhook, _ = await webhooks.add(
            Tx(session, actor, api.state.now()), api.state.desk.vault, name="again",
            url="https://hooks.example.org/", wanted=webhooks.EventFilter(office.world.account.id),
        )  # fmt: skip
    nodes = (await api.data(office.manager, CURSOR))["ledger"]["nodes"]
    return {"id": ids.write("Webhook", webhook.id), "after": nodes[-2]["cursor"]}


async def device(api: Api, office: Office) -> Given:
    """A device of the manager's, and where it is."""
    actor, at = await _manager(api, office), datetime.now(UTC)
    async with transaction(api.make) as session:
        own, _ = await credentials.enrol(Tx(session, actor, at), name="Phone")
        await positions.assign(
            Tx(session, office.world.staff, at), own.id, office.world.account.id,
            site_id=office.world.site.id, from_at=at, until_at=at + timedelta(hours=1),
        )  # fmt: skip
    fix = {"at": datetime.now(UTC).isoformat(), "accuracyM": 5, **guards.near(0)}
    return {"deviceId": ids.write("Device", own.id), "fixes": [fix], "sentAt": None}


async def _manager(api: Api, office: Office) -> Actor:
    identity = await api.state.authenticator.identify(office.manager)
    assert identity is not None
    return identity.actor


async def _choose_policy(session: AsyncSession, office: Office) -> None:
    """Grant credits up to 1,000.00 without a second person's approval."""
    await compensation.choose_policy(
        Tx(session, system(office), build.T0),
        approval_above_cents=100_000,
        vat_category="S",
        vat_rate_bps=2_100,
    )


async def _closing_note(api: Api, office: Office) -> CreditNote:
    """A closing note of 8.47 for another client of the company, whose agreement ended."""
    name = uuid4().hex[:8]
    async with transaction(api.make) as session:
        await _choose_policy(session, office)
        account = await accounts.create_account(Tx(session, system(office), build.T0), name=name)
        agreement = await agreements.sign(
            Tx(session, system(office), build.T0),
            account.id,
            reference=name,
            title="Patrol",
            signed_on=date(2025, 12, 1),
            in_force_from=datetime(2026, 1, 1, tzinfo=UTC),
            terms=build.terms_draft(office.world.calendar),
        )
    world = replace(office.world, account=account, agreement=agreement)
    await payouts.closed(api, replace(office, world=world), invoiced=False)
    async with api.make() as session:
        note = await session.scalar(select(CreditNote).where(CreditNote.account_id == account.id))
    assert note is not None
    assert note.closing
    return note


async def payable(api: Api, office: Office) -> Given:
    """A closing note that is not paid out."""
    note = await _closing_note(api, office)
    given = {"amountCents": note.gross_cents, "paidOn": "2026-05-04", "reference": str(uuid4())}
    return {"creditNoteId": ids.write("CreditNote", note.id)} | given


async def paid_out(api: Api, office: Office) -> Given:
    """A payout that was booked."""
    note = await _closing_note(api, office)
    async with transaction(api.make) as session:
        payout = await invoices.pay_out(
            Tx(session, system(office), datetime.now(UTC)),
            note.id,
            amount_cents=note.gross_cents,
            paid_on=date(2026, 5, 4),
            reference=str(uuid4()),
        )
        payout_id: UUID = payout.id
    return {"id": ids.write("Payout", payout_id)}
