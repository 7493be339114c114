"""What phones' apps send: understood and stored, or refused so that the app keeps and shows it; and calls for help."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from api.endpoints.device_reports import REFUSED
from domain import positions
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.incidents import Incident
from domain.positions import Fix
from schema.core import ids
from tests import guards
from tests.api.asking import Api, Office
from tests.guards import LAT, LON, Guard

RECORD = "{ devices { nodes { id refusals refusedAt refusedFor refusedMessage } } }"


@pytest.fixture
async def guard(api: Api, office: Office) -> Guard:
    """Somebody on duty."""
    return await guards.on_duty(api.make, office.world)


def ago(seconds: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=seconds)


def basic(guard: Guard) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(f"x:{guard.token}".encode()).decode()}


async def stored(api: Api, guard: Guard) -> list[Fix]:
    async with api.make() as session:
        rows = await session.scalars(
            select(Fix).where(Fix.device_id == guard.device.id, Fix.lat.is_not(None))
        )
        return list(rows)


async def record(api: Api, office: Office, guard: Guard) -> Any:
    data = await api.data(office.dispatcher, RECORD)
    own = ids.write("Device", guard.device.id)
    return next(each for each in data["devices"]["nodes"] if each["id"] == own)


LOGGED: list[dict[str, Any]] = [
    {"json": {"lat": LAT, "lon": LON, "ts": "EPOCH", "acc": 5.0}},
    {"json": {"latitude": LAT, "longitude": LON, "time": "ISO", "accuracy": "5"}},
    {"data": {"latitude": LAT, "longitude": LON, "timestamp": "EPOCH", "acc": "5"}},
    {"params": {"lat": LAT, "lon": LON, "time": "ISO", "acc": "5"}},
    {"params": {"lat": LAT}, "data": {"lon": LON, "time": "ISO", "acc": 5}},
    {"content": f'{{"lat": {LAT}, "lon": {LON}, "time": "ISO", "acc": 5}}'},
]


def stamped(given: Any, at: datetime) -> Any:
    iso = at.isoformat().replace("+00:00", "Z")
    if isinstance(given, str):
        return given.replace("EPOCH", str(int(at.timestamp()))).replace("ISO", iso)
    return {k: stamped(v, at) for k, v in given.items()} if isinstance(given, dict) else given


@pytest.mark.parametrize("given", LOGGED)
async def test_gpslogger_is_understood_in_every_way_it_may_be_set_up(
    api: Api, guard: Guard, given: dict[str, Any]
) -> None:
    at = ago(30)
    asked = {key: stamped(value, at) for key, value in given.items()}
    answer = await api.http.post("/ingest/gpslogger", headers=basic(guard), **asked)
    assert answer.status_code == 200, answer.text
    [fix] = await stored(api, guard)
    assert (fix.at, fix.lat, fix.lon, fix.accuracy_m) == (at, LAT, LON, 5.0)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("gpslogger", {"params": {"lat": LAT, "lon": LON}}),
        ("gpslogger", {"params": {"y": LAT, "x": LON, "ts": 1}}),
        ("gpslogger", {"json": [{"lat": LAT}]}),
        ("gpslogger", {"json": {"location": {"lat": LAT, "lon": LON}}}),
        ("gpslogger", {"content": b"\xff\xfe"}),
        ("gpslogger", {"params": {"lat": "here", "lon": LON, "time": "ISO"}}),
        ("gpslogger", {"params": {"lat": 91, "lon": LON, "time": "ISO"}}),
        ("osmand", {"params": {"y": LAT, "x": LON}}),
        ("osmand", {"params": {"lat": LAT}}),
        ("osmand", {"params": {"lat": LAT, "lon": LON, "timestamp": "never"}}),
        ("osmand", {"params": {"lat": LAT, "lon": LON, "timestamp": "FUTURE"}}),
        ("traccar", {"params": {"lat": "0", "lon": "0", "timestamp": "EPOCH"}}),
        ("traccar", {"json": {"location": {"latitude": LAT, "longitude": LON}}}),
        ("traccar", {"json": {"location": {"timestamp": "never", "coords": {"latitude": LAT, "longitude": LON}}}}),
        ("traccar", {"json": {"location": {"timestamp": "ISO", "coords": {"lat": LAT, "lon": LON}}}}),
        ("traccar", {"json": {"latitude": LAT, "longitude": LON}}),
        ("owntracks", {"json": {"_type": "location", "lat": LAT, "lon": LON}}),
        ("owntracks", {"json": {"_type": "position", "lat": LAT, "lon": LON, "tst": "EPOCH"}}),
        ("owntracks", {"json": {"lat": LAT, "lon": LON, "tst": "EPOCH"}}),
        ("owntracks", {"json": {"_type": "location", "latitude": LAT, "longitude": LON, "tst": 1}}),
    ],
)  # fmt: skip
async def test_what_is_not_stored_is_refused_counted_and_written_down(
    api: Api, office: Office, guard: Guard, path: str, asked: dict[str, Any]
) -> None:
    future = str(int(ago(-900).timestamp()))
    asked = {k: stamped(v, ago(30)) for k, v in asked.items()}
    if path in {"osmand", "traccar"}:
        if "json" in asked:
            asked["json"] = {"device_id": guard.token} | asked["json"]
        else:
            told = {k: future if v == "FUTURE" else v for k, v in asked["params"].items()}
            asked["params"] = {"id": guard.token} | told
    counts = {
        r: REFUSED.labels(path, r)._value.get()
        for r in ("unreadable", "from_the_future", "impossible_place")
    }
    for n in (1, 2):
        answer = await api.http.post(f"/ingest/{path}", headers=basic(guard), **asked)
        assert 400 <= answer.status_code < 500, (n, answer.status_code)
        assert answer.json()["errors"][0]["message"]
    assert await stored(api, guard) == []
    raised = sum(REFUSED.labels(path, r)._value.get() - n for r, n in counts.items())
    if asked.get("content") or isinstance(asked.get("json"), list):
        return  # nobody knows whose that is
    if path == "traccar" and "coords" not in str(asked) and "json" in asked:
        assert raised == 2
        return
    told = await record(api, office, guard)
    assert (told["refusals"], raised) == (2, 2)
    assert told["refusedFor"] in {"UNREADABLE", "FROM_THE_FUTURE", "IMPOSSIBLE_PLACE"}
    assert told["refusedMessage"]
    seen = await api.data(office.client, RECORD)
    assert seen["devices"]["nodes"] == []


async def test_off_duty_is_refused_and_does_not_block_the_queue_of_an_app_that_is_on_duty_again(
    api: Api, office: Office, guard: Guard
) -> None:
    before: dict[str, Any] = {
        "id": guard.token,
        "lat": LAT,
        "lon": LON,
        "timestamp": int(ago(3 * 3600).timestamp()),
    }
    codes = [(await api.http.get("/ingest/osmand", params=before)).status_code for _ in range(3)]
    assert codes == [409, 200, 200]
    assert (await record(api, office, guard))["refusedFor"] == "OFF_DUTY"
    async with transaction(api.make) as session:
        system = Actor.system(guard.duty.tenant_id, "test")
        await positions.end(Tx(session, system, ago(60)), guard.duty.id)
    api.state.intake._posts.clear()
    after = before | {"timestamp": int(ago(5).timestamp())}
    codes = [(await api.http.get("/ingest/osmand", params=after)).status_code for _ in range(3)]
    assert codes == [409] * 3
    assert await stored(api, guard) == []


async def test_a_value_that_cannot_be_is_unknown_and_the_place_counts(
    api: Api, guard: Guard
) -> None:
    at = ago(60)
    good = {"at": at.isoformat(), "lat": LAT, "lon": LON, "speedMps": 1.5}
    bad: list[dict[str, Any]] = [
        {"batteryPct": 101}, {"headingDeg": 361}, {"altitudeM": -9999}, {"batteryPct": "80"},
        {"headingDeg": "north"}, {"charging": "maybe"}, {"altitudeM": [1]}, {"batteryPct": -1},
        {"headingDeg": {"value": 1}}, {"accuracyM": "5"},
    ]  # fmt: skip
    fixes = [
        good | each | {"at": (at + timedelta(seconds=n)).isoformat()} for n, each in enumerate(bad)
    ]
    headers = {"authorization": f"Bearer {guard.token}"}
    answer = await api.http.post("/ingest/positions", json={"fixes": fixes}, headers=headers)
    assert answer.json() == {"accepted": len(bad), "duplicates": 0, "refused": []}
    for n, fix in enumerate(sorted(await stored(api, guard), key=lambda fix: fix.at)):
        values = (fix.battery_pct, fix.heading_deg, fix.altitude_m, fix.charging, fix.accuracy_m)
        assert values == (None,) * 5, bad[n]
        assert (fix.lat, fix.speed_mps) == (LAT, 1.5)
    odd = {
        "device_id": guard.token,
        "location": {
            "timestamp": ago(20).isoformat(), "battery": {"level": "full", "is_charging": "x"},
            "coords": {"latitude": LAT, "longitude": LON, "heading": "?", "speed": None, "altitude": -9999},
        },
    }  # fmt: skip
    assert (await api.http.post("/ingest/traccar", json=odd)).status_code == 200
    query: dict[str, Any] = {
        "id": guard.token,
        "lat": LAT,
        "lon": LON,
        "batt": "n/a",
        "bearing": "N",
        "speed": "-",
    }
    assert (await api.http.get("/ingest/osmand", params=query)).status_code == 200
    message = {
        "_type": "location",
        "lat": LAT,
        "lon": LON,
        "tst": int(ago(9).timestamp()),
        "batt": 300,
    }
    answer = await api.http.post(
        "/ingest/owntracks", json=message | {"vel": "x"}, headers=basic(guard)
    )
    assert answer.status_code == 200
    assert len(await stored(api, guard)) == len(bad) + 3


async def test_a_made_up_position_is_not_taken_for_true_because_mock_is_misspelt(
    api: Api, guard: Guard
) -> None:
    at = ago(60)
    headers = {"authorization": f"Bearer {guard.token}"}
    fixes = [
        {"at": (at + timedelta(seconds=n)).isoformat(), "lat": LAT, "lon": LON, "mock": mock}
        for n, mock in enumerate(["true", 1, "yes", "simulated"])
    ]
    await api.http.post("/ingest/positions", json={"fixes": fixes}, headers=headers)
    assert [fix.mock for fix in await stored(api, guard)] == [True] * 4


async def test_a_transition_of_owntracks_is_a_fix(api: Api, guard: Guard) -> None:
    at = ago(40)
    transition = {
        "_type": "transition", "event": "enter", "desc": "Poort 4", "wtst": 1, "t": "c", "rid": "x",
        "tst": int(at.timestamp()), "lat": LAT, "lon": LON, "acc": 12,
    }  # fmt: skip
    answer = await api.http.post("/ingest/owntracks", json=transition, headers=basic(guard))
    assert (answer.status_code, answer.json()) == (200, [])
    [fix] = await stored(api, guard)
    assert (fix.at, fix.lat, fix.lon, fix.accuracy_m) == (at, LAT, LON, 12.0)
    waypoint = {"_type": "waypoint", "desc": "Poort 4", "tst": 1, "lat": LAT, "lon": LON, "rad": 50}
    answer = await api.http.post("/ingest/owntracks", json=waypoint, headers=basic(guard))
    assert answer.status_code == 200
    assert len(await stored(api, guard)) == 1


async def panics(api: Api, guard: Guard) -> list[Incident]:
    async with api.make() as session:
        rows = await session.scalars(
            select(Incident).where(Incident.account_id == guard.duty.account_id)
        )
        return list(rows)


SOS: list[tuple[str, dict[str, Any]]] = [
    ("traccar", {"params": {"lat": LAT, "lon": LON, "timestamp": "EPOCH", "alarm": "sos"}}),
    ("traccar", {"data": {"lat": LAT, "lon": LON, "timestamp": "EPOCH", "alarm": "lowBattery,sos"}}),
    ("traccar", {"params": {"timestamp": "EPOCH", "alarm": "SOS"}}),
    ("traccar", {"json": {"location": {"timestamp": "ISO", "alarm": "sos"}}}),
    ("traccar", {"json": {"location": {
        "timestamp": "ISO", "alarm": "sos", "coords": {"latitude": LAT, "longitude": LON}}}}),
    ("osmand", {"params": {"lat": LAT, "lon": LON, "timestamp": "EPOCH", "alarm": "fallDown"}}),
    ("positions", {"json": {"fixes": [{"at": "ISO", "lat": LAT, "lon": LON, "alarm": "sos"}]}}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "asked"), SOS)
@pytest.mark.parametrize("at_site", [True, False])
async def test_a_call_for_help_opens_one_critical_incident(
    api: Api, office: Office, path: str, asked: dict[str, Any], at_site: bool
) -> None:
    guard = await guards.on_duty(api.make, office.world, at_site=at_site)
    at = ago(20)

    async def call(at: datetime) -> int:
        given: dict[str, Any] = {
            k: {"fixes": [stamped(v["fixes"][0], at)]} if "fixes" in v else stamped(v, at)
            for k, v in asked.items()
        }
        key = next(iter(given))
        name = {"json": "device_id"}.get(key, "id")
        if path != "positions":
            given[key] = {name: guard.token} | given[key]
        headers = {"authorization": f"Bearer {guard.token}"}
        answer = await api.http.post(f"/ingest/{path}", headers=headers, **given)
        return answer.status_code

    assert [await call(at) for _ in range(3)] == [200] * 3
    [incident] = await panics(api, guard)
    if at_site:
        assert incident.site_id == guard.site.id
    assert (incident.priority, incident.status) == ("critical", "new")
    assert incident.opened_at >= ago(30)
    assert str(guard.duty.number) in incident.summary
    assert await call(ago(1)) == 200  # pressed again while it is open: written down there
    assert len(await panics(api, guard)) == 1
    async with api.make() as session:
        kinds = await session.scalars(
            select(LedgerRow.kind).where(LedgerRow.subject_id == incident.id).order_by(LedgerRow.id)
        )
        assert [kind for kind in kinds if kind.startswith("incident.")] == [
            "incident.opened",
            "incident.updated",
        ]


async def test_who_calls_for_help_does_not_arrive_to_give_it(api: Api, guard: Guard) -> None:
    query: dict[str, Any] = {
        "id": guard.token,
        "lat": LAT,
        "lon": LON,
        "alarm": "sos",
        "accuracy": 5,
    }
    begins = ago(5)
    query["timestamp"] = int(begins.timestamp())
    assert (await api.http.get("/ingest/traccar", params=query)).status_code == 200
    del query["alarm"]
    for n in range(1, 12):
        query["timestamp"] = int(begins.timestamp()) + 10 * n
        await api.http.get("/ingest/traccar", params=query)
    async with transaction(api.make) as session:
        at = datetime.now(UTC) + timedelta(minutes=2)
        assert await positions.judge(session, guard.duty.id, at=at)
    [incident] = await panics(api, guard)
    assert (incident.status, incident.arrived_at, incident.acknowledged_at) == ("new", None, None)


async def test_a_call_for_help_that_reaches_nobody_is_refused(
    api: Api, office: Office, guard: Guard
) -> None:
    async with transaction(api.make) as session:
        system = Actor.system(guard.duty.tenant_id, "test")
        await positions.end(Tx(session, system, ago(60)), guard.duty.id)
    api.state.intake._posts.clear()
    query: dict[str, Any] = {"id": guard.token, "lat": LAT, "lon": LON, "alarm": "sos"}
    answer = await api.http.get("/ingest/traccar", params=query)
    assert answer.status_code == 409
    assert "control room" in answer.json()["errors"][0]["message"]
    assert await panics(api, guard) == []
    quiet = query | {"alarm": "lowBattery", "timestamp": str(int(ago(120).timestamp()))}
    assert (await api.http.get("/ingest/traccar", params=quiet)).status_code == 200
