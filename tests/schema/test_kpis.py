"""KPIs through the API: values with targets that change, facts behind them, and for whom they are."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain import accounts, incidents
from domain.access import Actor, Role, Tx
from domain.agreements import Priority, TicketKind
from domain.core.db import transaction
from schema.core import ids
from tests import build
from tests.api import asking
from tests.api.asking import Api, Office, SelectCounter

pytestmark = pytest.mark.anyio

KPIS = """query ($account: ID, $site: ID, $segment: Segment, $tier: ServiceTier, $window: Window! = LAST_7D,
  $keys: [KpiKey!], $at: DateTime) {
  kpis(accountId: $account, siteId: $site, segment: $segment, tier: $tier, window: $window, keys: $keys, at: $at) {
    definition { key name text unit comparator formulaVersion nMin }
    window fromAt untilAt endsAt numerator denominator n value low high median target floor status band trend
    previousValue previousN factsCursor } }"""
FACTS = """query ($after: String!, $first: Int! = 50) { kpiFacts(after: $after, first: $first) {
  next facts { kind subjectId at n numerator denominator } } }"""
CATALOGUE = "{ kpiCatalogue { key name text source measure unit comparator nMin target floor formulaVersion } }"
SET = """mutation ($input: SetParameterInput!) { setParameter(input: $input) {
  ... on ParameterValue { validFrom } ... on Refusal { code message argument } } }"""
HOURS = (1, 2, 3, 4, 9)


@pytest.fixture
async def begin(api: Api, office: Office) -> datetime:
    """When five incidents were opened, resolved after 1, 2, 3, 4 and 9 hours; the last two were reopened before."""
    at = api.state.now() - timedelta(days=1)
    for number, hours in enumerate(HOURS):
        row = await build.incident(
            api.make, office.world, at=at, priority=Priority.LOW, kind=TicketKind.INQUIRY
        )
        async with transaction(api.make) as session:
            tx = Tx(session, office.world.staff, at + timedelta(minutes=30))
            await incidents.acknowledge(tx, row.id)
            if number > 2:
                early = tx.as_of(at + timedelta(minutes=31))
                await incidents.resolve(early, row.id, resolution="Done")
                await incidents.reopen(
                    tx.as_of(at + timedelta(minutes=32)), row.id, reason="Not yet"
                )
            await incidents.resolve(
                tx.as_of(at + timedelta(hours=hours)), row.id, resolution="Done"
            )
    return at


async def values(api: Api, token: str, **asked: Any) -> dict[str, Any]:
    """KPIs by key."""
    found = (await api.data(token, KPIS, **asked))["kpis"]
    return {each["definition"]["key"]: each for each in found}


async def refusal(api: Api, token: str, query: str, **asked: Any) -> tuple[str, str | None]:
    """The code of the only error of a query, and the argument that it names."""
    [error] = (await api.ask(token, query, **asked))["errors"]
    return error["extensions"]["code"], error["extensions"].get("argument")


async def test_values_have_n_target_status_median_and_the_facts_behind_them(
    api: Api, office: Office, begin: datetime
) -> None:
    cursor: str | None = None
    for scope in (
        {"account": office.account}, {"site": office.site}, {"segment": "MID_MARKET"},
        {"tier": "BASIC"}, {},
    ):  # fmt: skip
        found = await values(api, office.manager, **scope)
        time = found["RESOLUTION_TIME"]
        assert (time["n"], time["value"], time["median"]) == (5, 3.8 * 3_600, 3 * 3_600)
        assert (time["numerator"], time["denominator"]) == (19 * 3_600_000_000, 5)
        assert (time["target"], time["status"], time["trend"]) == (4 * 3_600, "MET", None)
        first = found["FIRST_CONTACT_RESOLUTION"]
        assert (first["numerator"], first["denominator"], first["status"]) == (3, 5, "MISSED")
        assert first["low"] < 60 < first["high"]
        cursor = first["factsCursor"]
        assert (first["value"], first["band"]) == (60, "GOOD")
        assert found["REOPENED"]["value"] == 40
        assert found["REOPENED"]["status"] == "NO_TARGET"
        assert (found["INQUIRIES"]["value"], found["COMPLAINTS"]["value"]) == (5, 0)
        csat = found["CSAT"]
        assert (csat["value"], csat["status"], csat["target"], csat["floor"]) == (
            None, "NO_DATA", 90, 85,
        )  # fmt: skip
    listed, after = [], cursor
    assert after is not None
    while after is not None:
        page = (await api.data(office.manager, FACTS, after=after, first=2))["kpiFacts"]
        listed += page["facts"]
        after = page["next"]
    assert [each["numerator"] for each in listed] == [1, 1, 1, 0, 0]
    assert all(ids.known(each["subjectId"], "Incident") for each in listed)
    node = """query ($id: ID!) { node(id: $id) { ... on Incident { summary } } }"""
    seen = await api.data(office.manager, node, id=listed[0]["subjectId"])
    assert seen["node"]["summary"] == "Broken window"


async def test_a_target_applies_from_its_instant_on_at_its_level(
    api: Api, office: Office, begin: datetime
) -> None:
    async def given(hours: int, **place: Any) -> None:
        chosen = {"name": "kpis.resolution_time_target", "numbers": [hours], "unit": "HOURS"}
        answer = (await api.data(office.manager, SET, input=chosen | place))["setParameter"]
        assert "validFrom" in answer, answer

    async def target(**asked: Any) -> tuple[float, str]:
        found = await values(api, office.manager, keys=["RESOLUTION_TIME"], **asked)
        return found["RESOLUTION_TIME"]["target"] / 3_600, found["RESOLUTION_TIME"]["status"]

    await given(8)
    await given(6, tier="BASIC")
    await given(3, accountId=office.account)
    await given(2, siteId=office.site)
    assert await target() == (8, "MET")
    assert await target(segment="MID_MARKET") == (8, "MET")
    assert await target(tier="BASIC") == (6, "MET")
    assert await target(tier="PREMIUM") == (8, "NO_DATA")
    assert await target(account=office.account) == (3, "MISSED")
    assert await target(site=office.site) == (2, "MISSED")
    # A window that ended before keeps the target of its end.
    before = (begin - timedelta(days=40)).isoformat()
    assert await target(account=office.account, at=before, window="MONTH") == (4, "NO_DATA")


async def test_a_role_reads_what_its_rights_say(api: Api, office: Office, begin: datetime) -> None:
    every = await values(api, office.manager)
    assert "CREDITS_SHARE" in every
    own = await values(api, office.client)
    assert set(every) - set(own) == {
        "CREDITS_SHARE", "ON_TIME_PAYMENT", "SURVEY_RESPONSE_RATE", "STATUS_GREENER",
    }  # fmt: skip
    assert own["RESOLUTION_TIME"]["n"] == 5
    catalogue = (await api.data(office.client, CATALOGUE))["kpiCatalogue"]
    assert {each["key"] for each in catalogue} == set(own)
    dispatcher = await values(api, office.dispatcher)
    assert set(every) - set(dispatcher) == {
        "CREDITS_SHARE", "ON_TIME_PAYMENT", "BILLING_ACCURACY",
    }  # fmt: skip
    assert await refusal(api, office.client, KPIS, keys=["CREDITS_SHARE"]) == (
        "NOT_ALLOWED", "keys",
    )  # fmt: skip
    facts = own["RESOLUTION_TIME"]["factsCursor"]
    assert len((await api.data(office.client, FACTS, after=facts))["kpiFacts"]["facts"]) == 5
    # The answers of a client's colleagues are not listed one by one.
    answers = own["NPS"]["factsCursor"]
    assert (await refusal(api, office.client, FACTS, after=answers))[0] == "NOT_ALLOWED"
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), build.T0)
        guard = await accounts.add_user(tx, email="g@example.org", name="G", role=Role.GUARD)
    assert await values(api, api.token(guard.id)) == {}
    assert (await api.data(api.token(guard.id), CATALOGUE))["kpiCatalogue"] == []
    assert (await refusal(api, api.token(guard.id), FACTS, after=facts))[0] == "FORBIDDEN"


async def test_another_company_or_client_reads_nothing(
    api: Api, office: Office, begin: datetime
) -> None:
    stranger = await asking.office(api)
    assert await values(api, stranger.manager, account=office.account) == {}
    assert await values(api, stranger.manager, site=office.site) == {}
    assert (await values(api, stranger.manager))["INCIDENTS"]["value"] == 0
    cursor = (await values(api, office.manager))["INCIDENTS"]["factsCursor"]
    assert (await refusal(api, stranger.manager, FACTS, after=cursor))[0] == "CURSOR_INVALID"
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), build.T0)
        other = await accounts.create_account(tx, name="Other")
        user = await accounts.add_user(
            tx, email="o@example.org", name="O", role=Role.CLIENT_USER, accounts=[other.id]
        )
    token = api.token(user.id)
    assert await values(api, token, account=office.account) == {}
    assert (await values(api, token))["INCIDENTS"]["value"] == 0
    # A cursor of the company's, in the hands of another client, lists nothing.
    assert (await api.data(token, FACTS, after=cursor))["kpiFacts"] == {"next": None, "facts": []}


async def test_scopes_exclude_each_other_and_pages_have_a_size(api: Api, office: Office) -> None:
    both = {"account": office.account, "tier": "BASIC"}
    assert await refusal(api, office.manager, KPIS, **both) == ("INVALID", "tier")
    cursor = (await values(api, office.manager))["INCIDENTS"]["factsCursor"]
    for first in (0, 101):
        assert await refusal(api, office.manager, FACTS, after=cursor, first=first) == (
            "INVALID", "first",
        )  # fmt: skip
    assert (await refusal(api, office.manager, FACTS, after="x"))[0] == "CURSOR_INVALID"


async def test_all_kpis_cost_as_many_selects_as_one(api: Api, office: Office) -> None:
    async def selects(**asked: Any) -> int:
        with SelectCounter(api) as counter:
            await api.data(office.manager, KPIS, account=office.account, **asked)
        return len(counter.statements)

    one, every = await selects(keys=["NPS"]), await selects()
    assert one == every
