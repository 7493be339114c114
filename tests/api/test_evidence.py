"""What fixes prove, from the endpoints of devices to what client and company read: evidence, not mere words."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain import positions
from domain.access import Tx
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.positions import Fix, Presence
from schema.core import ids
from tests import guards
from tests.api.asking import Api, Office
from tests.guards import Guard, near

Step = tuple[float, float]  # seconds since the duty began, metres north of the site
LASTING = "{ presences(first: 50) { nodes { kind fromAt untilAt lapsed duty { id } } } }"
SITE = """query ($a: ID!) { accountStatus(accountId: $a) { sites(first: 9) {
  site { id } state inside { duty { id } } absent { duty { id } } } } }"""
FAR = 100_000.0


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


async def on_duty(api: Api, office: Office, now: datetime, **how: Any) -> Guard:
    how = {"from_at": now - timedelta(hours=7), "until_at": now + timedelta(hours=1)} | how
    return await guards.on_duty(api.make, office.world, **how)


def fixes(guard: Guard, steps: Sequence[Step], **more: Any) -> list[dict[str, Any]]:
    begins = guard.duty.from_at
    return [
        {"at": (begins + timedelta(seconds=s)).isoformat(), "accuracyM": 5, **near(north), **more}
        for s, north in steps
    ]


async def send(api: Api, guard: Guard, handed: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {guard.token}"}
    answer = await api.http.post(
        "/ingest/positions", json={"fixes": handed, **more}, headers=headers
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def judged(api: Api, guard: Guard, at: datetime) -> None:
    async with transaction(api.make) as session:
        assert await positions.judge(session, guard.duty.id, at=at)


async def proven(api: Api, office: Office, guard: Guard, kind: str) -> list[tuple[float, Any]]:
    """From and until of what the dispatcher reads, in seconds since the duty began."""

    def since(at: str | None) -> Any:
        return None if at is None else (datetime.fromisoformat(at) - begins).total_seconds()

    begins = guard.duty.from_at
    data = await api.data(office.dispatcher, LASTING)
    duty = ids.write("Duty", guard.duty.id)
    rows = [row for row in data["presences"]["nodes"] if row["duty"]["id"] == duty]
    return sorted((since(r["fromAt"]), since(r["untilAt"])) for r in rows if r["kind"] == kind)


async def facts(api: Api, guard: Guard, kind: str) -> int:
    async with api.make() as session:
        rows = await session.scalars(
            select(LedgerRow).where(
                LedgerRow.account_id == guard.duty.account_id,
                LedgerRow.kind == kind,
                LedgerRow.body["duty_id"].astext == str(guard.duty.id),
            )
        )
        return len(rows.all())


async def state(api: Api, office: Office, token: str, guard: Guard) -> tuple[str, int, int]:
    data = await api.data(token, SITE, a=office.account)
    site = ids.write("Site", guard.site.id)
    [found] = [each for each in data["accountStatus"]["sites"] if each["site"]["id"] == site]
    return found["state"], len(found["inside"]), len(found["absent"])


async def test_positions_that_are_made_up_are_stored_and_prove_nothing(
    api: Api, office: Office, now: datetime
) -> None:
    guard = await on_duty(api, office, now)
    inside = [(float(s), 0.0) for s in range(600, 660, 10)]
    assert (await send(api, guard, fixes(guard, inside, mock=True)))["accepted"] == 6
    for n, (s, _north) in enumerate(inside):
        stamp = int((guard.duty.from_at + timedelta(seconds=s + 100)).timestamp())
        place = near(0)
        query = {"id": guard.token, **place, "timestamp": stamp, "mock": ("true", "1")[n % 2]}
        answer = await api.http.get("/ingest/traccar", params=query)
        assert answer.status_code == 200
    await judged(api, guard, guard.duty.from_at + timedelta(seconds=800))
    assert await proven(api, office, guard, "STAY") == []
    assert await proven(api, office, guard, "MOCK") == [(600, None)]
    async with api.make() as session:
        stored = list(await session.scalars(select(Fix).where(Fix.device_id == guard.device.id)))
    assert [fix.mock for fix in stored] == [True] * 12
    client = await api.data(
        office.client, "{ presences(first: 9, kinds: [MOCK]) { nodes { id } } }"
    )
    assert client["presences"]["nodes"] == []
    seen = await api.data(office.client, "{ positions { number } }")
    assert seen["positions"] == []
    await send(api, guard, fixes(guard, [(810, 0), (820, 0)], mock=False))
    await judged(api, guard, guard.duty.from_at + timedelta(seconds=830))
    assert await proven(api, office, guard, "MOCK") == [(600, 810)]
    assert await proven(api, office, guard, "STAY") == [(810, None)]


@pytest.mark.parametrize(
    ("track", "speed", "radius_m"),
    [
        ([*((8 * n, FAR) for n in range(4)), (32, 0), (40, 0), *((48 + 8 * n, FAR) for n in range(4))], 0, 50),
        ([*((8 * n, FAR) for n in range(4)), *((32 + 8 * n, 0) for n in range(9)), (104, FAR), (112, FAR)], None, 50),
        ([*((5 * n, 3_000) for n in range(4)), (20, 0), (26, 0), (30, 3_000), (35, 3_000)], 0, 50),
        ([(3 * n, 22 * 3 * n - 990) for n in range(30)], 22, 100),
        ([(3 * n, 22 * 3 * n - 990) for n in range(30)], None, 100),
        ([(3 * n, 22 * 3 * n - 990) for n in range(30)], 0, 100),
        ([(1 * n, 12 * n - 500) for n in range(90)], None, 100),
        ([(2 * n, 22 * 2 * n - 2_000) for n in range(90)], 22, 500),
    ],
)  # fmt: skip
async def test_who_jumps_or_passes_through_has_not_arrived(
    api: Api, office: Office, now: datetime, track: list[Step], speed: float | None, radius_m: float
) -> None:
    guard = await on_duty(api, office, now, radius_m=radius_m)
    given = {} if speed is None else {"speedMps": speed}
    await send(api, guard, fixes(guard, track, **given))
    await judged(api, guard, guard.duty.from_at + timedelta(seconds=200))
    assert await proven(api, office, guard, "STAY") == []
    assert await facts(api, guard, "guard.arrived") == 0


async def test_who_drives_up_and_stops_has_arrived_and_a_jump_of_the_receiver_is_no_leaving(
    api: Api, office: Office, now: datetime
) -> None:
    guard = await on_duty(api, office, now, radius_m=100)
    driving = [(3.0 * n, 990.0 - 45 * n) for n in range(22)]
    standing = [(66.0 + 5 * n, 0.0) for n in range(60)]
    wrong = [(n, FAR) for n in (370.0, 375.0, 380.0, 395.0)]
    after = [(400.0 + 5 * n, 0.0) for n in range(20)]
    await send(api, guard, fixes(guard, [*driving, *standing, *wrong, *after]))
    await judged(api, guard, guard.duty.from_at + timedelta(seconds=500))
    [(since, until)] = await proven(api, office, guard, "STAY")
    assert 57 <= since <= 66
    assert until is None


async def test_a_hole_in_the_record_is_no_presence(api: Api, office: Office, now: datetime) -> None:
    guard = await on_duty(api, office, now)
    track = [(300, 0), *((7_500 + 10 * n, 0) for n in range(10))]
    await send(api, guard, fixes(guard, track))
    await judged(api, guard, guard.duty.from_at + timedelta(seconds=7_600))
    assert await proven(api, office, guard, "STAY") == [(7_500, None)]
    later = [(15_000 + 10 * n, 0) for n in range(10)]
    await judged(api, guard, guard.duty.from_at + timedelta(seconds=8_000))
    assert await proven(api, office, guard, "STAY") == [(7_500, 7_590)]
    assert await facts(api, guard, "guard.presence_lapsed") == 1
    await send(api, guard, fixes(guard, later))
    await judged(api, guard, guard.duty.from_at + timedelta(seconds=15_100))
    assert await proven(api, office, guard, "STAY") == [(7_500, 7_590), (15_000, None)]
    assert await facts(api, guard, "guard.left") == 0
    hole = [(7_590 + 60 * n, 0) for n in range(1, 125)]
    await send(api, guard, fixes(guard, hole))
    await judged(api, guard, guard.duty.from_at + timedelta(seconds=15_110))
    assert await proven(api, office, guard, "STAY") == [(7_500, None)]


async def test_fixes_after_the_end_of_a_duty_make_no_second_stay(
    api: Api, office: Office, now: datetime
) -> None:
    guard = await on_duty(
        api, office, now, from_at=now - timedelta(hours=2), until_at=now - timedelta(seconds=20)
    )
    end = 7_180.0
    await send(api, guard, fixes(guard, [(end - 120 + 10 * n, 0) for n in range(6)]))
    await judged(api, guard, now - timedelta(seconds=40))
    async with transaction(api.make) as session:
        await positions.end_overdue(session, at=now)
    await judged(api, guard, now)
    for n in range(5):
        await send(api, guard, fixes(guard, [(end - 25 + 4 * n, 0)]))
        await judged(api, guard, now + timedelta(seconds=n))
    assert await proven(api, office, guard, "STAY") == [(end - 120, end)]
    assert await facts(api, guard, "guard.arrived") == 1


async def test_a_duty_that_was_judged_without_a_fix_is_told_right_when_they_come(
    api: Api, office: Office, now: datetime
) -> None:
    guard = await on_duty(
        api, office, now, from_at=now - timedelta(hours=2), until_at=now - timedelta(hours=1)
    )
    async with transaction(api.make) as session:
        await positions.end_overdue(session, at=now)
    await judged(api, guard, now)
    assert await proven(api, office, guard, "SILENCE") == [(0, 3_600)]
    await send(api, guard, fixes(guard, [(30.0 * n, 0) for n in range(120)]))
    await judged(api, guard, now)
    assert await proven(api, office, guard, "STAY") == [(0, 3_600)]
    assert await proven(api, office, guard, "SILENCE") == []
    assert await proven(api, office, guard, "ABSENCE") == []


@pytest.mark.parametrize(
    ("radius_m", "north", "accuracy_m", "inside"),
    [
        (1_000, 0, 120, True), (1_000, 850, 120, True), (1_000, 1_000, 120, False),
        (10, 0, 99, False), (10, 0, 12, False), (10, 0, 6, True), (50, 0, 30, True), (50, 45, 40, False),
    ],
)  # fmt: skip
async def test_accuracy_counts_against_the_size_of_the_fence(
    api: Api,
    office: Office,
    now: datetime,
    radius_m: float,
    north: float,
    accuracy_m: float,
    inside: bool,
) -> None:
    guard = await on_duty(api, office, now, radius_m=radius_m, grace_s=600)
    track = [(10.0 * n, float(north)) for n in range(90)]
    await send(api, guard, fixes(guard, track, accuracyM=accuracy_m))
    await judged(api, guard, guard.duty.from_at + timedelta(seconds=900))
    assert bool(await proven(api, office, guard, "STAY")) is inside
    assert bool(await proven(api, office, guard, "ABSENCE")) is not inside


@pytest.mark.parametrize("fast_s", [192, 4_000, -300])
async def test_the_instants_of_a_clock_that_is_known_to_be_wrong_are_corrected(
    api: Api, office: Office, now: datetime, fast_s: int
) -> None:
    begins = now - timedelta(minutes=5)
    guard = await on_duty(
        api, office, now, from_at=begins, until_at=now + timedelta(hours=1), grace_s=30
    )
    wrong = timedelta(seconds=fast_s)
    handed = [
        {"at": (begins + timedelta(seconds=n) + wrong).isoformat(), "accuracyM": 5, **near(0)}
        for n in range(5, 295, 10)
    ]
    sent = (datetime.now(UTC) + wrong).isoformat()
    assert (await send(api, guard, handed, sentAt=sent))["accepted"] == len(handed)
    again = (datetime.now(UTC) + wrong + timedelta(seconds=2)).isoformat()
    assert (await send(api, guard, handed, sentAt=again))["duplicates"] == len(handed)
    await judged(api, guard, now)
    [(since, until)] = await proven(api, office, guard, "STAY")
    assert since == pytest.approx(5, abs=10)
    assert until is None
    assert await proven(api, office, guard, "ABSENCE") == []
    assert (await state(api, office, office.client, guard))[0] == "COVERED"
    data = await api.data(office.dispatcher, "{ devices { nodes { id clockBehindSeconds } } }")
    [device] = data["devices"]["nodes"]
    assert device["clockBehindSeconds"] == pytest.approx(-fast_s, abs=10)


async def test_a_clock_that_is_wrong_and_says_nothing_is_shown_as_the_reason(
    api: Api, office: Office, now: datetime
) -> None:
    guard = await on_duty(api, office, now)
    ahead = {"at": (now + timedelta(seconds=400)).isoformat(), **near(0)}
    told = await send(api, guard, [ahead])
    assert [each["reason"] for each in told["refused"]] == ["FROM_THE_FUTURE"]
    data = await api.data(
        office.dispatcher, "{ devices { nodes { refusals refusedAt refusedFor refusedMessage } } }"
    )
    [device] = data["devices"]["nodes"]
    assert (device["refusals"], device["refusedFor"]) == (1, "FROM_THE_FUTURE")
    assert "sentAt" in device["refusedMessage"]


async def test_who_carries_two_devices_is_at_the_post_by_either_of_them(
    api: Api, office: Office, now: datetime
) -> None:
    from domain import credentials

    one = await on_duty(api, office, now, from_at=now - timedelta(hours=1), grace_s=60)
    async with transaction(api.make) as session:
        device, token = await credentials.enrol(Tx(session, one.actor, now), name="Tablet")
        duty = await positions.assign(
            Tx(session, office.world.staff, now), device.id, office.world.account.id,
            site_id=one.site.id, from_at=one.duty.from_at, until_at=one.duty.until_at, grace_s=60,
        )  # fmt: skip
    other = Guard(one.user, device, token, duty, one.site)
    await send(api, other, fixes(other, [(3_500.0 + 10 * n, 11_000) for n in range(10)]))
    await judged(api, other, now)
    assert await state(api, office, office.client, one) == ("ABSENT", 0, 1)
    await send(api, one, fixes(one, [(60.0 * n, 0) for n in range(60)]))
    await judged(api, one, now)
    async with api.make() as session:
        assert duty.id in await positions.due(session, at=now)
    await judged(api, other, now)
    assert await state(api, office, office.client, one) == ("COVERED", 1, 0)
    assert await proven(api, office, other, "ABSENCE") == []


async def test_a_sign_of_life_without_a_place_keeps_a_device_from_being_silent(
    api: Api, office: Office, now: datetime
) -> None:
    guard = await on_duty(api, office, now, from_at=now - timedelta(seconds=20), silent_after_s=30)
    keep_alive = {
        "device_id": guard.token,
        "location": {"timestamp": now.isoformat(), "event": "heartbeat"},
    }
    assert (await api.http.post("/ingest/traccar", json=keep_alive)).status_code == 200
    for seconds in (5, 10):
        at = (now - timedelta(seconds=seconds)).isoformat()
        assert (await send(api, guard, [{"at": at}]))["accepted"] == 1
    await judged(api, guard, now + timedelta(seconds=25))
    assert await proven(api, office, guard, "SILENCE") == []
    assert await proven(api, office, guard, "STAY") == []
    data = await api.data(office.dispatcher, "{ positions { number } }")
    assert data["positions"] == []
    await judged(api, guard, now + timedelta(seconds=60))
    assert len(await proven(api, office, guard, "SILENCE")) == 1


TRACK: list[Step] = [
    *((10.0 * n, 900 - 20 * n) for n in range(46)),
    *((460.0 + 15 * n, 5.0 * (n % 4)) for n in range(30)),
    *((915.0 + 8 * n, FAR) for n in range(3)),
    *((950.0 + 20 * n, 10.0) for n in range(20)),
    *((2_200.0 + 10 * n, 0.0) for n in range(12)),
    *((2_330.0 + 10 * n, 30.0 * n) for n in range(40)),
]


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_any_split_and_any_repeat_come_to_the_same(
    api: Api, office: Office, now: datetime, seed: int
) -> None:
    dice = random.Random(seed)
    times = {
        "from_at": now - timedelta(hours=2),
        "until_at": now - timedelta(minutes=2 + 60 * (seed % 2)),
    }
    straight, crooked = [await on_duty(api, office, now, **times) for _ in range(2)]
    await send(api, straight, fixes(straight, TRACK))
    await judged(api, straight, now)
    steps = [*TRACK, *dice.sample(TRACK, 40)]
    dice.shuffle(steps)
    while steps:
        some, steps = steps[: (many := dice.randint(1, 60))], steps[many:]
        await send(api, crooked, fixes(crooked, some))
        if dice.random() < 0.7:
            at = crooked.duty.from_at + timedelta(seconds=dice.randint(2_800, 7_200))
            await judged(api, crooked, at)
    await judged(api, crooked, now)
    for kind in ("STAY", "DWELL", "SILENCE", "ABSENCE"):
        assert await proven(api, office, crooked, kind) == await proven(
            api, office, straight, kind
        ), kind
    async with api.make() as session:
        rows = list(
            await session.scalars(
                select(Presence).where(Presence.duty_id.in_([straight.duty.id, crooked.duty.id]))
            )
        )
    told = {
        guard.duty.id: sorted(
            (r.kind, r.from_at, r.until_at, r.fixes, r.lapsed)
            for r in rows
            if r.duty_id == guard.duty.id
        )
        for guard in (straight, crooked)
    }
    assert told[straight.duty.id] == told[crooked.duty.id]
    assert len([r for r in rows if r.kind == "stay"]) >= 4


async def test_what_is_no_fence_is_refused(api: Api, office: Office, now: datetime) -> None:
    guard = await on_duty(api, office, now)

    async def fence(corners: Sequence[tuple[float, float]], **more: Any) -> str:
        given = {"siteId": ids.write("Site", guard.site.id), **more}
        given["outline"] = [each for corner in corners for each in corner]
        query = """mutation ($i: FenceSiteInput!) { fenceSite(input: $i) {
          __typename ... on Refusal { code argument message } } }"""
        told = (await api.data(office.manager, query, i=given))["fenceSite"]
        return (
            "taken"
            if told["__typename"] == "Site"
            else f"{told['code']} {told['argument']} {told['message']}"
        )

    lat, lon = near(0)["lat"], near(0)["lon"]
    square = [(lat, lon), (lat + 0.001, lon), (lat + 0.001, lon + 0.001), (lat, lon + 0.001)]
    assert await fence(square) == "taken"
    assert await fence([*square, square[0]]) == "taken"
    middle = (lat + 0.0005, lon)
    assert await fence([square[0], middle, *square[1:]]) == "taken"
    refused = {
        "different": [(lat, lon)] * 3,
        "different corners": [(lat, lon), (lat, lon), (lat + 0.001, lon)],
        "seem to be swapped": [(b, a) for a, b in square],
        "farther than 50 km": [(a + 10, b) for a, b in square],
        "latitude (within 90)": [(lat, lon), (91.0, lon), (lat, lon + 0.001)],
        "crosses": [square[0], square[2], square[1], square[3]],
        "or touches": [square[0], square[1], square[2], square[3], (lat + 0.001, lon + 0.0005)],
        "encloses less": [(lat, lon), (lat + 0.00002, lon), (lat, lon + 0.00002)],
    }
    for words, corners in refused.items():
        told = await fence(corners)
        assert told.startswith("INVALID outline"), (words, told)
        assert words in told
    assert "TOO_" not in await fence(square)


async def test_the_id_that_enrolling_answers_is_the_one_that_the_graph_takes(
    api: Api, office: Office, now: datetime
) -> None:
    guard = await on_duty(api, office, now)
    headers = {"authorization": f"Bearer {api.token(guard.user.id)}"}
    answer = await api.http.post("/auth/devices", json={"name": "Phone"}, headers=headers)
    device = answer.json()
    query = """mutation ($i: AssignDeviceInput!) { assignDevice(input: $i) {
      __typename ... on Refusal { code message } ... on Duty { id } } }"""
    times = {"fromAt": now + timedelta(hours=2), "untilAt": now + timedelta(hours=3)}
    given = {"deviceId": device["id"], "accountId": office.account} | {
        key: at.isoformat() for key, at in times.items()
    }
    told = (await api.data(office.dispatcher, query, i=given))["assignDevice"]
    assert told["__typename"] == "Duty", told
    data = await api.data(office.dispatcher, "{ devices { nodes { id } } }")
    assert device["id"] in {each["id"] for each in data["devices"]["nodes"]}
    path = f"/auth/devices/{device['id']}/revoke"
    assert (await api.http.post(path, json={}, headers=headers)).status_code == 204
