"""Devices hand in fixes, in our format and in those of phones' apps; an answer means that they are committed."""

import asyncio
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from domain import credentials, positions
from domain.access import Tx
from domain.core.db import transaction
from domain.positions import Fix, FixSource, ReceivedFix, Whereabouts
from tests import guards
from tests.api import asking
from tests.api.asking import Api
from tests.guards import LAT, LON, Guard, near


@pytest.fixture
async def guard(api: Api) -> Guard:
    """Somebody on duty."""
    office = await asking.office(api)
    return await guards.on_duty(api.make, office.world)


def ago(seconds: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=seconds)


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


async def send(api: Api, guard: Guard, fixes: list[Any], **more: Any) -> dict[str, Any]:
    response = await api.http.post(
        "/ingest/positions",
        json={"fixes": fixes, **more},
        headers={"authorization": f"Bearer {guard.token}"},
    )
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


async def stored(api: Api, guard: Guard) -> list[Fix]:
    async with api.make() as session:
        query = select(Fix).where(Fix.device_id == guard.device.id).order_by(Fix.at)
        return list(await session.scalars(query))


async def places(api: Api, guard: Guard) -> list[Fix]:
    """Without the signs of life."""
    return [fix for fix in await stored(api, guard) if fix.lat is not None]


async def current(api: Api, guard: Guard) -> Whereabouts:
    async with api.make() as session:
        return await session.get_one(Whereabouts, guard.duty.id)


async def test_what_is_answered_is_committed_with_every_value_and_null_for_unknown(
    api: Api, guard: Guard
) -> None:
    at = ago(60)
    full = {
        "at": ms(at), "lat": LAT, "lon": LON, "accuracyM": 4.5, "speedMps": 1.25, "headingDeg": 90.0,
        "altitudeM": -3.5, "batteryPct": 80.0, "charging": True, "mock": False,
    }  # fmt: skip
    bare = {"at": (at + timedelta(seconds=1)).isoformat(), "lat": LAT, "lon": LON, "speedMps": -1}
    told = await send(api, guard, [full, bare], sentAt=ago(-3).isoformat())
    assert told == {"accepted": 2, "duplicates": 0, "refused": []}
    first, second = await stored(api, guard)
    assert (first.at, first.lat, first.lon, first.accuracy_m) == (at, LAT, LON, 4.5)
    assert (first.speed_mps, first.heading_deg, first.altitude_m) == (1.25, 90.0, -3.5)
    assert (first.battery_pct, first.charging, first.mock) == (80.0, True, False)
    assert first.skew_s == pytest.approx(-3, abs=1.5)
    assert (first.account_id, first.source) == (guard.duty.account_id, FixSource.BATCH)
    unknown = ("accuracy_m", "speed_mps", "heading_deg", "altitude_m", "battery_pct", "charging")
    assert [getattr(second, name) for name in unknown] == [None] * 6


async def test_a_fix_is_stored_once_whether_it_comes_twice_at_once_later_or_beside_new_ones(
    api: Api, guard: Guard
) -> None:
    fixes = [{"at": ms(ago(100 - n)), "lat": LAT, "lon": LON} for n in range(10)]
    assert (await send(api, guard, [*fixes[:5], *fixes[:5]]))["duplicates"] == 5
    told = await asyncio.gather(*(send(api, guard, fixes) for _ in range(4)))
    assert sum(each["accepted"] for each in told) == 5
    assert sum(each["duplicates"] for each in told) == 35
    assert len(await stored(api, guard)) == 10


async def test_two_processes_that_take_the_same_fixes_store_them_once(
    api: Api, guard: Guard, database_url: str, redis_url: str, tmp_path: Any
) -> None:
    fixes = [{"at": ms(ago(100 - n)), "lat": LAT, "lon": LON} for n in range(50)]
    async with asking.running(asking.settings(database_url, redis_url, tmp_path)) as other:
        other.app.state.waarborg.keys = api.state.keys
        await send(api, guard, fixes[:1]), await send(other, guard, fixes[:1])
        told = [await send(api, guard, fixes), await send(other, guard, fixes)]
    assert [each["accepted"] for each in told] == [49, 0]
    assert len(await stored(api, guard)) == 50


async def test_a_late_fix_is_kept_and_never_moves_the_present_backwards(
    api: Api, guard: Guard
) -> None:
    await send(api, guard, [{"at": ms(ago(10)), **near(0)}])
    await send(api, guard, [{"at": ms(ago(3000)), **near(900)}])
    assert len(await stored(api, guard)) == 2
    now = await current(api, guard)
    assert now.lat == pytest.approx(LAT)
    assert now.site_id == guard.site.id
    assert now.dirty_from is not None
    assert now.dirty_from <= ago(2990)


