"""How places stand, asked once: for as many as there are in as many statements, and for nobody else."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain import accounts, positions
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from domain.positions import ReceivedFix
from schema.core import ids
from tests import build, guards
from tests.api.asking import Api, Office, SelectCounter
from tests.guards import LAT, LON, Guard

PRESENCE = "{ kind fromAt site { id } duty { number user { id } } }"
STATUS = f"""query ($a: ID!, $n: Int!) {{ accountStatus(accountId: $a) {{ siteCount
  sites(first: $n) {{ site {{ id name }} state onDuty {{ number site {{ name }} user {{ name }} }}
    inside {PRESENCE} absent {PRESENCE} silent {PRESENCE} }}
  roaming {{ duty {{ number }} inside {PRESENCE} silent {PRESENCE} }} }} }}"""


def ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


async def status(api: Api, token: str, account: str, first: int = 100) -> Any:
    return (await api.data(token, STATUS, a=account, n=first))["accountStatus"]


async def is_there(api: Api, guard: Guard) -> None:
    """The guard has been inside for a minute, and workers know."""
    readings = [ReceivedFix(ago(n), LAT, LON) for n in (1, 0.8, 0.5)]
    async with transaction(api.make) as session:
        await positions.report(Tx(session, guard.actor, ago(0)), guard.device.id, readings)
    await judged(api, guard)


async def judged(api: Api, guard: Guard) -> None:
    async with transaction(api.make) as session:
        assert await positions.judge(session, guard.duty.id, at=ago(0))


async def test_a_dozen_places_take_as_many_statements_as_one(api: Api, office: Office) -> None:
    counted, told = {}, {}
    for many in (1, 12):
        for n in range(1 if many == 1 else 11):
            guard = await guards.on_duty(api.make, office.world)
            await (is_there(api, guard) if n % 2 == 0 else judged(api, guard))
        with SelectCounter(api) as counter:
            told = await status(api, office.dispatcher, office.account)
        counted[many] = len(counter.statements)
        assert (told["siteCount"], len(told["sites"])) == (many, many)
    # The ledger's place, the account, duties, places, presences; the presences' duties, their guards, their places.
    assert counted[1] == counted[12] <= 8
    assert {each["state"] for each in told["sites"]} == {"COVERED", "ABSENT"}


async def test_places_come_by_name_and_are_counted_beyond_those_that_are_listed(
    api: Api, office: Office
) -> None:
    for _ in range(3):
        await guards.on_duty(api.make, office.world)
    told = await status(api, office.client, office.account, first=2)
    whole = await status(api, office.client, office.account)
    names = [each["site"]["name"] for each in whole["sites"]]
    assert names == sorted(names)
    assert (told["siteCount"], told["sites"]) == (3, whole["sites"][:2])
    refused = await api.ask(office.client, STATUS, a=office.account, n=501)
    assert refused["errors"][0]["extensions"]["code"] == "INVALID"


async def test_five_hundred_places_cost_five_times_as_much_however_they_are_asked_for(
    api: Api, office: Office
) -> None:
    shown = "{ accountStatus(accountId: $a) { sites(first: %s) { state onDuty { number } } } }"
    asked = [
        ("query ($a: ID!)", "100", {}),
        ("query ($a: ID!)", "500", {}),
        ("query ($a: ID!, $n: Int!)", "$n", {"n": 500}),
        ("query ($a: ID!, $n: Int! = 500)", "$n", {}),
    ]
    costs = []
    for head, size, given in asked:
        answer = await api.ask(office.client, f"{head} {shown % size}", a=office.account, **given)
        costs.append(answer["extensions"]["cost"] - 2)
    assert costs == [costs[0], *[5 * costs[0]] * 3]


async def test_a_place_without_fence_is_told_of_while_somebody_is_on_duty_there(
    api: Api, office: Office
) -> None:
    site = office.world.site
    past = await guards.on_duty(
        api.make, office.world, site=site, from_at=ago(90), until_at=ago(1)
    )  # ended by nobody yet
    future = await guards.on_duty(api.make, office.world, site=site, from_at=ago(-5))
    assert (await status(api, office.client, office.account))["sites"] == []
    now = await guards.on_duty(api.make, office.world, site=site)
    [place] = (await status(api, office.client, office.account))["sites"]
    assert (place["site"]["name"], place["state"]) == (site.name, "UNPROVEN")
    assert [each["number"] for each in place["onDuty"]] == [now.duty.number]
    assert now.duty.number not in {past.duty.number, future.duty.number}


async def test_who_goes_round_is_told_of_apart_and_where_the_guard_is(
    api: Api, office: Office
) -> None:
    other = await guards.on_duty(api.make, office.world, from_at=ago(2))
    roaming = await guards.on_duty(api.make, office.world, site=other.site, at_site=False)
    await is_there(api, roaming)
    told = await status(api, office.client, office.account)
    [guard], [place] = told["roaming"], told["sites"]
    assert guard["duty"] == {"number": roaming.duty.number}
    assert [each["site"]["id"] for each in guard["inside"]] == [place["site"]["id"]]
    assert [each["duty"]["number"] for each in place["inside"]] == [roaming.duty.number]
    assert [each["number"] for each in place["onDuty"]] == [other.duty.number]
    assert place["state"] == "EXPECTED"


async def test_clients_are_told_of_their_own_places_by_number_and_never_of_silence(
    api: Api, office: Office
) -> None:
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        account = await accounts.create_account(Tx(session, system, build.T0), name="Buren")
        site = await accounts.add_site(
            Tx(session, system, build.T0), account.id, name="Hiernaast", lat=LAT, lon=LON
        )
        site = await positions.draw_fence(Tx(session, system, build.T0), site.id, radius_m=50)
        user = await accounts.add_user(
            Tx(session, system, build.T0),
            email="buur@example.org",
            name="Buur",
            role=Role.CLIENT_USER,
            accounts=[account.id],
        )
    guard = await guards.on_duty(api.make, office.world)
    roaming = await guards.on_duty(api.make, office.world, site=guard.site, at_site=False)
    for each in (guard, roaming):
        await judged(api, each)
    mine = await status(api, office.client, office.account)
    ours = await status(api, office.dispatcher, office.account)
    neighbour = api.token(user.id)
    theirs = await status(api, neighbour, ids.write("Account", account.id))
    assert await status(api, neighbour, office.account) is None
    assert [each["site"]["name"] for each in theirs["sites"]] == ["Hiernaast"]
    assert [each["site"]["name"] for each in mine["sites"]] == [guard.site.name]
    assert mine["sites"][0]["onDuty"] == [
        {"number": guard.duty.number, "site": {"name": guard.site.name}, "user": None}
    ]
    for field in ("sites", "roaming"):
        [told], [whole] = mine[field], ours[field]
        assert told["silent"] is None
        assert [each["kind"] for each in whole["silent"]] == ["SILENCE"]
    assert mine["sites"][0]["state"] == ours["sites"][0]["state"] == "ABSENT"
