"""Facts about webhooks: clients read of their own, and are not told who of the company has which."""

import json

import pytest

from domain import webhooks
from domain.access import Tx
from domain.core.db import transaction
from tests.api.asking import Api, Office
from tests.build import T0
from tests.gate import prober
from tests.gate.test_invitation_texts import inviters

FACTS = "{ ledger(last: 50) { nodes { kind actor body words } } }"


async def hooked(api: Api, office: Office, token: str) -> str:
    """Add a webhook for the client's facts as somebody and pause it; return the owner."""
    identity = await api.state.authenticator.identify(token)
    assert identity is not None
    async with transaction(api.make) as session:
        tx = Tx(session, identity.actor, T0)
        webhook, _ = await webhooks.add(
            tx, api.state.desk.vault, name="probe", url="https://hooks.example.org/",
            wanted=webhooks.EventFilter(office.world.account.id),
        )  # fmt: skip
        await webhooks.pause(tx, webhook.id, reason="Ask J. de Wit")
    await prober.number(api)
    return webhook.owner


async def about_webhooks(api: Api, token: str) -> dict[str, dict[str, object]]:
    facts = (await api.data(token, FACTS))["ledger"]["nodes"]
    return {each["kind"]: each for each in facts if each["kind"].startswith("webhook.")}


async def test_clients_do_not_read_who_of_the_company_has_a_webhook(
    api: Api, office: Office
) -> None:
    owner = await hooked(api, office, office.manager)
    whole = await about_webhooks(api, office.manager)
    assert whole.keys() == {"webhook.added", "webhook.paused"}
    assert whole["webhook.added"]["words"] == {"owner": owner}
    assert owner not in json.dumps(whole["webhook.added"]["body"])
    assert await about_webhooks(api, office.client) == {}


@pytest.mark.parametrize("who", ["client admin", "key"])
async def test_clients_read_facts_about_webhooks_of_their_own_and_of_keys_without_an_owner(
    api: Api, office: Office, who: str
) -> None:
    await hooked(api, office, (await inviters(api, office))[who])
    read = await about_webhooks(api, office.client)
    assert read.keys() == {"webhook.added", "webhook.paused"}
    assert read["webhook.added"]["words"] == {"owner": None}
    assert "actor" in read["webhook.added"]
