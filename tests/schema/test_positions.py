"""Guards on the public graph: put on duty, reported, shown live to those who may see them, and to nobody else."""

import asyncio
import struct
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain import positions
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from realtime.positions import COMPARE_S
from schema.core import ids
from tests import guards
from tests.api import asking
from tests.api.asking import Api, Office, Server
from tests.guards import LAT, LON, Guard, near

STEP = "{ number position { lat lon speedMps site { id } duty { user { name } } } }"


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


async def send(api: Api, guard: Guard, place: dict[str, float], seconds_ago: float = 1) -> None:
    fix = {"at": ago(seconds_ago).isoformat(), "speedMps": 1.2, **place}
    headers = {"authorization": f"Bearer {guard.token}"}
    answer = await api.http.post("/ingest/positions", json={"fixes": [fix]}, headers=headers)
    assert answer.json()["accepted"] == 1, answer.text


async def test_a_device_is_assigned_reports_and_is_let_go(api: Api, office: Office) -> None:
    guard = await guards.on_duty(api.make, office.world, from_at=ago(9000), until_at=ago(5000))
    device = ids.write("Device", guard.device.id)
    assign = """mutation ($i: AssignDeviceInput!) { done: assignDevice(input: $i) {
      ... on Duty { id number site { name } user { name } endedAt } ... on Refusal { code argument } } }"""
    given = {
        "deviceId": device, "accountId": office.account, "siteId": ids.write("Site", guard.site.id),
        "fromAt": ago(4000).isoformat(), "untilAt": ago(-4000).isoformat(),
    }  # fmt: skip
    duty = (await api.data(office.dispatcher, assign, i=given))["done"]
    assert duty["number"] == guard.duty.number
    assert duty["user"]["name"] == guard.user.name
    again = (await api.data(office.dispatcher, assign, i=given))["done"]
    assert again == {"code": "ALREADY_EXISTS", "argument": "deviceId"}
    assert (await api.data(office.client, assign, i=given))["done"]["code"] == "NOT_ALLOWED"

    report = """mutation ($i: ReportPositionsInput!) { done: reportPositions(input: $i) {
      ... on PositionReport { accepted duplicates refused { index reason } device { name } }
      ... on Refusal { code argument } } }"""
    fixes = [{"at": ago(n).isoformat(), "lat": LAT, "lon": LON} for n in (10, 20)]
    fixes += [fixes[0], {"at": ago(5).isoformat(), "lat": 95, "lon": 5}]
    token = api.token(guard.user.id)
    told = (await api.data(token, report, i={"deviceId": device, "fixes": fixes}))["done"]
    assert told == {
        "accepted": 2, "duplicates": 1, "refused": [{"index": 3, "reason": "IMPOSSIBLE_PLACE"}],
        "device": {"name": "Phone"},
    }  # fmt: skip
    told = (await api.data(token, report, i={"deviceId": device, "fixes": fixes}))["done"]
    assert (told["accepted"], told["duplicates"]) == (0, 3)
    other = (await api.data(office.manager, report, i={"deviceId": device, "fixes": fixes}))["done"]
    assert other == {"code": "NOT_FOUND", "argument": "deviceId"}

    ended = (
        """mutation ($i: EndDutyInput!) { done: endDuty(input: $i) { ... on Duty { endedAt } } }"""
    )
    done = (await api.data(office.dispatcher, ended, i={"id": duty["id"]}))["done"]
    assert done["endedAt"]


async def test_a_fence_is_drawn_and_refused_when_it_is_none(api: Api, office: Office) -> None:
    guard = await guards.on_duty(api.make, office.world)
    fence = """mutation ($i: FenceSiteInput!) { done: fenceSite(input: $i) {
      ... on Site { fenceRadiusM fenceOutline } ... on Refusal { argument } } }"""
    site = ids.write("Site", guard.site.id)

    async def drawn(**how: Any) -> Any:
        return (await api.data(office.manager, fence, i={"siteId": site, **how}))["done"]

    assert (await drawn(radiusM=75))["fenceRadiusM"] == 75
    bow = [52.0, 5.0, 52.001, 5.001, 52.001, 5.0, 52.0, 5.001]
    for bad in ([52.0, 5.0, 52.1, 5.0], [95.0, 5.0, 52.1, 5.0, 52.0, 5.1], bow):
        assert await drawn(outline=bad) == {"argument": "outline"}
    corners = [52.0, 5.0, 52.001, 5.0, 52.001, 5.001]
    assert await drawn(outline=corners) == {"fenceRadiusM": None, "fenceOutline": corners}


