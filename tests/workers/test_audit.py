"""The worker's part in the audit trail: it grows behind the relay, signs, mails once, forgets when asked."""

import asyncio
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from uuid import UUID

import pytest
from sqlalchemy import func, select

from api import verify
from domain import audit, privacy
from domain.access import Actor, Tx, is_shown_to_clients, is_visible
from domain.accounts.model import Contact
from domain.audit import Checkpoint, Leaf
from domain.audit.model import Tree
from domain.core.db import Sessions, transaction
from domain.core.deferral import Subject
from domain.core.ledger import LedgerRow
from domain.core.sequencing import SequencedEvent
from domain.core.settings import Settings
from domain.messages.model import Message, MessageState
from domain.privacy import ERASED, Person
from tests import build, facts
from tests.domain.audit.bundles import SIGNER, signed
from tests.workers.conftest import Working
from workers.audit import grow_all, publish_due, signer_of

pytestmark = pytest.mark.anyio


def laid_down(settings: Settings, message: Message) -> bytes:
    """The letter as it left, where no mail server is set."""
    return (settings.data / "mail" / f"{message.id}.eml").read_bytes()


async def last(make: Sessions, tenant_id: UUID) -> Checkpoint | None:
    async with make() as session:
        return await audit.checkpoint(session, tenant_id)


async def sent(make: Sessions, account_id: UUID) -> list[Message]:
    async with make() as session:
        query = select(Message).where(
            Message.account_id == account_id, Message.template == "checkpoint"
        )
        return list(await session.scalars(query.order_by(Message.id)))


async def until_sent(make: Sessions, account_id: UUID, count: int) -> list[Message]:
    async with asyncio.timeout(60):
        while True:
            found = await sent(make, account_id)
            if sum(each.state is MessageState.SENT for each in found) >= count:
                return found
            await asyncio.sleep(0.05)


async def test_a_request_brings_a_fresh_checkpoint_to_each_contact_once(
    make: Sessions, working: Working, settings: Settings
) -> None:
    world = await build.client(make)
    async with working():
        async with transaction(make) as session:
            await audit.request_checkpoint(
                Tx(session, world.client, datetime.now(UTC)), world.account.id
            )
        found = await until_sent(make, world.account.id, 2)
    checkpoint = await last(make, world.tenant.id)
    assert checkpoint is not None
    key = signer_of(settings).verifier_key(audit.origin_of("waarborg", world.tenant.id))
    assert [each.contact_id for each in found] == [each.id for each in world.contacts]
    for message in found:
        letter = laid_down(settings, message)
        kept = verify.checkpoint_of(verify.note_in(letter), key)
        parsed = message_from_bytes(letter, policy=policy.default)
        plain = parsed.get_body(("plain",))
        assert plain is not None
        assert 0 < kept.size <= checkpoint.size
        assert key in plain.get_content()


async def test_a_weeks_checkpoint_is_published_once_whoever_tries(make: Sessions) -> None:
    world = await build.client(make)
    await signed(make, world.tenant.id)  # in the week of T0
    monday = build.T0 + timedelta(days=7)

    async def publish(at: datetime) -> bool:
        async with transaction(make) as session:
            return await audit.publish(session, SIGNER, world.tenant.id, at=at)

    async with make() as session:
        early = await audit.unpublished(session, at=build.T0 + timedelta(days=6))
        owed = await audit.unpublished(session, at=monday)
    done = await asyncio.gather(*(publish(monday) for _ in range(5)))
    again = await publish(monday + timedelta(days=3))
    async with make() as session:
        published = await session.scalar(
            select(func.count()).where(
                LedgerRow.tenant_id == world.tenant.id, LedgerRow.kind == "checkpoint.published"
            )
        )
    assert Subject(world.tenant.id, world.tenant.id) not in early
    assert Subject(world.tenant.id, world.tenant.id) in owed
    assert (sorted(done), again, published) == ([False] * 4 + [True], False, 1)


