"""Parameters are set by who may, the most specific value applies, and every value says where it comes from."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain import accounts
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from schema.core import ids
from tests import build
from tests import facts as relay
from tests.api.asking import Api, Office, SelectCounter

MANAGEMENT, RECOVERY = "escalation.management_after", "recovery.major_steps"
SET = """mutation ($input: SetParameterInput!) { setParameter(input: $input) {
  ... on ParameterValue { id level tier value { numbers unit } setBy account { id } site { id } }
  ... on Refusal { code message argument } } }"""
RESET = """mutation ($input: ResetParameterInput!) { resetParameter(input: $input) {
  ... on ParameterValue { id value { numbers } } ... on Refusal { code message argument } } }"""
READ = """query ($account: ID, $site: ID, $names: [String!], $at: DateTime) {
  parameters(accountId: $account, siteId: $site, names: $names, at: $at) {
    name source validFrom value { numbers unit } setting { setBy setAt }
    definition { count default { numbers unit } allowed { unit minimum maximum } levels tiers } } }"""
OPEN = """mutation ($input: OpenIncidentInput!) { openIncident(input: $input) {
  ... on Incident { id } ... on Refusal { message } } }"""
PAUSE = """mutation ($input: PauseIncidentInput!) { pauseIncident(input: $input) {
  ... on Incident { pauses { fromAt capAt } } ... on Refusal { message } } }"""
HISTORY = """query ($account: ID, $name: String) { parameterValues(accountId: $account, parameter: $name) {
  nodes { level value { numbers unit } } } }"""
FACTS = "query ($kinds: [String!]) { ledger(first: 9, kinds: $kinds) { edges { node { body } } } }"
LIST = """query ($n: Int!, $names: [String!]) { accounts(first: $n) {
  nodes { parameters(names: $names) { name source value { numbers } setting { setBy } } } } }"""


async def put(api: Api, token: str, name: str = MANAGEMENT, **given: Any) -> Any:
    asked = {"name": name, "numbers": [1], "unit": "HOURS"} | given
    return (await api.data(token, SET, input=asked))["setParameter"]


async def reset(api: Api, token: str, name: str = MANAGEMENT, **given: Any) -> Any:
    return (await api.data(token, RESET, input={"name": name} | given))["resetParameter"]


async def found(api: Api, token: str, name: str = MANAGEMENT, **where: Any) -> Any:
    [only] = (await api.data(token, READ, names=[name], **where))["parameters"]
    return only


async def relationship_manager(api: Api, office: Office) -> str:
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        user = await accounts.add_user(
            Tx(session, system, build.T0),
            email="manager@example.org",
            name="Manager",
            role=Role.RELATIONSHIP_MANAGER,
        )
    return api.token(user.id)


async def test_the_most_specific_value_applies_and_says_where_it_comes_from(
    api: Api, office: Office
) -> None:
    at_site, at_account = {"site": office.site}, {"account": office.account}
    default = await found(api, office.manager, **at_site)
    assert (default["source"], default["value"]) == ("DEFAULT", {"numbers": [4], "unit": "HOURS"})
    assert (default["validFrom"], default["setting"]) == (None, None)
    places = {
        "TENANT": {},
        "TIER": {"tier": "BASIC"},
        "ACCOUNT": {"accountId": office.account},
        "SITE": {"siteId": office.site},
    }
    for hours, (level, place) in enumerate(places.items(), 10):
        made = await put(api, office.manager, numbers=[hours], **place)
        assert made["level"] == level, made
        here = await found(api, office.manager, **at_site)
        assert (here["source"], here["value"]["numbers"]) == (level, [hours])
        assert here["setting"]["setBy"] == made["setBy"]
    assert (await found(api, office.manager, **at_account))["source"] == "ACCOUNT"
    assert (await found(api, office.manager))["source"] == "TENANT"
    for level, place in reversed(places.items()):
        assert (await found(api, office.manager, **at_site))["source"] == level
        assert (await reset(api, office.manager, **place))["value"] is None
    assert (await found(api, office.manager, **at_site))["source"] == "DEFAULT"
    listed = await api.data(office.manager, HISTORY, name=MANAGEMENT)
    assert len(listed["parameterValues"]["nodes"]) == 8


async def test_a_tier_of_others_and_values_of_other_sites_do_not_apply(
    api: Api, office: Office
) -> None:
    async with transaction(api.make) as session:
        system = Actor.system(office.world.tenant.id, "test")
        other = await accounts.add_site(
            Tx(session, system, build.T0), office.world.account.id, name="Magazijn"
        )
    await put(api, office.manager, tier="PREMIUM")
    await put(api, office.manager, siteId=ids.write("Site", other.id))
    assert (await found(api, office.manager, site=office.site))["source"] == "DEFAULT"
    async with transaction(api.make) as session:
        await accounts.change_account(
            Tx(session, system, build.T0),
            office.world.account.id,
            service_tier=accounts.ServiceTier.PREMIUM,
        )
    assert (await found(api, office.manager, site=office.site))["source"] == "TIER"


async def test_a_value_that_begins_next_month_does_not_change_today(
    api: Api, office: Office
) -> None:
    begins = datetime.now(UTC) + timedelta(days=31)
    account = {"account": office.account}
    assert await put(
        api, office.manager, accountId=office.account, numbers=[2], validFrom=begins.isoformat()
    )
    assert (await found(api, office.manager, **account))["source"] == "DEFAULT"
    before, after = begins - timedelta(seconds=1), begins
    assert (await found(api, office.manager, at=before.isoformat(), **account))["value"] == {
        "numbers": [4],
        "unit": "HOURS",
    }
    assert (await found(api, office.manager, at=after.isoformat(), **account))["value"] == {
        "numbers": [2],
        "unit": "HOURS",
    }
    cancelled = await reset(
        api, office.manager, accountId=office.account, validFrom=begins.isoformat()
    )
    assert cancelled["value"] is None
    assert (await found(api, office.manager, at=after.isoformat(), **account))[
        "source"
    ] == "DEFAULT"


async def test_what_is_not_allowed_is_refused_with_what_is(api: Api, office: Office) -> None:
    allowed = "1 number from 5 to 1440 MINUTES or from 1 to 24 HOURS"
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    for given, code, argument, words in (
        ({"numbers": [25]}, "INVALID", "numbers", allowed),
        ({"numbers": [0]}, "INVALID", "numbers", allowed),
        ({"numbers": []}, "INVALID", "numbers", allowed),
        ({"numbers": [1, 2]}, "INVALID", "numbers", allowed),
        ({"unit": "DAYS"}, "INVALID", "unit", allowed),
        ({"name": "escalation.management"}, "NOT_FOUND", "name", MANAGEMENT),
        ({"tier": "CORE"}, "INVALID", "tier", "BASIC, ENHANCED, PREMIUM"),
        ({"tier": "BASIC", "siteId": office.site}, "INVALID", "accountId", "at most one"),
        ({"validFrom": past}, "TIME_REVERSED", "validFrom", "now or later"),
        (
            {"name": RECOVERY, "numbers": [1, 2, 3, 4, 5], "siteId": office.site},
            *("INVALID", "siteId", "TENANT, TIER, ACCOUNT"),
        ),
        ({"name": RECOVERY, "numbers": [1, 2, 3, 5, 4]}, "INVALID", "numbers", "5 ascending"),
    ):
        refused = await put(api, office.manager, **given)
        assert (refused.get("code"), refused.get("argument")) == (code, argument), given
        assert words in refused["message"], refused
    assert (await reset(api, office.manager))["code"] == "ALREADY_DONE"
    unknown = await api.ask(office.manager, READ, names=["nothing"])
    assert MANAGEMENT in unknown["errors"][0]["message"]
    listed = await api.data(office.manager, HISTORY)
    assert listed["parameterValues"]["nodes"] == []


async def test_who_may_set_and_read(api: Api, office: Office) -> None:
    relations = await relationship_manager(api, office)
    for token in (office.dispatcher, office.client):
        assert (await put(api, token, accountId=office.account))["code"] == "NOT_ALLOWED"
        assert (await reset(api, token, accountId=office.account))["code"] == "NOT_ALLOWED"
    for place in ({}, {"tier": "BASIC"}):
        assert (await put(api, relations, **place))["code"] == "NOT_ALLOWED"
    assert (await put(api, relations, accountId=office.account))["level"] == "ACCOUNT"
    assert (await found(api, relations, account=office.account))["source"] == "ACCOUNT"
    for token in (office.dispatcher, office.client):
        mine = await api.data(token, READ, account=office.account, names=[MANAGEMENT])
        assert mine["parameters"] == []
        history = await api.data(token, HISTORY, account=office.account)
        assert history["parameterValues"]["nodes"] == []


async def test_a_client_reads_the_pause_allowance_of_a_site_that_later_incidents_have(
    api: Api, office: Office
) -> None:
    before = await opened(api, office)
    name, site = "promises.pause_allowance", {"siteId": office.site}
    assert (await put(api, office.dispatcher, name, **site))["code"] == "NOT_ALLOWED"
    assert (await put(api, office.manager, name, numbers=[2], accountId=office.account))["id"]
    assert (await put(api, office.manager, name, numbers=[1], **site))["level"] == "SITE"
    after = await opened(api, office)
    assert [await paused_for(api, office, each) for each in (before, after)] == [72, 1]
    mine = await found(api, office.client, name, site=office.site)
    assert (mine["source"], mine["value"]["numbers"], mine["setting"]) == ("SITE", [1], None)
    every = await api.data(office.client, READ, site=office.site)
    shown = [each["name"] for each in every["parameters"]]
    assert [each for each in shown if not each.startswith(("kpis.", "evidence.", "reports."))] == [
        name
    ]
    assert "kpis.on_time_payment_target" not in shown


async def opened(api: Api, office: Office) -> str:
    given = {
        "siteId": office.site, "priority": "CRITICAL", "summary": "Alarm", "source": "GUARD",
        "reporter": "Desk",
    }  # fmt: skip
    answer = await api.data(office.dispatcher, OPEN, input=given)
    return str(answer["openIncident"]["id"])


async def paused_for(api: Api, office: Office, incident: str) -> float:
    """Pause an incident; how many hours it may last."""
    given = {"id": incident, "cause": "WAITING_ON_CLIENT"}
    paused = await api.data(office.dispatcher, PAUSE, input=given)
    [pause] = paused["pauseIncident"]["pauses"]
    cap, begin = (datetime.fromisoformat(pause[name]) for name in ("capAt", "fromAt"))
    return (cap - begin) / timedelta(hours=1)


async def test_another_companys_accounts_cannot_be_set_or_read(api: Api, office: Office) -> None:
    world = await build.client(api.make)
    account, site = ids.write("Account", world.account.id), ids.write("Site", world.site.id)
    for place in ({"accountId": account}, {"siteId": site}):
        assert (await put(api, office.manager, **place))["code"] == "NOT_FOUND"
    for where in ({"account": account}, {"site": site}, {"account": account, "site": office.site}):
        assert (await api.data(office.manager, READ, **where))["parameters"] == []


async def test_facts_hold_the_values_before_and_after(api: Api, office: Office) -> None:
    for hours in (2, 3):
        await put(api, office.manager, accountId=office.account, numbers=[hours])
    await reset(api, office.manager, accountId=office.account)
    await relay.number_all(api.make)
    kinds = ["parameter.set", "parameter.reset"]
    read = await api.data(office.manager, FACTS, kinds=kinds)
    bodies = [edge["node"]["body"] for edge in read["ledger"]["edges"]]
    values = [(body["before"], body["after"]) for body in bodies]
    two, three = ({"numbers": [hours], "unit": "hours"} for hours in (2, 3))
    assert sorted(values, key=str) == sorted(((None, two), (two, three), (three, None)), key=str)
    hidden = await api.data(office.client, FACTS, kinds=kinds)
    assert hidden["ledger"]["edges"] == []


@pytest.mark.parametrize("tier", ["BASIC", None])
async def test_a_list_of_accounts_costs_the_same_queries_whatever_its_length(
    api: Api, office: Office, tier: str | None
) -> None:
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        for n in range(120):
            await accounts.create_account(Tx(session, system, build.T0), name=f"Client {n}")
    await put(api, office.manager, accountId=office.account)
    await put(api, office.manager, tier=tier)
    counts = []
    for n in (3, 100):
        with SelectCounter(api) as counter:
            listed = await api.data(office.manager, LIST, n=n, names=[MANAGEMENT])
        nodes = listed["accounts"]["nodes"]
        sources = {each["source"] for node in nodes for each in node["parameters"]}
        assert len(nodes) == n
        assert sources <= {"TIER", "TENANT", "ACCOUNT"}
        counts.append(len(counter.statements))
    assert counts[0] == counts[1]
