"""Thresholds of grades and of silence are parameters: each is used, and none rewrites what was measured before."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from domain import accounts, positions
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from domain.credentials import enrol
from domain.positions import Presence
from domain.positions.model import Kind
from schema.core import ids
from tests import guards
from tests.api.asking import Api, Office
from tests.api.test_arrival_grades import STEPS, alarm, hand_in, shown

SET = """mutation ($input: SetParameterInput!) { setParameter(input: $input) {
  ... on ParameterValue { level value { numbers unit } } ... on Refusal { code argument message } } }"""
READ = """query ($site: ID, $names: [String!], $at: DateTime) { parameters(siteId: $site, names: $names, at: $at) {
  name source value { numbers unit } } }"""
ASSIGN = """mutation ($input: AssignDeviceInput!) { assignDevice(input: $input) {
  ... on Duty { id graceSeconds silentAfterSeconds } ... on Refusal { code argument } } }"""


async def put(api: Api, token: str, name: str, numbers: list[int], unit: str, **place: Any) -> Any:
    given = {"name": name, "numbers": numbers, "unit": unit} | place
    return (await api.data(token, SET, input=given))["setParameter"]


async def test_a_changed_threshold_grades_what_is_measured_after_it_and_nothing_before(
    api: Api, office: Office
) -> None:
    guard = await guards.on_duty(api.make, office.world)
    now = datetime.now(UTC).replace(microsecond=0)
    before = await alarm(api, office, guard, now - timedelta(minutes=5))
    await hand_in(api, guard, now - timedelta(minutes=2), STEPS, mock=False)
    first = (await shown(api, office.client, before))["arrivalEvidence"]
    assert first["grade"] == "B"

    site = ids.write("Site", guard.site.id)
    place = {"siteId": site}
    refused = await put(api, office.client, "evidence.accuracy", [2, 3], "METRES", **place)
    assert refused["code"] == "NOT_ALLOWED"
    wrong = await put(api, office.manager, "evidence.accuracy", [3, 2], "METRES", **place)
    assert (wrong["code"], wrong["argument"]) == ("INVALID", "numbers")
    made = await put(api, office.manager, "evidence.accuracy", [2, 3], "METRES", **place)
    assert made == {"level": "SITE", "value": {"numbers": [2, 3], "unit": "METRES"}}
    asked: dict[str, Any] = {"site": site, "names": ["evidence.accuracy"]}
    [here] = (await api.data(office.client, READ, **asked))["parameters"]
    assert (here["source"], here["value"]["numbers"]) == ("SITE", [2, 3])
    [then] = (await api.data(office.client, READ, at=now.isoformat(), **asked))["parameters"]
    assert (then["source"], then["value"]["numbers"]) == ("DEFAULT", [25, 50])

    after = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    second = await alarm(api, office, guard, after)
    await hand_in(api, guard, after, STEPS, mock=False)  # accurate to 5 m
    told = (await shown(api, office.client, second))["arrivalEvidence"]
    accuracy = next(each for each in told["reasons"] if each["code"] == "ACCURACY")
    assert (told["grade"], accuracy["allows"]) == ("C", "C")
    await hand_in(api, guard, now - timedelta(seconds=115), (0, 7), mock=False)  # graded again
    assert (await shown(api, office.client, before))["arrivalEvidence"]["grade"] == "B"


async def test_a_duty_has_the_thresholds_of_its_site_unless_it_says_others(
    api: Api, office: Office
) -> None:
    now = datetime.now(UTC)
    long_ago = {"fromAt": (now - timedelta(hours=3)).isoformat(), "untilAt": now.isoformat()}
    later = {
        "fromAt": (now + timedelta(minutes=1)).isoformat(),
        "untilAt": (now + timedelta(hours=8)).isoformat(),
    }
    assert await put(api, office.manager, "duties.silent_after", [2], "MINUTES")
    assert await put(api, office.manager, "duties.grace", [60], "SECONDS", siteId=office.site)
    assert (await assigned(api, office, **long_ago))["silentAfterSeconds"] == 300
    new = await assigned(api, office, **later)
    assert (new["silentAfterSeconds"], new["graceSeconds"]) == (120, 60)
    own = await assigned(api, office, silentAfterSeconds=90, graceSeconds=30, **later)
    assert (own["silentAfterSeconds"], own["graceSeconds"]) == (90, 30)
    refused = await assigned(api, office, silentAfterSeconds=29, **later)
    assert (refused["code"], refused["argument"]) == ("INVALID", "silentAfterSeconds")


async def test_a_device_is_silent_after_the_time_of_its_company(api: Api, office: Office) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    assert await put(api, office.manager, "duties.silent_after", [30], "SECONDS")
    begins = datetime.now(UTC) + timedelta(milliseconds=1)
    duty = await assigned(
        api, office, fromAt=begins.isoformat(), untilAt=(now + timedelta(hours=1)).isoformat()
    )
    duty_id = ids.wanted(duty["id"], "Duty", "id")
    for after_s, silent in ((29, False), (31, True)):
        async with transaction(api.make) as session:
            await positions.judge(session, duty_id, at=begins + timedelta(seconds=after_s))
        assert await is_silent(api, duty_id) == silent


async def assigned(api: Api, office: Office, **given: Any) -> Any:
    """Put a new guard with a new device on duty at the site."""
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        tx, name = Tx(session, system, datetime.now(UTC)), uuid4().hex
        user = await accounts.add_user(
            tx, email=f"{name}@example.org", name="Guard", role=Role.GUARD
        )
        guard = Actor(office.world.tenant.id, Role.GUARD, f"user:{user.id}")
        device, _ = await enrol(Tx(session, guard, tx.at), name="Phone")
    asked = {
        "deviceId": ids.write("Device", device.id),
        "accountId": office.account,
        "siteId": office.site,
    }
    answer = await api.data(office.dispatcher, ASSIGN, input=asked | given)
    return answer["assignDevice"]


async def is_silent(api: Api, duty_id: UUID) -> bool:
    async with api.make() as session:
        kinds = await session.scalars(select(Presence.kind).where(Presence.duty_id == duty_id))
        return Kind.SILENCE in kinds.all()