async def test_each_fix_that_cannot_be_is_refused_with_its_reason_and_the_others_are_stored(
    api: Api, guard: Guard
) -> None:
    at = ms(ago(60))
    good = {"at": at, "lat": LAT, "lon": LON}
    told = await send(
        api,
        guard,
        [
            good,
            good | {"at": at + 1, "lat": 91.0},
            good | {"at": at + 2, "lat": 0, "lon": 0},
            good | {"at": at + 3, "speedMps": 500},
            good | {"at": at + 4, "headingDeg": 361},
            good | {"at": at + 5, "batteryPct": 101},
            good | {"at": ms(ago(-600))},
            good | {"at": 10**40},
            good | {"at": -5},
            good | {"at": ms(ago(29 * 86_400))},
            good | {"at": ms(ago(3 * 3600))},
            {"lat": LAT, "lon": LON},
            good | {"lat": "here"},
            "nonsense",
            good | {"at": at + 6},
            good | {"at": ago(50).replace(tzinfo=None).isoformat()},
        ],
    )
    reasons = {each["index"]: each["reason"] for each in told["refused"]}
    assert told["accepted"] == 5
    assert reasons == {
        1: "IMPOSSIBLE_PLACE", 2: "IMPOSSIBLE_PLACE", 6: "FROM_THE_FUTURE", 7: "FROM_THE_FUTURE",
        8: "TOO_OLD", 9: "TOO_OLD", 10: "OFF_DUTY", 11: "UNREADABLE", 12: "UNREADABLE", 13: "UNREADABLE",
        15: "UNREADABLE",
    }  # fmt: skip
    fixes = await stored(api, guard)
    assert len(fixes) == 5
    assert [(f.speed_mps, f.heading_deg, f.battery_pct) for f in fixes] == [(None, None, None)] * 5


async def test_where_somebody_is_off_duty_is_not_taken_nor_kept_on_the_map(
    api: Api, guard: Guard
) -> None:
    await send(api, guard, [{"at": ms(ago(10)), "lat": LAT, "lon": LON}])
    office_actor = guard.duty.tenant_id
    async with transaction(api.make) as session:
        from domain.access import Actor

        system = Actor.system(office_actor, "test")
        await positions.end(Tx(session, system, ago(5)), guard.duty.id)
    api.state.intake._posts.clear()
    told = await send(api, guard, [{"at": ms(ago(1)), "lat": LAT, "lon": LON}])
    assert [each["reason"] for each in told["refused"]] == ["OFF_DUTY"]
    told = await send(api, guard, [{"at": ms(ago(8)), "lat": LAT, "lon": LON}])
    assert told["accepted"] == 1
    now = await current(api, guard)
    assert (now.over, now.at, now.lat) == (True, None, None)
    assert now.dirty_from is not None


async def test_a_revoked_device_is_no_device(api: Api, guard: Guard) -> None:
    async with transaction(api.make) as session:
        await credentials.revoke_device(Tx(session, guard.actor, ago(0)), guard.device.id)
    headers = {"authorization": f"Bearer {guard.token}"}
    answer = await api.http.post("/ingest/positions", json={"fixes": []}, headers=headers)
    assert answer.status_code == 401


async def test_a_users_token_is_no_devices(api: Api, guard: Guard) -> None:
    headers = {"authorization": f"Bearer {api.token(guard.user.id)}"}
    answer = await api.http.post("/ingest/positions", json={"fixes": []}, headers=headers)
    assert answer.status_code == 401


async def test_traccar_client_from_version_9_on_is_understood(api: Api, guard: Guard) -> None:
    message: dict[str, Any] = {
        "device_id": guard.token,
        "location": {
            "timestamp": "2026-06-15T13:45:12.862Z", "is_moving": True, "odometer": 1203, "mock": True,
            "coords": {
                "latitude": LAT, "longitude": LON, "accuracy": 5, "speed": 1.4, "heading": -1,
                "altitude": 5, "speed_accuracy": 0.3,
            },
            "battery": {"level": 0.79, "is_charging": False}, "activity": {"type": "walking"},
        },
    }  # fmt: skip
    at = ago(30).replace(microsecond=862_000)
    message["location"]["timestamp"] = at.isoformat().replace("+00:00", "Z")
    for _ in range(2):
        answer = await api.http.post("/ingest/traccar", json=message)
        assert (answer.status_code, answer.content) == (200, b"")
    [fix] = await places(api, guard)
    assert (fix.at, fix.lat, fix.lon, fix.source) == (at, LAT, LON, FixSource.TRACCAR)
    assert fix.speed_mps == pytest.approx(1.4)
    assert (fix.heading_deg, fix.battery_pct) == (None, 79.0)
    assert (fix.charging, fix.mock) == (False, True)
    keep_alive = {"device_id": guard.token, "location": {"timestamp": at.isoformat()}}
    assert (await api.http.post("/ingest/traccar", json=keep_alive)).status_code == 200
    broken = message | {
        "location": {"timestamp": "never", "coords": {"latitude": 1, "longitude": 1}}
    }
    assert (await api.http.post("/ingest/traccar", json=broken)).status_code == 400
    stranger = message | {"device_id": "48241179"}
    assert (await api.http.post("/ingest/traccar", json=stranger)).status_code == 404
    assert (await api.http.post("/ingest/traccar", json=[message])).status_code == 400


