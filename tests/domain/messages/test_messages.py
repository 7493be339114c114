"""Messages: written once per intent and contact, in the contact's language and time."""

import pytest
from sqlalchemy import select

from domain import accounts, messages
from domain.access import Actor, Tx
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.messages import Message, MessageState
from tests import build
from tests.build import T0
from tests.domain.messages.test_templates import TOLD

pytestmark = pytest.mark.anyio


async def compose(make: Sessions, world: build.World, intent: str) -> list[Message]:
    async with transaction(make) as session:
        return await messages.compose(
            Tx(session, world.staff, T0),
            world.account.id,
            intent=intent,
            template="incident_resolved",
            variables=TOLD["incident_resolved"],
        )


async def test_each_contact_is_written_to_once_per_intent_in_its_language(make: Sessions) -> None:
    world = await build.client(make, contacts=2)
    intent = f"incident:{world.site.id}:resolved"
    first, second = await compose(make, world, intent), await compose(make, world, intent)
    assert [(m.language, m.subject[:8]) for m in first] == [("nl", "Opgelost"), ("en", "Resolved")]
    assert second == []


async def test_a_contact_that_wants_no_service_messages_or_has_no_address_is_left_alone(
    make: Sessions,
) -> None:
    world = await build.client(make, contacts=1)
    async with transaction(make) as session:
        for fields in (
            {"email": "x@example.org", "wants_service_messages": False},
            {"email": None},
        ):
            await accounts.add_contact(
                Tx(session, Actor.system(world.tenant.id, "test"), T0),
                world.account.id,
                name="Stil",
                role="-",
                **fields,
            )
    written = await compose(make, world, f"incident:{world.site.id}:resolved")
    assert [message.contact_id for message in written] == [world.contacts[0].id]


async def test_a_message_ends_once_and_says_so_in_the_ledger(make: Sessions) -> None:
    world = await build.client(make, contacts=1)
    [message] = await compose(make, world, f"incident:{world.site.id}:resolved")
    async with transaction(make) as session:
        assert await messages.begin(Tx(session, world.staff, T0), message.id)
    async with transaction(make) as session:
        await messages.mark_sent(Tx(session, world.staff, T0), message.id)
        await messages.mark_sent(Tx(session, world.staff, T0), message.id)
        await messages.mark_failed(Tx(session, world.staff, T0), message.id, error="too late")
    async with transaction(make) as session:
        assert await messages.begin(Tx(session, world.staff, T0), message.id) is None
    async with make() as session:
        row = await session.get_one(Message, message.id)
        kinds = await session.scalars(
            select(LedgerRow.kind).where(LedgerRow.subject_id == message.id).order_by(LedgerRow.id)
        )
        assert (row.state, row.attempts) == (MessageState.SENT, 1)
        assert list(kinds) == ["message.queued", "message.sent"]


async def test_a_message_of_another_tenant_does_not_exist(make: Sessions) -> None:
    world, other = await build.client(make, contacts=1), await build.client(make, contacts=0)
    [message] = await compose(make, world, f"incident:{world.site.id}:resolved")
    async with make() as session:
        with pytest.raises(Refused) as refused:
            await messages.load_for_delivery(Tx(session, other.staff, T0), message.id)
    assert refused.value.refusal.code is Code.NOT_FOUND
