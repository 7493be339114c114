"""Erasing and exporting people over the API: within the reach of who asks, and only confirmed references."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from domain import accounts, compensation, incidents, recovery
from domain.access import Actor, Role, Tx
from domain.accounts.model import User
from domain.agreements import Priority
from domain.compensation import Credit, CreditState
from domain.core.db import Sessions, transaction
from domain.core.erasable_text import ErasableText
from domain.core.ledger import LedgerRow
from domain.incidents.model import Incident, IncidentUpdate
from domain.privacy import ERASED
from schema.core import ids
from tests import build
from tests.api.asking import Api, Office
from tests.api.conftest import api, office
from tests.workers.conftest import Working

__all__ = ["api", "office"]
pytestmark = pytest.mark.anyio

ADD = """mutation($input: AddUserInput!) { addUser(input: $input) {
  ... on User { id } ... on Refusal { code message } } }"""
EXPORT = """mutation($id: ID!) { exportUser(input: {id: $id}) {
  ... on PersonalData { told } ... on Refusal { code message } } }"""
ERASE = """mutation($id: ID!, $mentions: [String!]) { eraseUser(input: {id: $id, mentions: $mentions}) {
  ... on User { id } ... on Refusal { code argument message } } }"""


async def added(api: Api, office: Office, name: str, role: str = "CLIENT_USER") -> str:
    """A user of the client's, added by the client's own admin."""
    given = {
        "name": name, "email": f"{name.replace(' ', '.').lower()}@client.example", "role": role,
        "accountIds": [office.account],
    }  # fmt: skip
    found: str = (await api.data(office.client, ADD, input=given))["addUser"]["id"]
    return found


async def neighbour(make: Sessions, office: Office, name: str) -> Incident:
    """An incident of another client of the same company in which the name occurs, in every kind of text."""
    world = office.world
    system = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        account = await accounts.create_account(
            Tx(session, system, build.T0), name=f"Datapoort {name}"
        )
        site = await accounts.add_site(Tx(session, system, build.T0), account.id, name="Poort")
        incident = await incidents.open_incident(
            Tx(session, system, build.T0),
            site_id=site.id,
            priority=Priority.HIGH,
            summary=f"Poort {name} staat open",
            source=incidents.Source.GUARD,
            reporter=name,
        )
        await incidents.update(Tx(session, system, build.T0), incident.id, body=f"Slot {name}")
        await incidents.reassign(Tx(session, system, build.T0), incident.id, to=f"To {name}")
    return incident


async def erased(make: Sessions, user: str) -> None:
    """Wait until the job has erased the user."""
    key = ids.wanted(user, "User", "id")
    async with asyncio.timeout(60):
        while True:
            async with make() as session:
                if (await session.get_one(User, key)).name == ERASED:
                    return
            await asyncio.sleep(0.05)


async def test_erasing_a_user_of_one_client_leaves_texts_of_other_clients_as_they_are(
    api: Api, office: Office, working: Working
) -> None:
    for name in ("zebra", "Zebra Poort Noord"):
        incident = await neighbour(api.make, office, name)
        own = await build.incident(
            api.make, office.world, summary=f"De {name} is hier", reporter=name
        )
        user = await added(api, office, name)
        answer = await api.data(office.client, ERASE, id=user, mentions=None)
        assert answer["eraseUser"] == {"id": user}
        async with working():
            await erased(api.make, user)
        async with api.make() as session:
            other = await session.get_one(Incident, incident.id)
            mine = await session.get_one(Incident, own.id)
            [said] = await session.scalars(
                select(IncidentUpdate.body).where(IncidentUpdate.incident_id == incident.id)
            )
            kept = await session.scalar(
                select(func.count()).where(ErasableText.subject_id == incident.id)
            )
            [fact] = await session.scalars(
                select(LedgerRow).where(
                    LedgerRow.kind == "person.erased",
                    LedgerRow.subject_id == ids.wanted(user, "User", "id"),
                )
            )
        assert (other.summary, other.reporter) == (f"Poort {name} staat open", name)
        assert (said, kept) == (f"Slot {name}", 1)
        assert mine.summary == f"De {name} is hier"  # nobody confirmed that this is the person
        assert (fact.body["texts"], fact.actor) == (0, "system:worker")


async def test_a_confirmed_mention_is_blacked_out_and_the_rest_is_not(
    api: Api, office: Office, working: Working
) -> None:
    name = "Anna van Vliet"
    first, second = [
        await build.incident(api.make, office.world, summary=f"{name} belde ({n})") for n in (1, 2)
    ]
    user = await added(api, office, name)
    told = (await api.data(office.manager, EXPORT, id=user))["exportUser"]["told"]
    places = {each["id"]: each["place"] for each in told["named_in"]}
    assert set(places) == {str(first.id), str(second.id)}
    await api.data(office.manager, ERASE, id=user, mentions=[places[str(first.id)]])
    async with working():
        await erased(api.make, user)
    async with api.make() as session:
        summaries = [(await session.get_one(Incident, each.id)).summary for each in (first, second)]
    assert summaries == [f"{ERASED} belde (1)", f"{name} belde (2)"]


async def test_a_client_may_not_black_out_what_the_company_wrote_nor_places_it_was_not_shown(
    api: Api, office: Office
) -> None:
    name = "Anna van Vliet"
    own = await build.incident(api.make, office.world, summary=f"{name} belde")
    theirs = await neighbour(api.make, office, name)
    user = await added(api, office, name)
    told = (await api.data(office.client, EXPORT, id=user))["exportUser"]["told"]
    [mention] = told["named_in"]
    assert (mention["id"], mention["erasable"]) == (str(own.id), False)
    for place in (mention["place"], f"incident.summary:{theirs.id}", "incident.summary:x", ""):
        answer = (await api.data(office.client, ERASE, id=user, mentions=[place]))["eraseUser"]
        assert (answer["code"], answer["argument"]) == ("INVALID", "mentions")


@pytest.mark.parametrize("name", ["de", "alarm", "sleutel", "a b", "op de"])
async def test_a_word_or_a_short_name_is_found_in_no_text(
    api: Api, office: Office, name: str
) -> None:
    await build.incident(api.make, office.world, summary=f"{name} op de post", reporter=name)
    user = await added(api, office, name)
    told = (await api.data(office.manager, EXPORT, id=user))["exportUser"]["told"]
    assert told["named_in"] == []


async def test_a_name_in_very_many_texts_is_not_taken_for_a_reference(
    api: Api, office: Office
) -> None:
    for n in range(101):
        await build.incident(api.make, office.world, summary=f"Storing hoofdingang {n}")
    user = await added(api, office, "Storing hoofdingang")
    told = (await api.data(office.manager, EXPORT, id=user))["exportUser"]["told"]
    assert (told["named_in"], told["named_in_complete"]) == ([], False)


async def test_an_export_shows_a_client_only_what_the_graph_shows_it(
    api: Api, office: Office
) -> None:
    name = "Anna van Vliet"
    incident = await build.incident(api.make, office.world, summary=f"{name} belde")
    await neighbour(api.make, office, name)
    async with transaction(api.make) as session:
        for body, visible in ((f"{name} was here", True), (f"INTERN: {name} slaapt", False)):
            await incidents.update(
                Tx(session, office.world.staff, build.T0),
                incident.id,
                body=body,
                client_visible=visible,
            )
    user = await added(api, office, name)

    async def shown(token: str) -> Any:
        return (await api.data(token, EXPORT, id=user))["exportUser"]["told"]

    to_client, to_manager = await shown(office.client), await shown(office.manager)
    assert sorted(each["text"] for each in to_client["named_in"]) == [
        f"{name} belde", f"{name} was here",
    ]  # fmt: skip
    assert f"INTERN: {name} slaapt" in {each["text"] for each in to_manager["named_in"]}
    assert "Datapoort" not in str(to_client)
    assert f"Slot {name}" not in str(to_client)
    assert {UUID(each) for each in to_client["accounts"]} == {office.world.account.id}


async def test_an_export_shows_a_client_no_text_that_the_graph_keeps_from_it(
    api: Api, office: Office
) -> None:
    name = "Anna van Vliet"
    incident = await build.incident(api.make, office.world)
    user = await added(api, office, name)
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        owner = await accounts.add_user(
            Tx(session, system, build.T0),
            email="o@guards.example",
            name="Owner",
            role=Role.RELATIONSHIP_MANAGER,
        )
        manager = Actor(system.tenant_id, owner.role, f"user:{owner.id}")
        await incidents.reassign(Tx(session, manager, build.T0), incident.id, to=f"{name}, nights")
        case = await recovery.open_case(
            Tx(session, manager, build.T0),
            incident.id,
            size=recovery.Size.SMALL,
            summary="Slow",
            owner_id=owner.id,
        )
        await recovery.take_step(
            Tx(session, manager, build.T0),
            case.id,
            kind=recovery.StepKind.APOLOGIZE,
            note=f"{name} shouts",
        )
        credit = await compensation.grant_goodwill(
            Tx(session, manager, build.T0), office.world.agreement.id, cents=100, reason="Sorry"
        )
        await session.execute(
            update(Credit)
            .where(Credit.id == credit.id)
            .values(
                state=CreditState.DECLINED,
                decision_by=manager.subject,
                decision_reason=f"{name} lied",
            )
        )
    private = {
        "disclosure.words": f"{name}, nights", "recovery_step.note": f"{name} shouts",
        "credit.decision_reason": f"{name} lied",
    }  # fmt: skip
    shown = {}
    for token in (office.client, office.manager):
        told = (await api.data(token, EXPORT, id=user))["exportUser"]["told"]
        shown[token] = {each["where"]: each["text"] for each in told["named_in"]}
        assert (name in str(told["facts"])) is False
    assert shown[office.client] == {}
    assert shown[office.manager] == private
