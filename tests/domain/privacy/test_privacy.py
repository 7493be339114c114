"""People can be shown everything and be forgotten; what was proven stays proven."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from domain import accounts, credentials, incidents, messages, privacy
from domain.access import Actor, Role, Tx
from domain.accounts.model import Contact, User
from domain.core.db import Sessions, transaction
from domain.core.erasable_text import ErasableText
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.credentials import Device
from domain.incidents.model import Incident, IncidentUpdate
from domain.messages.model import Message, MessageState
from domain.privacy import ERASED, Person, Retention
from tests import build
from tests.build import T0, World
from tests.domain.audit.bundles import signed, taken_out, verified
from workers.audit import expire_all

pytestmark = pytest.mark.anyio

LATER = T0 + timedelta(hours=1)


async def told(make: Sessions, world: World) -> Incident:
    """A ticket on which the first contact is named, and a message to each contact."""
    who = world.contacts[0]
    incident = await build.incident(
        make, world, summary=f"Call from {who.name.upper()} about the gate", reporter=who.name
    )
    system = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        said = f"{who.name} ({who.email}) has the key"
        await incidents.update(Tx(session, world.staff, LATER), incident.id, body=said)
        await incidents.reassign(Tx(session, world.staff, LATER), incident.id, to="night shift")
        await incidents.resolve(Tx(session, world.staff, LATER), incident.id, resolution="Closed")
        await incidents.reopen(
            Tx(session, world.client, LATER), incident.id, reason=f"{who.name} saw it open"
        )
        await messages.compose(
            Tx(session, system, LATER),
            world.account.id,
            intent=f"incident:{incident.id}",
            template="incident_resolved",
            variables={
                "company": "Veilig",
                "site": "Kade",
                "summary": incident.summary,
                "reference": "A7",
                "opened_at": T0,
                "ticket_kind": "alarm",
                "resolved_at": LATER,
            },
        )
    return incident


async def letters(make: Sessions, contact_id: UUID) -> list[Message]:
    async with make() as session:
        query = select(Message).where(Message.contact_id == contact_id).order_by(Message.queued_at)
        return list(await session.scalars(query))


async def forget(make: Sessions, world: World, person: Person, person_id: UUID) -> None:
    """Erase a person in every text that names the person."""
    actor = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        _, shown = await privacy.export(Tx(session, actor, LATER), person, person_id)
        places = [each["place"] for each in shown["named_in"]]
        await privacy.erase(Tx(session, actor, LATER), person, person_id, confirmed=places)


async def test_a_fact_holds_a_commitment_and_the_words_lie_apart(make: Sessions) -> None:
    world = await build.client(make)
    incident = await told(make, world)
    async with make() as session:
        bodies = {
            entry.kind: entry.body
            for entry in await session.scalars(
                select(LedgerRow).where(LedgerRow.subject_id == incident.id)
            )
        }
        words = {
            each.words
            for each in await session.scalars(
                select(ErasableText).where(ErasableText.subject_id == incident.id)
            )
        }
    assert bodies["incident.reopened"]["reason"].startswith("sha256:")
    assert bodies["incident.reassigned"]["to"].startswith("sha256:")
    assert words == {f"{world.contacts[0].name} saw it open", "night shift"}
    assert "saw it open" not in json.dumps(bodies)


async def test_a_forgotten_contact_is_nobody_and_others_stay_who_they_are(make: Sessions) -> None:
    world = await build.client(make)
    incident = await told(make, world)
    first, second = world.contacts
    hashes = [letter.content_sha256 for letter in await letters(make, first.id)]

    await forget(make, world, Person.CONTACT, first.id)

    async with make() as session:
        row = await session.get_one(Contact, first.id)
        other = await session.get_one(Contact, second.id)
        ticket = await session.get_one(Incident, incident.id)
        bodies = (
            await session.scalars(
                select(IncidentUpdate.body).where(IncidentUpdate.incident_id == incident.id)
            )
        ).all()
        words = (
            await session.scalars(
                select(ErasableText.words).where(ErasableText.subject_id == incident.id)
            )
        ).all()
        [fact] = await session.scalars(
            select(LedgerRow).where(
                LedgerRow.subject_id == first.id, LedgerRow.kind == "person.erased"
            )
        )
    assert (row.name, row.email, row.phone, row.wants_service_messages) == (
        ERASED,
        None,
        None,
        False,
    )
    assert (other.name, other.email) == (second.name, second.email)
    assert (ticket.summary, ticket.reporter) == (f"Call from {ERASED} about the gate", ERASED)
    assert sorted(bodies) == ["Closed", f"{ERASED} ({ERASED}) has the key"]
    assert words == ["night shift"]
    [letter] = await letters(make, first.id)
    assert (letter.recipient, letter.subject, letter.body) == (ERASED,) * 3
    assert (letter.state, [letter.content_sha256]) == (MessageState.FAILED, hashes)
    [kept] = await letters(make, second.id)
    assert (kept.state, kept.recipient) == (MessageState.QUEUED, second.email)
    assert fact.body == {"person": "contact", "messages": 1, "disclosures": 2, "texts": 3}


async def test_nothing_of_a_forgotten_contact_is_left_in_any_table(make: Sessions) -> None:
    world = await build.client(make, contacts=1)
    await told(make, world)
    [who] = world.contacts
    await forget(make, world, Person.CONTACT, who.id)
    async with make() as session:
        tables = await session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        left = [
            table
            for table in tables.all()
            if await session.scalar(
                text(f"SELECT count(*) FROM {table} AS t WHERE t::text ILIKE :wanted"),
                {"wanted": f"%{who.email}%"},
            )
        ]
    assert left == []


async def test_forgetting_twice_finds_nothing_left(make: Sessions) -> None:
    world = await build.client(make)
    for _ in range(2):
        await forget(make, world, Person.CONTACT, world.contacts[0].id)
    async with make() as session:
        facts = await session.scalar(
            select(func.count()).where(
                LedgerRow.subject_id == world.contacts[0].id, LedgerRow.kind == "person.erased"
            )
        )
    assert facts == 1


async def test_a_forgotten_user_cannot_sign_in_and_is_still_one_person_in_the_ledger(
    make: Sessions,
) -> None:
    world = await build.client(make)
    user = world.client_user
    incident = await told(make, world)
    await forget(make, world, Person.USER, user.id)
    async with make() as session:
        row = await session.get_one(User, user.id)
        actor = await accounts.actor_of_user(session, user.id)
        [reopened] = await session.scalars(
            select(LedgerRow).where(
                LedgerRow.subject_id == incident.id, LedgerRow.kind == "incident.reopened"
            )
        )
    assert (row.name, row.email) == (ERASED, f"erased-{user.id}@erased.invalid")
    assert actor is None
    assert reopened.actor == f"user:{user.id}"


async def test_a_forgotten_user_leaves_no_way_to_sign_in_and_no_device_in_use(
    make: Sessions,
) -> None:
    world = await build.client(make)
    user = world.client_user
    async with transaction(make) as session:
        renewed = await credentials.begin(session, user, at=T0)
        device, _ = await credentials.enrol(Tx(session, world.client, T0), name="Client's phone")
    manager = Actor(world.tenant.id, Role.MANAGEMENT, "user:manager")
    async with transaction(make) as session:
        _, shown = await privacy.export(Tx(session, manager, LATER), Person.USER, user.id)
    await forget(make, world, Person.USER, user.id)
    async with transaction(make) as session:
        again = await credentials.renew(session, renewed.refresh_token, at=LATER)
        left = await session.get_one(Device, device.id)
    assert [each["name"] for each in shown["devices"]] == ["Client's phone"]
    assert len(shown["sign_ins"]) == 1
    assert again is None
    assert (left.name, left.revoked_at) == (ERASED, LATER)


async def test_proofs_survive_an_erasure(
    make: Sessions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = await build.client(make)
    await told(make, world)
    tenant_id, account_id = world.tenant.id, world.account.id
    before = await signed(make, tenant_id)
    keep = tmp_path / "kept.json"
    async with make() as session:
        path = await taken_out(session, tmp_path / "before", tenant_id, account_id)
    first = verified(path, capsys, "--keep", keep, key=before.verifier_key)

    await forget(make, world, Person.CONTACT, world.contacts[0].id)

    await signed(make, tenant_id)
    async with make() as session:
        own = await taken_out(session, tmp_path / "own", tenant_id, account_id, [before.size])
        whole = await taken_out(session, tmp_path / "whole", tenant_id)
    after = verified(own, capsys, "--keep", keep)
    everything = verified(whole, capsys, "--keep", keep)
    assert first[0] == 0, first[1]
    # Who acts in a fact, and who took the incident over, is named to the company and not to its client.
    assert "1 shown and as committed, 25 erased or withheld" in first[1]
    assert after[0] == 0, after[1]
    assert "0 shown and as committed, 30 erased or withheld" in after[1]
    assert f"nothing changed in the {before.size} facts" in after[1]
    assert everything[0] == 0, everything[1]
    assert b"saw it open" in path.read_bytes()
    assert b"saw it open" not in own.read_bytes() + whole.read_bytes()


async def test_words_that_were_swapped_are_seen(
    make: Sessions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = await build.client(make)
    incident = await told(make, world)
    checkpoint = await signed(make, world.tenant.id)
    async with transaction(make) as session:
        await session.execute(
            text(
                "UPDATE disclosure SET words = 'nobody saw it' WHERE subject_id = :id AND words = :was"
            ),
            {"id": incident.id, "was": f"{world.contacts[0].name} saw it open"},
        )
    async with make() as session:
        path = await taken_out(session, tmp_path / "own", world.tenant.id, world.account.id)
    code, said = verified(path, capsys, key=checkpoint.verifier_key)
    assert code == 1
    assert "reason is not what was written down" in said


async def test_everything_about_a_contact_is_shown_and_that_it_was_is_a_fact(
    make: Sessions,
) -> None:
    world = await build.client(make)
    incident = await told(make, world)
    who = world.contacts[0]
    manager = Actor(world.tenant.id, Role.MANAGEMENT, "user:manager")
    async with transaction(make) as session:
        _, shown = await privacy.export(Tx(session, manager, LATER), Person.CONTACT, who.id)
    async with make() as session:
        [fact] = await session.scalars(
            select(LedgerRow).where(
                LedgerRow.subject_id == who.id, LedgerRow.kind == "person.exported"
            )
        )
    json.dumps(shown)
    assert (shown["row"]["email"], fact.actor) == (who.email, "user:manager")
    assert [letter["recipient"] for letter in shown["messages"]] == [who.email]
    assert {each["kind"] for each in shown["facts"]} == {"contact.added", "message.queued"}
    assert {each["where"] for each in shown["named_in"]} == {
        "incident.summary", "incident.reporter", "incident_update.body", "disclosure.words",
    }  # fmt: skip
    assert {each["id"] for each in shown["named_in"]} >= {str(incident.id)}


async def test_everything_about_a_user_is_shown(make: Sessions) -> None:
    world = await build.client(make)
    await told(make, world)
    manager = Actor(world.tenant.id, Role.MANAGEMENT, "user:manager")
    async with transaction(make) as session:
        _, shown = await privacy.export(
            Tx(session, manager, LATER), Person.USER, world.client_user.id
        )
    assert shown["accounts"] == [str(world.account.id)]
    assert {each["kind"] for each in shown["facts"]} >= {"user.added", "incident.reopened"}


async def test_only_who_looks_after_people_may_ask_and_only_about_their_own(make: Sessions) -> None:
    world, other = await build.client(make), await build.client(make)
    contact = world.contacts[0].id
    manager = Actor(other.tenant.id, Role.MANAGEMENT, "user:manager")
    for actor, code in (
        (world.client, Code.NOT_ALLOWED),
        (world.staff, Code.NOT_ALLOWED),
        (manager, Code.NOT_FOUND),
    ):
        for act in (privacy.request_erasure, privacy.export):
            async with make() as session:
                with pytest.raises(Refused) as refused:
                    await act(Tx(session, actor, LATER), Person.CONTACT, contact)
            assert refused.value.refusal.code is code


async def test_what_was_kept_long_enough_goes_and_is_counted(make: Sessions) -> None:
    world = await build.client(make)
    incident = await told(make, world)
    system = Actor.system(world.tenant.id, "test")
    sent, waiting = (
        (await letters(make, world.contacts[0].id))[0],
        (await letters(make, world.contacts[1].id))[0],
    )
    async with transaction(make) as session:
        await messages.mark_sent(Tx(session, system, LATER), sent.id)
        await accounts.disable_user(Tx(session, system, LATER), world.client_user.id)
    day = timedelta(days=1)
    kept = Retention(messages=10 * day, words=20 * day, users=30 * day)

    async def state(days: int) -> tuple[str, str, int, str]:
        while True:
            if not await expire_all(make, kept, at=LATER + days * day):
                break
        async with make() as session:
            words = await session.scalar(
                select(func.count()).where(ErasableText.subject_id == incident.id)
            )
            user = await session.get_one(User, world.client_user.id)
        return (
            (await letters(make, world.contacts[0].id))[0].body,
            (await letters(make, world.contacts[1].id))[0].body,
            words or 0,
            user.name,
        )

    assert await state(9) == (sent.body, waiting.body, 2, "Client")
    assert await state(11) == (ERASED, waiting.body, 2, "Client")  # what was not sent is not over
    assert await state(21) == (ERASED, waiting.body, 0, "Client")
    assert await state(31) == (ERASED, waiting.body, 0, ERASED)
    async with make() as session:
        facts = await session.scalars(
            select(LedgerRow.body)
            .where(LedgerRow.tenant_id == world.tenant.id, LedgerRow.kind == "data.expired")
            .order_by(LedgerRow.id)
        )
    assert facts.all() == [{"what": "messages", "count": 1}, {"what": "words", "count": 2}]
