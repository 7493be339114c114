"""A new account gets the defaults that it lacks, once, from who may, and each of them is recorded."""

import json
from asyncio import to_thread
from collections import Counter
from typing import Any

from sqlalchemy import select

from api.commands import defaults
from domain import accounts
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from schema.core import ids
from tests import build
from tests.api.asking import Api, Office

APPLY = """mutation ($input: ApplyDefaultsInput!) { applyDefaults(input: $input) {
  ... on AppliedDefaults { account { id } parts { part name made } } ... on Refusal { code argument } } }"""
READ = """query ($id: ID!) { node(id: $id) { ... on Account {
  agreements { terms { promises { name } } } } } }"""
EVERYTHING = [
    ("AGREEMENT", "1"),
    ("ESCALATION_POLICY", "Default"),
    ("REPORT_PLANS", "daily"),
    ("REPORT_PLANS", "weekly"),
    ("TOUCHPOINTS", "check_in"),
    ("TOUCHPOINTS", "formal_review"),
    ("TOUCHPOINTS", "social"),
]


async def new_account(api: Api, office: Office, name: str) -> accounts.Account:
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        return await accounts.create_account(Tx(session, system, build.T0), name=name)


async def applied(api: Api, token: str, account: str, **given: Any) -> Any:
    answer = await api.data(token, APPLY, input={"accountId": account, **given})
    return answer["applyDefaults"]


def made(answer: Any) -> tuple[list[Any], list[Any]]:
    """What was made, and what was left."""
    parts = sorted((each["part"], each["name"], each["made"]) for each in answer["parts"])
    return [each[:2] for each in parts if each[2]], [each[:2] for each in parts if not each[2]]


async def facts_of(api: Api, account: accounts.Account) -> Counter[str]:
    async with api.make() as session:
        found = select(LedgerRow.kind).where(LedgerRow.account_id == account.id)
        return Counter(await session.scalars(found))


async def test_a_new_account_gets_every_default_once(api: Api, office: Office) -> None:
    row = await new_account(api, office, "Nieuw")
    account = ids.write("Account", row.id)
    for token in (office.dispatcher, office.client):
        assert (await applied(api, token, account))["code"] == "NOT_ALLOWED"
    before = await facts_of(api, row)
    first = await applied(api, office.manager, account)
    assert first["account"]["id"] == account
    assert made(first) == (EVERYTHING, [])
    recorded = await facts_of(api, row) - before
    assert recorded == {
        "agreement.signed": 1,
        "escalation_policy.set": 1,
        "report_plan.set": 2,
    }
    assert made(await applied(api, office.manager, account)) == ([], EVERYTHING)
    assert await facts_of(api, row) - before == recorded


async def test_what_is_there_is_left(api: Api, office: Office) -> None:
    only = await applied(
        api, office.manager, office.account, parts=["AGREEMENT", "ESCALATION_POLICY"]
    )
    assert made(only) == (
        [("ESCALATION_POLICY", "Default")],
        [("AGREEMENT", office.world.agreement.reference)],
    )


async def test_an_account_of_another_company_is_unknown(api: Api, office: Office) -> None:
    world = await build.client(api.make)
    refused = await applied(api, office.manager, ids.write("Account", world.account.id))
    assert refused == {"code": "NOT_FOUND", "argument": "accountId"}


async def test_the_command_applies_the_same_defaults(api: Api, office: Office, capsys: Any) -> None:
    row = await new_account(api, office, "Tweede")
    configured = api.state.settings
    for is_made in (True, False):
        await to_thread(
            defaults.run, configured, str(row.id), str(row.tenant_id), "1", as_json=True
        )
        told = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert {each["made"] for each in told} == {is_made}
        assert len(told) == len(EVERYTHING)
