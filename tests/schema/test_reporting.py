"""Who reports an incident says what happened; it promises nothing for the company and blocks nobody."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from domain import accounts
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from domain.incidents.opening import sender_of
from schema.core import ids
from tests import build, guards
from tests.api import asking
from tests.api.asking import Api, Office

pytestmark = pytest.mark.anyio

OPEN = """mutation ($input: OpenIncidentInput!) { openIncident(input: $input) {
  __typename ... on Incident { id number reporter source externalId agreedAt }
  ... on Refusal { code argument message existingId } } }"""


async def key(api: Api, office: Office, *, everything: bool = False) -> str:
    """An API key of a partner, limited to the client unless it reaches `everything`."""
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        _, text = await accounts.issue_api_key(
            Tx(session, system, build.T0),
            name="Alarm centre",
            accounts=None if everything else [office.world.account.id],
            all_accounts=everything,
        )
    return text


async def user(api: Api, office: Office, role: Role) -> str:
    """A token of a new user of this role; a guard is on duty at the client's site."""
    if role is Role.GUARD:
        on_duty = await guards.on_duty(api.make, office.world, site=office.world.site)
        return api.token(on_duty.user.id)
    system = Actor.system(office.world.tenant.id, "test")
    reach = [office.world.account.id] if role is Role.CLIENT_USER else []
    async with transaction(api.make) as session:
        row = await accounts.add_user(
            Tx(session, system, build.T0),
            email=f"{role}@people.example",
            name=f"Real {role}",
            role=role,
            accounts=reach,
        )
    return api.token(row.id)


async def second_site(api: Api, office: Office) -> str:
    """A site of another client of the same company."""
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        account = await accounts.create_account(Tx(session, system, build.T0), name="Datapoort")
        site = await accounts.add_site(Tx(session, system, build.T0), account.id, name="Poort")
    return ids.write("Site", site.id)


async def opened(api: Api, token: str, site: str, **given: Any) -> dict[str, Any]:
    """What opening an incident answers."""
    values = {
        "siteId": site, "priority": "CRITICAL", "summary": "Alarm", "source": "CLIENT",
        "reporter": "Meldkamer",
    } | given  # fmt: skip
    answer: dict[str, Any] = (await api.data(token, OPEN, input=values))["openIncident"]
    return answer


@pytest.mark.parametrize("role", [Role.CLIENT_USER, Role.GUARD])
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("agreedAt", "2030-01-01T00:00:00Z"),
        ("source", "ALARM_CENTRE"),
        ("source", "SYSTEM"),
        ("externalSource", "PAC"),
        ("externalId", "100002"),
    ],
)
async def test_who_only_reports_promises_nothing_and_speaks_for_nobody_else(
    api: Api, office: Office, role: Role, argument: str, value: str
) -> None:
    token = await user(api, office, role)
    own = {"source": "GUARD" if role is Role.GUARD else "CLIENT"}
    answer = await opened(api, token, office.site, **own | {argument: value})
    assert (answer.get("code"), answer.get("argument")) == ("NOT_ALLOWED", argument), answer


async def test_a_partner_agrees_no_date_for_the_company_and_reports_as_what_it_is(
    api: Api, office: Office
) -> None:
    partner = await key(api, office)
    date = await opened(
        api, partner, office.site, source="ALARM_CENTRE", agreedAt="2030-01-01T00:00:00Z"
    )
    client = await opened(api, partner, office.site, source="CLIENT")
    assert (date["code"], date["argument"]) == ("NOT_ALLOWED", "agreedAt")
    assert (client["code"], client["argument"]) == ("NOT_ALLOWED", "source")


async def test_a_dispatcher_agrees_a_date_and_says_where_a_report_came_from(
    api: Api, office: Office
) -> None:
    answer = await opened(
        api, office.dispatcher, office.site, source="ALARM_CENTRE",
        agreedAt="2027-01-01T00:00:00Z",
    )  # fmt: skip
    assert (answer["source"], answer["reporter"]) == ("ALARM_CENTRE", "Meldkamer")
    assert answer["agreedAt"] == "2027-01-01T00:00:00Z"


async def test_client_users_and_guards_report_under_their_own_name(
    api: Api, office: Office
) -> None:
    for role, source in ((Role.CLIENT_USER, "CLIENT"), (Role.GUARD, "GUARD")):
        answer = await opened(api, await user(api, office, role), office.site, source=source)
        assert answer["reporter"] == ("Guard" if role is Role.GUARD else f"Real {role}")


async def test_a_number_is_its_senders_and_its_clients_own(api: Api, office: Office) -> None:
    alarm, other = await key(api, office, everything=True), await key(api, office)
    number = {"source": "ALARM_CENTRE", "externalSource": "PAC", "externalId": "100002"}
    elsewhere = await second_site(api, office)
    first = await opened(api, alarm, office.site, **number)
    answers = [
        await opened(api, other, office.site, **number),  # another sender
        await opened(api, alarm, elsewhere, **number),  # another client
        await opened(api, office.dispatcher, office.site, **number),  # typed in by the company
    ]
    again = await opened(api, alarm, office.site, **number)
    assert {each["__typename"] for each in (first, *answers)} == {"Incident"}
    assert len({each["id"] for each in (first, *answers)}) == 4
    assert (again["code"], again["argument"]) == ("ALREADY_EXISTS", "externalId")
    assert again["existingId"] == first["id"]


async def test_a_number_sent_many_times_at_once_is_one_incident(api: Api, office: Office) -> None:
    alarm = await key(api, office)
    for number in (
        {"externalSource": "PAC", "externalId": "7"},
        {"externalId": "7"},  # also without a source
    ):
        answers = await asyncio.gather(
            *(opened(api, alarm, office.site, source="PARTNER", **number) for _ in range(8))
        )
        assert len({each.get("id") or each["existingId"] for each in answers}) == 1
        assert sorted(each["__typename"] for each in answers) == ["Incident"] + ["Refusal"] * 7


async def test_a_client_user_opens_so_many_incidents_and_then_has_to_call(
    api: Api, office: Office
) -> None:
    limit = api.state.settings.incidents_per_client_user
    answers = await asyncio.gather(
        *(opened(api, office.client, office.site) for _ in range(limit + 3))
    )
    refused = [each for each in answers if each["__typename"] == "Refusal"]
    assert [each["code"] for each in refused] == ["TOO_MANY"] * 3
    colleague = await opened(api, await user(api, office, Role.CLIENT_USER), office.site)
    dispatcher = await opened(api, office.dispatcher, office.site, source="CLIENT")
    assert {colleague["__typename"], dispatcher["__typename"]} == {"Incident"}


async def test_incidents_are_numbered_per_company(api: Api, office: Office) -> None:
    stranger = await asking.office(api)
    for each in (office, stranger):
        numbers = [
            (await opened(api, each.dispatcher, each.site, source="GUARD"))["number"]
            for _ in range(2)
        ]
        assert numbers == ["INC-000001", "INC-000002"]


def test_a_key_has_numbers_of_its_own_and_colleagues_share_theirs() -> None:
    tenant = uuid4()
    assert sender_of(Actor(tenant, Role.PARTNER, "key:1")) == "key:1"
    assert {sender_of(Actor(tenant, Role.DISPATCHER, f"user:{each}")) for each in "ab"} == {"staff"}