async def test_traccar_client_up_to_8_and_osmand_are_understood_in_their_units(
    api: Api, guard: Guard
) -> None:
    at = ago(50)
    query = {
        "id": guard.token, "lat": str(LAT), "lon": str(LON), "speed": "10", "bearing": "63",
        "altitude": "5", "accuracy": "4", "batt": "87", "charge": "true",
    }  # fmt: skip
    for n, stamp in enumerate(
        (
            str(int(at.timestamp())),
            str(ms(at + timedelta(seconds=1))),
            (at + timedelta(seconds=2)).isoformat(),
            f"{at + timedelta(seconds=3):%Y-%m-%d %H:%M:%S}",
        )
    ):
        answer = await api.http.get("/ingest/traccar", params=query | {"timestamp": stamp})
        assert (n, answer.status_code, answer.content) == (n, 200, b"")
    form = query | {"timestamp": str(int(at.timestamp()) + 4)}
    del form["lat"], form["lon"]
    form["location"] = f"{LAT},{LON}"
    assert (await api.http.post("/ingest/traccar", data=form)).status_code == 200
    osmand = query | {"timestamp": str(int(at.timestamp()) + 5)}
    assert (await api.http.get("/ingest/osmand", params=osmand)).status_code == 200
    fixes = await places(api, guard)
    assert [fix.at for fix in fixes] == [at + timedelta(seconds=n) for n in range(6)]
    assert [round(fix.speed_mps or 0, 3) for fix in fixes] == [5.144] * 5 + [10.0]
    assert (fixes[0].battery_pct, fixes[0].charging, fixes[0].heading_deg) == (87.0, True, 63.0)
    assert (await api.http.get("/ingest/traccar", params=query | {"id": "x"})).status_code == 400
    assert (await api.http.get("/ingest/traccar", params={"id": guard.token})).status_code == 200


async def test_owntracks_is_understood_and_answered_with_a_list(api: Api, guard: Guard) -> None:
    at = ago(40)
    headers = {"authorization": "Basic " + b64encode(f"user:{guard.token}".encode()).decode()}
    location = {
        "_type": "location", "tst": int(at.timestamp()), "lat": LAT, "lon": LON, "acc": 4, "alt": -23,
        "vac": 5, "vel": 36, "cog": 270, "batt": 86, "bs": 1, "conn": "w", "t": "u", "tid": "64",
        "topic": "owntracks/user/phone", "created_at": int(at.timestamp()) + 1, "_id": "ebbafc6b",
    }  # fmt: skip
    ping = location | {"t": "p", "tst": int(at.timestamp()) + 20}
    for message in (location, location, ping, {"_type": "lwt"}, [location]):
        answer = await api.http.post("/ingest/owntracks", json=message, headers=headers)
        assert (answer.status_code, answer.json()) == (200, [])
    empty = await api.http.post("/ingest/owntracks", content=b"", headers=headers)
    assert (empty.status_code, empty.json()) == (200, [])
    [fix] = await places(api, guard)
    assert (fix.at, fix.source, fix.accuracy_m) == (at, FixSource.OWNTRACKS, 4.0)
    assert fix.speed_mps == pytest.approx(10)
    assert (fix.heading_deg, fix.charging) == (270.0, False)
    sealed = {"_type": "encrypted", "data": "AAAA"}
    answer = await api.http.post("/ingest/owntracks", json=sealed, headers=headers)
    assert answer.status_code == 400
    answer = await api.http.post("/ingest/owntracks", json=location)
    assert answer.status_code == 401


