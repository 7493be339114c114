"""What is still to be done, over GraphQL: for those who keep the software running, and for nobody else."""

import pytest
from sqlalchemy import select, update

from domain import messages
from domain.access import Tx
from domain.core.db import transaction
from domain.core.outbox import Outbox, OutboxState
from domain.messages import Message, MessageState
from schema.core import ids
from tests import build, facts
from tests.api.asking import Api, Office
from tests.build import T0
from tests.domain.messages.test_templates import TOLD

pytestmark = pytest.mark.anyio

LOOK = """{ backlog { pending failed dead oldestDueAt }
  outbox { nodes { id job fact state attempts error } } }"""
RETRY = """mutation($input: RetryConsequenceInput!) { retryConsequence(input: $input) {
  ... on Outbox { state attempts } ... on Refusal { code } } }"""
BARRED = "{ suppressedAddresses { address error stopped } }"
LIFT = """mutation($input: LiftSuppressionInput!) { liftSuppression(input: $input) {
  ... on Tenant { name } ... on Refusal { code } } }"""
ALL = """mutation { retryDeadConsequences(input: {}) {
  ... on Tenant { name } ... on Refusal { code } } }"""


async def given_up(api: Api, office: Office) -> str:
    """A letter of this office that was given up with its consequence; the consequence's id."""
    world = office.world
    async with transaction(api.make) as session:
        [message, _] = await messages.compose(
            Tx(session, world.staff, T0),
            world.account.id,
            intent=f"test:{world.site.id}",
            template="incident_resolved",
            variables=TOLD["incident_resolved"],
        )
    await facts.number_all(api.make, {"message.queued": ("send_message",)})
    async with transaction(api.make) as session:
        await messages.mark_failed(Tx(session, world.staff, T0), message.id, error="451 later")
        [row, _] = await session.scalars(
            select(Outbox).where(Outbox.tenant_id == world.tenant.id).order_by(Outbox.id)
        )
        row.state, row.attempts, row.error = OutboxState.DEAD, 20, "451 later"
    return ids.write("Outbox", row.id)


async def letters(api: Api, office: Office) -> list[MessageState]:
    async with api.make() as session:
        rows = await session.scalars(
            select(Message.state)
            .where(Message.account_id == office.world.account.id)
            .order_by(Message.id)
        )
        return list(rows)


async def test_who_operates_the_software_sees_what_was_given_up_and_has_it_tried_again(
    api: Api, office: Office
) -> None:
    dead = await given_up(api, office)
    before = await api.data(office.dispatcher, LOOK)
    assert (before["backlog"]["pending"], before["backlog"]["dead"]) == (1, 1)
    [shown] = [each for each in before["outbox"]["nodes"] if each["id"] == dead]
    assert (shown["job"], shown["fact"], shown["state"], shown["error"]) == (
        "send_message", "message.queued", "DEAD", "451 later",
    )  # fmt: skip
    answer = await api.data(office.dispatcher, RETRY, input={"id": dead})
    assert answer["retryConsequence"] == {"state": "PENDING", "attempts": 0}
    assert await letters(api, office) == [MessageState.QUEUED, MessageState.QUEUED]
    assert (await api.data(office.dispatcher, LOOK))["backlog"]["dead"] == 0


async def test_everything_that_was_given_up_is_tried_again_at_once(
    api: Api, office: Office
) -> None:
    await given_up(api, office)
    answer = await api.data(office.manager, ALL)
    assert answer["retryDeadConsequences"] == {"name": office.world.tenant.name}
    backlog = (await api.data(office.manager, LOOK))["backlog"]
    assert (backlog["pending"], backlog["failed"], backlog["dead"]) == (2, 1, 0)


async def test_a_client_sees_nothing_of_it_and_retries_nothing(api: Api, office: Office) -> None:
    dead = await given_up(api, office)
    assert await api.data(office.client, LOOK) == {"backlog": None, "outbox": {"nodes": []}}
    answer = await api.data(office.client, RETRY, input={"id": dead})
    assert answer["retryConsequence"] == {"code": "NOT_ALLOWED"}
    answer = await api.data(office.client, ALL)
    assert answer["retryDeadConsequences"] == {"code": "NOT_ALLOWED"}


async def test_what_is_done_is_not_done_again(api: Api, office: Office) -> None:
    dead = await given_up(api, office)
    async with transaction(api.make) as session:
        await session.execute(
            update(Outbox)
            .where(Outbox.tenant_id == office.world.tenant.id)
            .values(state=OutboxState.DONE)
        )
    answer = await api.data(office.manager, RETRY, input={"id": dead})
    assert answer["retryConsequence"] == {"code": "INVALID"}


async def test_addresses_that_get_no_letters_are_shown_to_who_operates_the_software_and_freed(
    api: Api, office: Office
) -> None:
    await build.bounced(api.make, office.world)
    address = str(office.world.contacts[0].email)
    shown = await api.data(office.dispatcher, BARRED)
    assert shown == {
        "suppressedAddresses": [{"address": address, "error": "5.1.1 nobody", "stopped": 0}]
    }
    assert await api.data(office.client, BARRED) == {"suppressedAddresses": []}
    answer = await api.data(office.client, LIFT, input={"address": address})
    assert answer["liftSuppression"] == {"code": "NOT_ALLOWED"}
    answer = await api.data(office.dispatcher, LIFT, input={"address": address})
    assert answer["liftSuppression"] == {"name": office.world.tenant.name}
    assert await api.data(office.dispatcher, BARRED) == {"suppressedAddresses": []}
    answer = await api.data(office.dispatcher, LIFT, input={"address": address})
    assert answer["liftSuppression"] == {"code": "NOT_FOUND"}
