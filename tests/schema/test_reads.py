"""Reading: constant numbers of statements, pages that fit together, and rows of others that do not exist."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from strawberry.dataloader import DataLoader

from domain import incidents
from domain.access import Tx
from domain.agreements import Priority
from domain.core.db import transaction
from schema.core import ids, loaders
from tests import build
from tests.api import asking
from tests.api.asking import Api, Office, SelectCounter

TICKETS = """query ($first: Int!) { incidents(first: $first) { nodes {
  id summary account { name } promises { name state dueAt elapsedSeconds remainingSeconds }
  updates(last: 3) { body at } } } }"""
PAGE = """query ($account: ID, $first: Int, $after: String, $last: Int, $before: String) {
  incidents(accountId: $account, first: $first, after: $after, last: $last, before: $before) {
    nodes { id } edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


def uuid_of(text: str) -> UUID:
    found = ids.read(text)
    assert found is not None
    return found[1]


async def fill(api: Api, office: Office, count: int) -> list[str]:
    """Open tickets, newest last; two of them at each instant, so that ties are met. Their ids, newest first."""
    rows = [
        await build.incident(api.make, office.world, at=build.T0 + timedelta(minutes=n // 2))
        for n in range(count)
    ]
    rows.sort(key=lambda row: (row.opened_at, row.id), reverse=True)
    return [ids.write("Incident", row.id) for row in rows]


async def test_fifty_tickets_with_account_promises_and_updates_take_as_many_statements_as_five(
    api: Api, office: Office
) -> None:
    await fill(api, office, 50)
    for row in (await api.data(office.dispatcher, TICKETS, first=3))["incidents"]["nodes"]:
        async with transaction(api.make) as session:
            for n in range(4):
                await incidents.update(
                    Tx(session, office.world.staff, build.T0 + timedelta(hours=1 + n)),
                    uuid_of(row["id"]),
                    body=f"{n}",
                )
    counted, data = {}, {}
    for first in (5, 50):
        with SelectCounter(api) as counter:
            data = await api.data(office.dispatcher, TICKETS, first=first)
        assert len(data["incidents"]["nodes"]) == first
        counted[first] = len(counter.statements)
    # tickets, accounts, promises, updates; calendars and terms never change and are known by now
    assert counted == {5: 4, 50: 4}
    newest = data["incidents"]["nodes"][0]
    assert [update["body"] for update in newest["updates"]] == ["3", "2", "1"]


async def test_a_request_makes_only_the_loaders_of_the_relations_that_it_reads(
    api: Api, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(api, office, 3)
    made: list[Any] = []

    class Counted(DataLoader[Any, Any]):
        def __init__(self, *given: Any, **named: Any) -> None:
            made.append(self)
            super().__init__(*given, **named)

    monkeypatch.setattr(loaders, "DataLoader", Counted)
    data = await api.data(office.dispatcher, TICKETS, first=3)
    assert len(data["incidents"]["nodes"]) == 3
    assert len(made) == 1, "accounts; promises and updates are read for all incidents at once"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
async def test_pages_forward_and_backward_hold_every_row_once_in_order(
    api: Api, office: Office, size: int
) -> None:
    wanted = await fill(api, office, 7)
    forward, after = [], None
    while True:
        page = await one_page(api, office, first=size, after=after)
        forward += [node["id"] for node in page["nodes"]]
        assert [edge["node"] for edge in page["edges"]] == page["nodes"]
        assert page["pageInfo"]["hasPreviousPage"] == (after is not None)
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert forward == wanted
    backward: list[str] = []
    before = None
    while True:
        page = await one_page(api, office, last=size, before=before)
        backward = [node["id"] for node in page["nodes"]] + backward
        if not page["pageInfo"]["hasPreviousPage"]:
            break
        before = page["pageInfo"]["startCursor"]
    assert backward == wanted


async def one_page(api: Api, office: Office, **window: Any) -> dict[str, Any]:
    data = await api.data(office.client, PAGE, account=office.account, **window)
    page: dict[str, Any] = data["incidents"]
    return page


async def test_rows_that_come_while_one_pages_neither_shift_nor_repeat_what_follows(
    api: Api, office: Office
) -> None:
    wanted = await fill(api, office, 6)
    page = await one_page(api, office, first=3)
    await build.incident(api.make, office.world, at=build.T0 + timedelta(days=1))
    rest = await one_page(api, office, first=10, after=page["pageInfo"]["endCursor"])
    assert [node["id"] for node in page["nodes"] + rest["nodes"]] == wanted


@pytest.mark.parametrize(
    ("window", "code"),
    [
        ({"first": 101}, "INVALID"),
        ({"first": -1}, "INVALID"),
        ({"first": 2, "last": 2}, "INVALID"),
        ({"after": "nonsense"}, "CURSOR_INVALID"),
        ({"after": "a" * 5000}, "CURSOR_INVALID"),
        ({"before": "ééé"}, "CURSOR_INVALID"),
    ],
)
async def test_pages_that_cannot_be_are_told_so(
    api: Api, office: Office, window: dict[str, Any], code: str
) -> None:
    answer = await api.ask(office.client, PAGE, **window)
    assert answer["errors"][0]["extensions"]["code"] == code


async def test_a_cursor_is_good_for_its_own_list_and_company_only(api: Api, office: Office) -> None:
    await fill(api, office, 2)
    cursor = (await one_page(api, office, first=1))["pageInfo"]["endCursor"]
    other_list = "query ($after: String) { accounts(after: $after) { nodes { id } } }"
    answer = await api.ask(office.dispatcher, other_list, after=cursor)
    assert answer["errors"][0]["extensions"]["code"] == "CURSOR_INVALID"
    stranger = await asking.office(api)
    answer = await api.ask(stranger.dispatcher, PAGE, after=cursor)
    assert answer["errors"][0]["extensions"]["code"] == "CURSOR_INVALID"


async def test_a_page_of_nothing_has_no_cursors(api: Api, office: Office) -> None:
    page = await one_page(api, office, first=0)
    assert page["nodes"] == []
    assert page["pageInfo"]["startCursor"] is None


async def test_filters_say_what_they_mean(api: Api, office: Office) -> None:
    await fill(api, office, 3)
    old = build.T0 - timedelta(days=30)
    quiet = await build.incident(api.make, office.world, priority=Priority.LOW, at=old)
    find = """query ($priorities: [Priority!], $statuses: [IncidentStatus!], $before: DateTime, $site: ID) {
      incidents(priorities: $priorities, statuses: $statuses, openedBefore: $before, siteId: $site) {
        nodes { id } } }"""
    wanted = [{"id": ids.write("Incident", quiet.id)}]
    for given, expected in (
        ({"priorities": ["LOW"]}, wanted),
        ({"before": "2026-02-20T00:00:00Z", "site": office.site}, wanted),
        ({"statuses": ["CLOSED"]}, []),
        ({"priorities": []}, []),
        ({"site": office.account}, []),
    ):
        data = await api.data(office.client, find, **given)
        assert data["incidents"]["nodes"] == expected, given


async def test_rows_of_another_company_or_client_do_not_exist(api: Api, office: Office) -> None:
    [incident] = await fill(api, office, 1)
    stranger = await asking.office(api)
    agreement = ids.write("Agreement", office.world.agreement.id)
    tenant = ids.write("Tenant", office.world.tenant.id)
    contact = ids.write("Contact", office.world.contacts[0].id)
    user = ids.write("User", office.world.client_user.id)
    version = office.calendar
    for wanted in (
        incident,
        office.account,
        office.site,
        agreement,
        tenant,
        contact,
        user,
        version,
    ):
        node = "query ($id: ID!) { node(id: $id) { id } }"
        assert (await api.data(office.manager, node, id=wanted))["node"] == {"id": wanted}
        for token in (stranger.manager, stranger.client):
            assert (await api.data(token, node, id=wanted))["node"] is None, ids.read(wanted)
    lists = """query ($account: ID) { incidents(accountId: $account) { nodes { id } }
      promises(accountId: $account) { nodes { id } } sites(accountId: $account) { nodes { id } }
      agreements(accountId: $account) { nodes { id } } credits(accountId: $account) { nodes { id } }
      messages(accountId: $account) { nodes { id } } ledger(accountId: $account) { nodes { kind } } }"""
    data = await api.data(stranger.manager, lists, account=office.account)
    assert [page["nodes"] for page in data.values()] == [[]] * 7


@pytest.mark.parametrize("nonsense", ["", "x", "SW5jaWRlbnQ6", "Tm9uZTpub25l", "ü"])
async def test_an_id_that_is_none_finds_nothing(api: Api, office: Office, nonsense: str) -> None:
    data = await api.data(
        office.client,
        "query ($id: ID!) { node(id: $id) { id } incident(id: $id) { id } account(id: $id) { id } }",
        id=nonsense,
    )
    assert data == {"node": None, "incident": None, "account": None}


async def test_an_id_that_is_no_text_is_refused_by_its_name(api: Api, office: Office) -> None:
    answer = await api.ask(office.client, "query ($id: ID!) { node(id: $id) { id } }", id="\0")
    assert answer["errors"][0]["extensions"]["argument"] == "id"
    assert answer["data"] == {"node": None}


async def test_clients_see_no_internal_objectives_remarks_or_notes(
    api: Api, office: Office
) -> None:
    [incident] = await fill(api, office, 1)
    staff = office.world.staff
    row_id = uuid_of(incident)
    async with transaction(api.make) as session:
        for n, visible in enumerate((True, False)):
            await incidents.update(
                Tx(session, staff, build.T0 + timedelta(minutes=5 + n)),
                row_id,
                body=f"visible {visible}",
                client_visible=visible,
            )
    see = """query ($id: ID!) { incident(id: $id) { updates { body } promises { name internal decidingFacts { kind } }
        account { stage strategicImportance contacts { decisionPower culturalNotes } agreements { terms {
          promises { name internal } } } } }
      ledger(first: 100) { nodes { kind body } } apiKeys { nodes { id } } }"""
    theirs = await api.data(office.client, see, id=incident)
    ours = await api.data(office.manager, see, id=incident)
    assert [u["body"] for u in theirs["incident"]["updates"]] == ["visible True"]
    assert len(ours["incident"]["updates"]) == 2
    assert "resolution_objective" in {p["name"] for p in ours["incident"]["promises"]}
    assert not any(p["internal"] for p in theirs["incident"]["promises"])
    terms = theirs["incident"]["account"]["agreements"][0]["terms"][0]["promises"]
    assert terms
    assert not any(p["internal"] for p in terms)
    assert theirs["incident"]["account"]["stage"] is None
    assert ours["incident"]["account"]["stage"] is not None
    assert theirs["incident"]["account"]["contacts"][0] == {
        "decisionPower": None,
        "culturalNotes": None,
    }


async def test_the_deciding_facts_of_a_verdict_are_told(api: Api, office: Office) -> None:
    [incident] = await fill(api, office, 1)
    row_id = uuid_of(incident)
    async with transaction(api.make) as session:
        await incidents.acknowledge(
            Tx(session, office.world.staff, build.T0 + timedelta(minutes=20)), row_id
        )
    see = """query ($id: ID!) { incident(id: $id) { promises { name verdict state targetSeconds elapsedSeconds
        remainingSeconds decidedAt dueAt decidingFacts { kind at actor subjectId body } } } }"""
    promises = (await api.data(office.client, see, id=incident))["incident"]["promises"]
    [response] = [p for p in promises if p["name"] == "first_response"]
    assert (response["verdict"], response["state"]) == ("LATE", "LATE")
    assert (response["targetSeconds"], response["elapsedSeconds"]) == (900, 1200)
    assert response["remainingSeconds"] == -300
    kinds = [fact["kind"] for fact in response["decidingFacts"]]
    assert kinds[:2] == ["incident.opened", "incident.acknowledged"]
    assert "promise.breached" in kinds
    assert response["decidingFacts"][0]["subjectId"] == incident


async def test_who_asks_is_told(api: Api, office: Office) -> None:
    data = await api.data(
        office.client, "{ viewer { role reachesAllAccounts tenant { name } user { email role } } }"
    )
    assert data["viewer"] == {
        "role": "CLIENT_ADMIN",
        "reachesAllAccounts": False,
        "tenant": {"name": office.world.tenant.name},
        "user": {"email": office.world.client_user.email, "role": "CLIENT_ADMIN"},
    }


async def test_an_instant_needs_an_offset_and_a_long_needs_53_bits(
    api: Api, office: Office
) -> None:
    find = "query ($at: DateTime) { incidents(openedFrom: $at) { nodes { id } } }"
    for nonsense in ("2026-01-01T00:00:00", "yesterday", 5, "0001-01-01T00:00:00+14:00"):
        answer = await api.ask(office.client, find, at=nonsense)
        assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST", nonsense
    create = """mutation ($cents: Long) { createAccount(input: {name: "Big", yearlyRevenueCents: $cents}) {
        ... on Account { yearlyRevenueCents } } }"""
    data = await api.data(office.manager, create, cents=10**12)
    assert data["createAccount"] == {"yearlyRevenueCents": 10**12}
    answer = await api.ask(office.manager, create, cents=2**53)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