async def test_gpslogger_is_understood_and_its_zeros_are_unknown(api: Api, guard: Guard) -> None:
    at = ago(20)
    headers = {"authorization": "Basic " + b64encode(f"x:{guard.token}".encode()).decode()}
    query = {
        "lat": str(LAT), "lon": str(LON), "ts": str(int(at.timestamp())), "acc": "0.0", "spd": "0.0",
        "dir": "0.0", "alt": "0.0", "batt": "55.0", "chg": "false", "sat": "0", "prov": "gps",
        "hdop": "", "aid": "f00", "profile": "Default",
    }  # fmt: skip
    answer = await api.http.get("/ingest/gpslogger", params=query, headers=headers)
    assert answer.status_code == 200
    [fix] = await stored(api, guard)
    assert (fix.at, fix.source, fix.speed_mps) == (at, FixSource.GPSLOGGER, 0.0)
    assert (fix.accuracy_m, fix.heading_deg, fix.altitude_m, fix.charging) == (None,) * 4
    assert fix.battery_pct == 55.0


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"[]", b'{"fixes": 1}'),
        b'{"fixes": [], "sentAt": "2026-06-15T13:45:12"}',
        *(b'{"fixes": [', b"\xff\xfe", b"[" * 100_000),
    ],
)
async def test_what_is_no_report_is_refused_in_words(api: Api, guard: Guard, body: bytes) -> None:
    headers = {"authorization": f"Bearer {guard.token}"}
    answer = await api.http.post("/ingest/positions", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_a_report_is_bounded(api: Api, guard: Guard) -> None:
    headers = {"authorization": f"Bearer {guard.token}"}
    fixes = [{"at": n, "lat": 1, "lon": 1} for n in range(1001)]
    unreadable = b'{"fixes":[' + b"0," * 250_000 + b"0]}"
    for body in (str({"fixes": fixes}).replace("'", '"').encode(), unreadable, b" " * 600_000):
        answer = await api.http.post("/ingest/positions", content=body, headers=headers)
        assert answer.status_code == 413


async def test_a_database_that_fails_halfway_leaves_nothing_behind_and_the_app_is_told_to_come_again(
    api: Api, guard: Guard
) -> None:
    fixes = [{"at": ms(ago(30 - n)), **near(0)} for n in range(3)]
    headers = {"authorization": f"Bearer {guard.token}"}
    async with transaction(api.make) as session:
        row = select(Whereabouts).where(Whereabouts.duty_id == guard.duty.id)
        await session.scalar(row.with_for_update())
        answer = await api.http.post("/ingest/positions", json={"fixes": fixes}, headers=headers)
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert await stored(api, guard) == []
    assert (await send(api, guard, fixes))["accepted"] == 3
    assert (await current(api, guard)).dirty_from == datetime.fromtimestamp(
        fixes[0]["at"] / 1000, UTC
    )


async def waiting_for_a_lock(api: Api) -> None:
    """Wait until somebody in this database waits for a lock."""
    query = text(
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE NOT granted AND datname = current_database()"
    )
    async with asyncio.timeout(60), api.make() as session:
        while not await session.scalar(query):  # noqa: ASYNC110 - PostgreSQL tells nobody
            await asyncio.sleep(0.02)


async def test_two_who_store_the_same_and_block_each_other_both_come_through(
    api: Api, guard: Guard
) -> None:
    fixes = [{"at": ms(ago(30 - n)), **near(0)} for n in range(2)]
    [early, late] = [
        Fix(
            device_id=guard.device.id, at=datetime.fromtimestamp(each["at"] / 1000, UTC),
            tenant_id=guard.duty.tenant_id, account_id=guard.duty.account_id, lat=each["lat"],
            lon=each["lon"], source=FixSource.BATCH, received_at=ago(0),
        )
        for each in fixes
    ]  # fmt: skip
    async with transaction(api.make) as session:
        session.add(late)
        await session.flush()
        sent = asyncio.create_task(send(api, guard, fixes))
        await waiting_for_a_lock(api)  # the first is stored by now, the second waits for us
        session.add(early)
        await session.flush()
    assert (await sent)["duplicates"] == 2


async def test_a_report_that_cannot_be_stored_fails_alone(api: Api, guard: Guard) -> None:
    intake, now = api.state.intake, ms(ago(20))
    assert await intake.post(guard.device.id) is not None  # so that all three wait together
    odd = ReceivedFix(at=ago(10).replace(tzinfo=None), lat=LAT, lon=LON)
    first = intake.take(guard.device.id, [ReceivedFix(at=now, lat=LAT, lon=LON)], FixSource.BATCH)
    bad = intake.take(guard.device.id, [odd], FixSource.BATCH)
    good = intake.take(
        guard.device.id, [ReceivedFix(at=now + 1, lat=LAT, lon=LON)], FixSource.BATCH
    )
    told: Any = await asyncio.gather(first, bad, good, return_exceptions=True)
    assert isinstance(told[1], TypeError)
    assert [each.accepted for each in (told[0], told[2])] == [1, 1]
