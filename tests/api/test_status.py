"""How a client stands, followed: what was told last is what is asked now; and a ticket's story is whole."""

import random
from datetime import timedelta
from typing import Any

import pytest

from domain import incidents
from domain.access import Tx
from domain.agreements import Priority
from domain.core.db import transaction
from domain.core.errors import Refused
from domain.incidents import PauseCause
from schema.core import ids
from tests import build, facts
from tests.api import asking
from tests.api.asking import Office, Server, Socket
from tests.api.test_sockets import listening

SHOWN = """cursor account { id } counts { new inProgress paused resolved running atRisk held }
  incidents { id status priority version updates { body } promises { id name state dueAt stoppedAt verdict } }"""
STATUS = f"($a: ID!) {{ accountStatus(accountId: $a) {{ {SHOWN} }} }}"
EVENTS = """subscription ($a: ID!, $after: String) { accountEvents(accountId: $a, after: $after) { cursor
  incident { id status priority version updates { body } promises { id name state dueAt stoppedAt verdict } } } }"""
TIMELINE = """subscription ($id: ID!, $after: String) {
  incidentTimeline(id: $id, after: $after) { cursor kind promise { state remainingSeconds } } }"""


@pytest.fixture
async def office(server: Server) -> Office:
    """A new company whose beginnings are told already."""
    made = await asking.office(server.api)
    numbered = await facts.number_all(server.api.make)
    await facts.until(lambda: server.api.state.hub.position >= numbered.seq)
    return made


async def something(server: Server, office: Office, chance: random.Random, minute: int) -> None:
    """One verb, chosen by chance; what is refused does not happen."""
    at = build.T0 + timedelta(minutes=minute)
    staff, make = office.world.staff, server.api.make
    async with make() as session:
        open_ones = [row.id for row in await session.scalars(_tickets(office))]
    verbs: list[Any] = [
        lambda s, i: incidents.acknowledge(Tx(s, staff, at), i),
        lambda s, i: incidents.arrive(Tx(s, staff, at), i),
        lambda s, i: incidents.update(Tx(s, staff, at), i, body=f"minute {minute}"),
        lambda s, i: incidents.pause(Tx(s, staff, at), i, cause=PauseCause.ACCESS_DENIED),
        lambda s, i: incidents.resume(Tx(s, staff, at), i),
        lambda s, i: incidents.resolve(Tx(s, staff, at), i, resolution="done"),
        lambda s, i: incidents.close(Tx(s, staff, at), i),
        lambda s, i: incidents.reopen(Tx(s, staff, at), i, reason="again"),
        lambda s, i: incidents.change_priority(
            Tx(s, staff, at), i, priority=chance.choice(list(Priority)), reason="x"
        ),
    ]
    if len(open_ones) < 3:
        await build.incident(make, office.world, at=at)
        return
    try:
        async with transaction(make) as session:
            await chance.choice(verbs)(session, chance.choice(open_ones))
    except Refused:
        pass


def _tickets(office: Office) -> Any:
    from sqlalchemy import select

    return select(incidents.Incident).where(
        incidents.Incident.account_id == office.world.account.id,
        incidents.Incident.status != incidents.Status.CLOSED,
    )


async def asked(server: Server, office: Office) -> Any:
    """The status, asked afresh."""
    data = await server.api.data(office.client, f"query {STATUS}", a=office.account)
    return data["accountStatus"]


async def up_to(socket: Socket, field: str, cursor: str) -> list[Any]:
    """What is told until a cursor is reached."""
    told = list[Any]()
    while not told or told[-1]["cursor"] != cursor:
        told.append((await socket.next())[field])
    return told


def standing(status: Any) -> Any:
    """A status without its place."""
    return {name: value for name, value in status.items() if name != "cursor"}


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_status_and_what_is_told_after_it_are_a_fresh_status(
    server: Server, office: Office, seed: int
) -> None:
    chance = random.Random(seed)
    async with server.socket(office.client) as status, server.socket(office.client) as events:
        await status.subscribe("1", f"subscription {STATUS}", a=office.account)
        first = (await status.next())["accountStatus"]
        assert standing(first) == standing(await asked(server, office))
        folded = {each["id"]: each for each in first["incidents"]}
        await events.subscribe("1", EVENTS, a=office.account, after=first["cursor"])
        await listening(server, 2)
        for minute in range(0, 300, 7):
            await something(server, office, chance, minute)
            if (await facts.number_all(server.api.make)).facts == 0:
                continue
            page = await server.api.data(
                office.client, "query ($a: ID!) { ledger(accountId: $a, last: 1) { nodes { cursor } } }",
                a=office.account,
            )  # fmt: skip
            [last] = page["ledger"]["nodes"]
            newest = (await up_to(status, "accountStatus", last["cursor"]))[-1]
            for told in await up_to(events, "accountEvents", last["cursor"]):
                if told["incident"] is not None:
                    folded[told["incident"]["id"]] = told["incident"]
            fresh = await asked(server, office)
            assert standing(newest) == standing(fresh)
            still = {key: each for key, each in folded.items() if each["status"] != "CLOSED"}
            assert still == {each["id"]: each for each in fresh["incidents"]}


async def test_a_tickets_story_is_told_from_its_beginning_and_goes_on(
    server: Server, office: Office
) -> None:
    other = await build.incident(server.api.make, office.world)
    ticket = await build.incident(server.api.make, office.world)
    await facts.number_all(server.api.make)
    key = ids.write("Incident", ticket.id)
    async with server.socket(office.client) as socket:
        await socket.subscribe("1", TIMELINE, id=key)
        first = (await socket.next())["incidentTimeline"]
        second = (await socket.next())["incidentTimeline"]
        assert (first["kind"], second["kind"]) == ("incident.opened", "promise.started")
        assert second["promise"]["state"] in {"RUNNING", "AT_RISK", "LATE"}
        await listening(server)
        for each in (other, ticket):
            async with transaction(server.api.make) as session:
                await incidents.acknowledge(
                    Tx(session, office.world.staff, build.T0 + build.minutes(2)), each.id
                )
        await facts.number_all(server.api.make)
        kinds = []
        while "promise.kept" not in kinds:
            kinds.append((await socket.next())["incidentTimeline"]["kind"])
        assert kinds.count("incident.acknowledged") == 1
        await socket.subscribe("2", TIMELINE, id=key, after=first["cursor"])
        again = await socket.hear()
        assert again["id"] == "2"
        assert again["payload"]["data"]["incidentTimeline"]["cursor"] == second["cursor"]


async def test_a_ticket_of_another_company_has_no_story_and_no_status(
    server: Server, office: Office
) -> None:
    stranger = await asking.office(server.api)
    ticket = await build.incident(server.api.make, office.world)
    async with server.socket(stranger.client) as socket:
        await socket.subscribe("1", TIMELINE, id=ids.write("Incident", ticket.id))
        assert (await socket.hear())["payload"][0]["extensions"]["code"] == "NOT_FOUND"
        await socket.subscribe("2", f"subscription {STATUS}", a=office.account)
        assert (await socket.hear())["payload"][0]["extensions"]["code"] == "NOT_FOUND"
        await socket.subscribe("3", "subscription { credits { kind } }")
        assert (await socket.hear())["payload"][0]["extensions"]["code"] == "NOT_ALLOWED"
    data = await server.api.data(stranger.client, f"query {STATUS}", a=office.account)
    assert data["accountStatus"] is None
