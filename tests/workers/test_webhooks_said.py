"""Partner webhooks that speak GraphQL: registered over the API, said by a worker, under the partner's own rights."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from api.execution.executor import GraphQLRequest
from api.execution.webhook_documents import teller
from domain import accounts, agreements, incidents
from domain.access import Actor, Tx
from domain.accounts import Site
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.webhooks import SecretCipher
from schema.core import ids
from tests import build, facts
from tests.api import asking
from tests.api.asking import Api, Office
from tests.receiver import Receiver, receiver
from workers.outbound.http_client import WebhookClient
from workers.webhooks import WebhookDispatcher

pytestmark = pytest.mark.anyio

UUID_TEXT = r"[0-9a-f]{8}-[0-9a-f]{4}-"
ADD = """
mutation ($i: AddWebhookInput!) { addWebhook(input: $i) {
  __typename
  ... on WebhookSecret { secret webhook { id state kinds owner cursor account { id } } }
  ... on Refusal { code message argument }
} }
"""
EVENTS = """
subscription ($account: ID!) { accountEvents(accountId: $account, kinds: ["incident.opened", "promise.breached"]) {
  kind cursor incident { id summary status } promise { name state }
} }
"""
ONE = """
query ($incidentId: ID!, $kind: String!, $other: ID!) {
  incident(id: $incidentId) { id summary } other: account(id: $other) { name }
  ledger(kinds: [$kind], last: 1) { nodes { kind } }
}
"""

Couriers = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Partner:
    """A partner system: its key, the client it works for, and where it listens."""

    office: Office
    key: str
    receiver: Receiver


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    configured = asking.settings(database_url, redis_url, tmp_path, webhook_loopback=True)
    async with asking.running(configured) as running:
        yield running


@pytest.fixture
async def partner(api: Api) -> AsyncIterator[Partner]:
    office = await asking.office(api)
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        _, key = await accounts.issue_api_key(
            Tx(session, system, build.T0), name="alarm centre", accounts=[office.world.account.id]
        )
    await facts.number_all(api.make)
    async with receiver() as listening:
        yield Partner(office, key, listening)


@pytest.fixture
def at_work(api: Api) -> Couriers:
    """A courier that can say facts, for the length of a block."""

    @asynccontextmanager
    async def work() -> AsyncIterator[None]:
        settings = api.state.settings
        outside = WebhookClient(loopback=True)
        async with teller(settings) as voice:
            courier = WebhookDispatcher(api.make, SecretCipher.of(settings), outside, voice)
            task = asyncio.create_task(courier.run())
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await outside.close()

    return work


async def add(api: Api, partner: Partner, document: str | None, **more: Any) -> Any:
    variables = more.pop("variables", {"account": partner.office.account})
    given = {"name": "desk", "url": partner.receiver.url, **more}
    if document is not None:
        given["document"] = {"document": document, "variables": variables}
    return (await api.data(partner.key, ADD, i=given))["addWebhook"]


async def a_breach(api: Api, partner: Partner) -> str:
    """A ticket that is answered too late; its global id."""
    world = partner.office.world
    ticket = await build.incident(api.make, world, summary="Alarm in the hall")
    async with transaction(api.make) as session:
        late = build.T0 + timedelta(minutes=20)
        await incidents.acknowledge(Tx(session, world.staff, late), ticket.id)
    await facts.number_all(api.make)
    return ids.write("Incident", ticket.id)


async def test_the_body_is_what_the_subscription_would_have_brought(
    api: Api, partner: Partner, at_work: Couriers
) -> None:
    added = await add(api, partner, EVENTS)
    assert added["webhook"]["kinds"] == ["incident.opened", "promise.breached"]
    assert added["webhook"]["account"]["id"] == partner.office.account
    ticket = await a_breach(api, partner)
    async with at_work():
        await partner.receiver.has(2)
    opened, breached = [letter.verified(added["secret"]) for letter in partner.receiver.letters]
    assert opened["data"]["accountEvents"]["incident"] == {
        "id": ticket, "summary": "Alarm in the hall", "status": "ACKNOWLEDGED",
    }  # fmt: skip
    assert breached["data"]["accountEvents"]["promise"] == {
        "name": "first_response", "state": "LATE",
    }  # fmt: skip
    assert breached["extensions"]["webhook"]["type"] == "promise.breached"
    told = await _over_a_socket(api, partner, after=added["webhook"]["cursor"])
    assert [each["data"] for each in (opened, breached)] == told


async def _over_a_socket(api: Api, partner: Partner, *, after: str) -> list[Any]:
    identity = await api.state.authenticator.identify(partner.key)
    assert identity is not None
    document = EVENTS.replace("accountId: $account", f'accountId: $account, after: "{after}"')
    ask = GraphQLRequest(document, {"account": partner.office.account})
    stream = api.state.engine.stream(
        await api.state.gate.look(ask), ask, api.state.context(identity.actor), ""
    )
    return [(await anext(stream)).answer["data"] for _ in range(2)]


async def test_a_query_is_asked_for_each_fact_with_its_variables_and_as_the_partner(
    api: Api, partner: Partner, at_work: Couriers
) -> None:
    async with transaction(api.make) as session:
        system = Actor.system(partner.office.world.tenant.id, "test")
        hidden = await accounts.create_account(Tx(session, system, build.T0), name="Hidden")
    await facts.number_all(api.make)
    added = await add(
        api, partner, ONE, kinds=["incident.opened"], accountId=partner.office.account,
        variables={"other": ids.write("Account", hidden.id)},
    )  # fmt: skip
    assert added["__typename"] == "WebhookSecret", added
    ticket = await a_breach(api, partner)
    async with at_work():
        await partner.receiver.has(1)
    [letter] = partner.receiver.letters
    assert letter.told["data"] == {
        "incident": {"id": ticket, "summary": "Alarm in the hall"},
        "other": None,
        "ledger": {"nodes": [{"kind": "incident.opened"}]},
    }


TOO_DEEP = "{ accounts(first: 100) { nodes { sites(first: 100) { account { sites(first: 100) { name } } } } } }"


async def test_a_document_that_does_no_asking_or_passes_no_gate_is_refused(
    api: Api, partner: Partner
) -> None:
    refused = {
        'mutation { endWebhook(input: {id: "x"}) { __typename } }': "A webhook asks",
        "subscription { nothing }": "nothing",
        "{ account(id: 3": "Syntax",
        "query ($n: Int!) { ledger(first: $n) { nodes { kind } } }": "$n",
        TOO_DEEP: "cost",
    }
    for document, why in refused.items():
        answer = await add(api, partner, document, variables={}, accountId=partner.office.account)
        assert (answer["__typename"], answer["argument"]) == ("Refusal", "document")
        assert why in answer["message"], answer


async def test_a_partner_is_told_of_breaches_at_its_own_clients_only(
    api: Api, partner: Partner, at_work: Couriers
) -> None:
    await add(
        api,
        partner,
        "subscription { breaches { kind account { id } incident { id } } }",
        variables={},
    )

    def told() -> list[dict[str, Any]]:
        return [letter.told["data"]["breaches"] for letter in partner.receiver.letters]

    elsewhere = await victims_of(api, partner)
    await a_breach(api, partner)
    async with at_work():
        await partner.receiver.has(1)
        last = await a_breach(api, partner)  # by then, breaches elsewhere had their turn
        await facts.until(lambda: last in {each["incident"]["id"] for each in told()})
    assert {each["account"]["id"] for each in told()} == {partner.office.account}
    assert elsewhere > 0


async def victims_of(api: Api, partner: Partner) -> int:
    """Break a promise to another client of the same company; how many facts say so."""
    world = partner.office.world
    system = Actor.system(world.tenant.id, "test")
    async with transaction(api.make) as session:
        other = await accounts.create_account(Tx(session, system, build.T0), name="Elsewhere")
        await accounts.add_site(Tx(session, system, build.T0), other.id, name="There")
        terms = build.terms_draft(world.calendar)
        await agreements.sign(
            Tx(session, system, build.T0),
            other.id,
            reference="E-1",
            title="E",
            signed_on=date(2025, 12, 1),
            in_force_from=datetime(2026, 1, 1, tzinfo=UTC),
            terms=terms,
        )
        site = await session.scalar(select(Site).where(Site.account_id == other.id))
    assert site is not None
    ticket = await build.incident(api.make, replace(world, account=other, site=site))
    async with transaction(api.make) as session:
        late = build.T0 + timedelta(minutes=20)
        await incidents.acknowledge(Tx(session, world.staff, late), ticket.id)
    await facts.number_all(api.make)
    async with api.make() as session:
        broken = LedgerRow.kind == "promise.breached"
        count = select(func.count()).where(LedgerRow.account_id == other.id, broken)
        return await session.scalar(count) or 0


async def test_the_log_and_a_replay_are_in_the_graph_and_a_neighbour_sees_none_of_it(
    api: Api, partner: Partner, at_work: Couriers
) -> None:
    added = await add(api, partner, EVENTS)
    await a_breach(api, partner)
    log = """query ($w: ID!) { webhookDeliveries(webhookId: $w) { nodes {
      id kind state messageId cursor attempts { status excerpt error tookMs } webhook { name } } } }"""
    hook = added["webhook"]["id"]

    async def taken(attempts: int) -> list[dict[str, Any]]:
        """The log, once both deliveries were taken so often."""
        async with asyncio.timeout(60):
            while True:
                told = (await api.data(partner.key, log, w=hook))["webhookDeliveries"]["nodes"]
                found: list[dict[str, Any]] = told
                done = [each for each in found if each["state"] == "DELIVERED"]
                if [len(each["attempts"]) for each in done] == [attempts] * 2:
                    return found
                await asyncio.sleep(0.05)

    async with at_work():
        before = await taken(1)
        again = await api.data(
            partner.key,
            "mutation ($i: ReplayWebhookInput!) { replayWebhook(input: $i) { __typename } }",
            i={"id": hook, "after": added["webhook"]["cursor"]},
        )
        assert again["replayWebhook"]["__typename"] == "Webhook"
        after = await taken(2)
    assert [each["state"] for each in before] == ["DELIVERED", "DELIVERED"]
    assert before[0]["attempts"][0]["status"] == 204
    sent = [letter.id for letter in partner.receiver.letters]
    assert sent[:2] == sent[2:] == [each["messageId"] for each in reversed(after)]
    for token in (partner.office.client, partner.office.dispatcher):
        seen = await api.data(
            token, "{ webhooks { nodes { id } } webhookDeliveries { nodes { id } } }"
        )
        assert seen == {"webhooks": {"nodes": []}, "webhookDeliveries": {"nodes": []}}


async def test_a_revoked_key_ends_what_its_document_says(
    api: Api, partner: Partner, at_work: Couriers
) -> None:
    added = await add(api, partner, EVENTS)
    key_id = added["webhook"]["owner"].removeprefix("key:")
    async with transaction(api.make) as session:
        await accounts.revoke_api_key(
            Tx(session, Actor.system(partner.office.world.tenant.id, "test"), datetime.now(UTC)),
            UUID(key_id),
        )
    await a_breach(api, partner)
    listing = "{ webhooks { nodes { state reason } } }"
    async with at_work(), asyncio.timeout(60):
        while True:
            [hook] = (await api.data(partner.office.manager, listing))["webhooks"]["nodes"]
            if hook["state"] == "PAUSED":
                break
            await asyncio.sleep(0.05)
    assert hook["reason"] == "the access of its owner has ended"
    assert partner.receiver.letters == []


async def test_a_plain_body_has_the_ids_that_graphql_takes(
    api: Api, partner: Partner, at_work: Couriers
) -> None:
    account = partner.office.account
    added = await add(
        api, partner, None, accountId=account, kinds=["incident.opened", "promise.breached"]
    )
    ticket = await a_breach(api, partner)
    async with at_work():
        await partner.receiver.has(2)
    data, breached = [each.verified(added["secret"])["data"] for each in partner.receiver.letters]
    assert (data["subjectId"], data["accountId"]) == (ticket, account)
    assert breached["ids"]["incident_id"] == ticket
    assert ids.known(ticket, "Incident") == UUID(breached["body"]["incident_id"])
    found = await api.data(
        partner.key, "query($id: ID!) { node(id: $id) { __typename id } }", id=data["subjectId"]
    )
    assert found["node"] == {"__typename": "Incident", "id": ticket}
    outside = {key: value for key, value in data.items() if key not in {"body", "actor"}}
    assert re.search(UUID_TEXT, json.dumps(outside)) is None