async def test_clients_see_guards_by_number_and_only_inside_their_own_fences(
    api: Api, office: Office
) -> None:
    inside = await guards.on_duty(api.make, office.world)
    outside = await guards.on_duty(api.make, office.world)
    stranger = await asking.office(api)
    elsewhere = await guards.on_duty(api.make, stranger.world)
    for guard, place in ((inside, near(0)), (outside, near(500)), (elsewhere, near(0))):
        await send(api, guard, place)
    query = "{ positions { number lat site { id } duty { number user { name } } } }"
    seen = {
        name: (await api.data(token, query))["positions"]
        for name, token in (
            ("client", office.client), ("dispatcher", office.dispatcher), ("stranger", stranger.client),
            ("guard", api.token(inside.user.id)),
        )
    }  # fmt: skip
    assert [each["number"] for each in seen["client"]] == [inside.duty.number]
    assert seen["client"][0]["duty"] == {"number": inside.duty.number, "user": None}
    both = {inside.duty.number, outside.duty.number}
    assert {each["number"] for each in seen["dispatcher"]} == both
    assert [each["number"] for each in seen["stranger"]] == [elsewhere.duty.number]
    assert [each["number"] for each in seen["guard"]] == [inside.duty.number]  # the own one
    assert len({guard.duty.number for guard in (inside, outside, elsewhere)}) == 3


async def test_the_compact_form_says_the_same(api: Api, office: Office) -> None:
    guard = await guards.on_duty(api.make, office.world)
    await send(api, guard, near(10, 10))
    fleet = (await api.data(office.client, "{ fleet { count data } }"))["fleet"]
    assert fleet["count"] == 1
    number, lon, lat, status = struct.unpack("<IiiB", b64decode(fleet["data"]))
    place = near(10, 10)
    assert (number, status) == (guard.duty.number, 1)
    assert (lon / 1e6, lat / 1e6) == pytest.approx((place["lon"], place["lat"]), abs=1e-6)


async def test_that_somebody_looked_is_written_down_once_an_hour(api: Api, office: Office) -> None:
    guard = await guards.on_duty(api.make, office.world)
    await send(api, guard, near(0))
    for token in (office.client, office.dispatcher, office.client):
        await api.data(token, "{ positions { lat } }")
    async with api.make() as session:
        facts = list(
            await session.scalars(
                select(LedgerRow).where(
                    LedgerRow.tenant_id == office.world.tenant.id,
                    LedgerRow.kind == "account.positions_read",
                )
            )
        )
    assert len(facts) == 2
    assert {fact.body["internal"] for fact in facts} == {True}


async def follow(socket: asking.Socket, query: str, **variables: Any) -> None:
    await socket.subscribe("1", query, **variables)


async def heard(socket: asking.Socket) -> Any:
    async with asyncio.timeout(60):
        frame = await socket.hear()
    assert frame["type"] == "next", frame
    return frame["payload"]["data"]