async def test_a_published_checkpoint_reaches_each_contact_once(
    make: Sessions, working: Working, settings: Settings
) -> None:
    world = await build.client(make)
    await signed(make, world.tenant.id, signer_of(settings))
    async with transaction(make) as session:
        await audit.publish(
            session, signer_of(settings), world.tenant.id, at=build.T0 + timedelta(days=7)
        )
    async with working():
        await until_sent(make, world.account.id, 2)
        async with transaction(
            make
        ) as session:  # a repeat would come before the letters about this one
            await audit.request_checkpoint(
                Tx(session, world.client, datetime.now(UTC)), world.account.id
            )
        await until_sent(make, world.account.id, 4)
    found = await sent(make, world.account.id)
    [first, *others] = dict.fromkeys(each.intent for each in found)
    assert others
    about_first = [each.contact_id for each in found if each.intent == first]
    assert about_first == [each.id for each in world.contacts]


async def test_a_worker_that_dies_in_the_middle_leaves_the_tree_whole(make: Sessions) -> None:
    whom = await facts.client(make)
    await facts.note(make, whom, *range(700))
    await facts.number_all(make)

    async def die() -> None:
        async with transaction(make) as session:
            await audit.append(session, whom.actor.tenant_id, limit=300)
            raise RuntimeError("power")

    with pytest.raises(RuntimeError, match="power"):
        await die()
    for _ in range(2):
        async with transaction(make) as session:
            await audit.append(session, whom.actor.tenant_id, limit=300)
    await asyncio.gather(*(grow_all(make) for _ in range(4)))  # four workers at once
    async with make() as session:
        tree = await session.get_one(Tree, whom.actor.tenant_id)
        places = (
            await session.scalars(
                select(Leaf.position)
                .where(Leaf.tenant_id == whom.actor.tenant_id)
                .order_by(Leaf.seq)
            )
        ).all()
    async with transaction(make) as session:
        checkpoint = await audit.sign(session, SIGNER, whom.actor.tenant_id, at=facts.T0)
        held = await audit.proven_facts(
            session,
            LedgerRow.tenant_id == whom.actor.tenant_id,
            tenant_id=whom.actor.tenant_id,
            size=tree.size,
            limit=1000,
            shown=False,
            reader=whom.actor,
        )
    whole = verify.Growing()
    for fact in held:
        whole.add(verify.leaf_hash(fact.text.encode()))
    assert checkpoint is not None
    assert (tree.size, list(places)) == (701, list(range(701)))
    assert checkpoint.root == whole.root


async def test_what_clients_see_is_counted_as_readers_of_the_feed_see_it() -> None:
    whom = facts.Client(Actor.system(UUID(int=1), "test"), UUID(int=2))
    for body in ({}, {"internal": True}, {"internal": False}, {"client_visible": False}):
        fact = SequencedEvent(
            1, UUID(int=1), whom.account_id, "test.noted", UUID(int=3), facts.T0, facts.T0,
            whom.actor.origin, "user:x", body,
        )  # fmt: skip
        assert is_shown_to_clients(fact.account_id, body) == is_visible(whom.guest, fact)


async def test_an_erasure_that_was_asked_for_is_done_by_the_worker(
    make: Sessions, working: Working
) -> None:
    world = await build.client(make)
    system = Actor.system(world.tenant.id, "test")
    contact = world.contacts[0].id
    async with transaction(make) as session:
        await privacy.request_erasure(
            Tx(session, system, datetime.now(UTC)), Person.CONTACT, contact
        )
    async with working(), asyncio.timeout(60):
        while True:
            async with make() as session:
                if (await session.get_one(Contact, contact)).name == ERASED:
                    break
            await asyncio.sleep(0.05)


async def test_no_week_is_published_for_a_company_that_is_new(make: Sessions) -> None:
    world = await build.client(make)
    async with transaction(make) as session:
        await audit.sign(session, SIGNER, world.tenant.id, at=datetime.now(UTC))
    await publish_due(make, SIGNER)
    async with make() as session:
        published = await session.scalar(
            select(func.count()).where(
                LedgerRow.tenant_id == world.tenant.id, LedgerRow.kind == "checkpoint.published"
            )
        )
    assert published == 0