async def test_the_live_map_begins_with_everybody_in_sight_and_goes_on_with_who_moves(
    server: Server,
) -> None:
    api = server.api
    office = await asking.office(api)
    guard = await guards.on_duty(api.make, office.world)
    await send(api, guard, near(0), 60)
    query = f"subscription ($a: ID) {{ positions(accountId: $a) {STEP} }}"
    async with server.socket(office.client) as client, server.socket(office.dispatcher) as desk:
        for socket in (client, desk):
            await follow(socket, query, a=office.account)
            first = (await heard(socket))["positions"]
            assert first["position"]["lat"] == pytest.approx(LAT)
        await send(api, guard, near(20), 30)
        for socket in (client, desk):
            step = (await heard(socket))["positions"]
            assert step["position"]["lat"] == pytest.approx(near(20)["lat"])
        await send(api, guard, near(500), 20)
        assert (await heard(client))["positions"] == {
            "number": guard.duty.number, "position": None,
        }  # fmt: skip
        step = (await heard(desk))["positions"]
        assert step["position"]["lat"] == pytest.approx(near(500)["lat"])
        assert step["position"]["duty"]["user"]["name"] == guard.user.name
        async with transaction(api.make) as session:
            system = Actor.system(office.world.tenant.id, "test")
            await positions.end(Tx(session, system, ago(0)), guard.duty.id)
        assert (await heard(desk))["positions"]["position"] is None


async def test_what_the_map_began_with_is_not_told_again(server: Server) -> None:
    office = await asking.office(server.api)
    guard = await guards.on_duty(server.api.make, office.world)
    await send(server.api, guard, near(0), 60)
    query = f"subscription ($a: ID) {{ positions(accountId: $a) {STEP} }}"
    async with server.socket(office.client) as client:
        await follow(client, query, a=office.account)
        await heard(client)
        await asyncio.sleep(1.5 * COMPARE_S)  # the process compares itself with PostgreSQL
        await send(server.api, guard, near(20), 30)
        step = (await heard(client))["positions"]
        assert step["position"]["lat"] == pytest.approx(near(20)["lat"])


async def test_another_process_shows_it_too_and_the_compact_form_follows(
    server: Server, database_url: str, redis_url: str, tmp_path: Any
) -> None:
    office = await asking.office(server.api)
    guard = await guards.on_duty(server.api.make, office.world)
    settings = asking.settings(database_url, redis_url, tmp_path)
    async with asking.running(settings) as other, server.socket(office.client) as client:
        await follow(client, "subscription { fleet { count data } }")
        refusal = await client.hear()
        assert refusal["payload"][0]["extensions"]["code"] == "NOT_ALLOWED"
        query = "subscription ($a: ID) { fleet(accountId: $a) { count data } }"
        await follow(client, query, a=office.account)
        assert (await heard(client))["fleet"] == {"count": 0, "data": ""}
        await send(other, guard, near(0))
        assert (await heard(client))["fleet"]["count"] == 1


async def test_status_of_a_place_then_its_facts_come_to_its_status_now(
    api: Api, office: Office
) -> None:
    guard = await guards.on_duty(api.make, office.world, grace_s=600, silent_after_s=86_400)
    query = """{ presences(lasting: true, first: 50) { nodes { id kind } }
      ledger(first: 100) { nodes { kind subjectId } } }"""

    async def status() -> dict[str, str]:
        nodes = (await api.data(office.client, query))["presences"]["nodes"]
        return {ids.read(node["id"])[1].hex: node["kind"] for node in nodes}  # type: ignore[index]

    begins = {"guard.arrived": "STAY", "guard.absent": "ABSENCE"}
    ends = {"guard.left", "guard.absence_ended", "guard.retracted"}
    told = await status()
    seen = 0
    walks = [
        (6000, 0),
        (5990, 0),
        (5980, 0),
        (4000, 500),
        (3980, 500),
        (3000, 0),
        (2990, 0),
        (2980, 0),
    ]
    for start in range(0, len(walks), 2):
        for seconds, north in walks[start : start + 2]:
            await send(api, guard, near(north), seconds)
        async with transaction(api.make) as session:
            await positions.judge(session, guard.duty.id, at=ago(walks[start + 1][0]))
        async with api.make() as session:
            facts = list(
                await session.scalars(
                    select(LedgerRow)
                    .where(LedgerRow.account_id == office.world.account.id, LedgerRow.id > seen)
                    .order_by(LedgerRow.id)
                )
            )
        for fact in facts:
            seen = fact.id
            if fact.kind in begins:
                told[fact.subject_id.hex] = begins[fact.kind]
            elif fact.kind in ends:
                told.pop(fact.subject_id.hex, None)
        assert told == await status()
    assert "STAY" in told.values()
