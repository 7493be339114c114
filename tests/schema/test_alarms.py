"""Alarms through the API: two centres with the same numbers, the response step by step, keys, and wrong roles."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from domain import alarms, compensation, guards, promises
from domain.access import Actor, Tx
from domain.agreements import PromiseKind
from domain.alarms import Alarm
from domain.alarms.dc09 import checksum
from domain.compensation.model import Credit
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.messages import Message
from domain.promises import State
from domain.promises.model import Promise
from schema.core import ids
from tests import guards as on_duty
from tests.api import asking
from tests.api.asking import Api, Office
from tests.api.test_arrival_grades import hand_in
from tests.api.test_lowest_grade import agree
from tests.guards import Guard, near
from tests.schema.test_shifts import somebody, verb

ALARM = """id kind state senderNumber zone zoneName number distanceM arrivesAt arrivedAt arrivalGrade outcome
  falseAlarmCause report policeNumber user { id } system { id } incident { id status outcome }
  inspection { item isFine note }"""
VERBS = {
    name: verb(name, "Alarm", ALARM)
    for name in (
        *("receiveAlarm", "dispatchAlarm", "acceptAlarm", "declineAlarm", "reportAlarmEnRoute"),
        *("reportAlarmOnSite", "inspectAlarm", "reportAlarm", "callOffAlarm", "notePolice"),
    )
}
SYSTEM = verb("setAlarmSystem", "AlarmSystem", "id number zones { number name } checklist")
KEYS = {
    name: verb(name, "RegisteredKey", "id label isOut holder { id } movements { kind user { id } }")
    for name in ("registerKey", "issueKey", "returnKey", "withdrawKey")
}
ISSUE = """mutation ($input: IssueApiKeyInput!) { issueApiKey(input: $input) {
  ... on IssuedApiKey { secret apiKey { id } } ... on Refusal { code message } } }"""
LIST = f"{{ alarms(first: 100) {{ nodes {{ {ALARM} }} }} }}"
UNITS = """query ($alarm: ID!) { alarmUnits(alarmId: $alarm) { speedKmh unitCount excludedCount
  units { distanceM travelSeconds reason isOnDutyHere user { id } } excluded { reason text user { id } } } }"""
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    configured = asking.settings(
        database_url, redis_url, tmp_path, budget_per_s=1e9, budget_burst=1e12
    )
    async with asking.running(configured) as running:
        yield running


@pytest.fixture
async def office(api: Api) -> Office:
    return await asking.office(api)


async def act(api: Api, token: str, name: str, **given: Any) -> Any:
    document = VERBS.get(name) or KEYS[name]
    answer = await api.ask(token, document, input=given)
    return (
        answer["data"][name]
        if answer.get("data")
        else {"code": answer["errors"][0]["extensions"]["code"]}
    )


async def centre(api: Api, office: Office, *accounts_: str) -> tuple[str, str]:
    """An alarm centre's key for some accounts: its secret and its id."""
    given = {
        "name": f"Centre {uuid4().hex[:6]}", "accountIds": [*(accounts_ or (office.account,))],
        "scopes": ["alarms:write"],
    }  # fmt: skip
    issued = (await api.data(office.manager, ISSUE, input=given))["issueApiKey"]
    return issued["secret"], issued["apiKey"]["id"]


async def system(api: Api, office: Office, key: str, site: str, **more: Any) -> Any:
    given = {"keyId": key, "number": "AB12", "siteId": site, **more}
    return (await api.data(office.manager, SYSTEM, input=given))["setAlarmSystem"]


async def tell(api: Api, secret: str, **body: Any) -> Any:
    headers = {"authorization": f"Bearer {secret}"}
    return await api.http.post("/alarms", json=body, headers=headers)


async def able(api: Api, office: Office, guard: Guard, *names: str) -> None:
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        await guards.set_profile(
            tx, guard.user.id, pass_colour=guards.PassColour.GREY, pass_expires_on=date(2099, 1, 1)
        )
        for name in names:
            await guards.grant_qualification(tx, guard.user.id, name)


async def report_position(api: Api, guard: Guard, metres: float) -> None:
    fix = {"at": datetime.now(UTC).isoformat(), "accuracyM": 5, **near(metres)}
    headers = {"authorization": f"Bearer {guard.token}"}
    answer = await api.http.post("/ingest/positions", json={"fixes": [fix]}, headers=headers)
    assert answer.json()["accepted"] == 1, answer.text


async def follow(api: Api, office: Office, kind: str) -> None:
    """Run the jobs that follow from the incident's facts of a kind."""
    async with api.make() as session:
        facts = list(
            await session.scalars(
                select(LedgerRow)
                .where(LedgerRow.tenant_id == office.world.tenant.id, LedgerRow.kind == kind)
                .order_by(LedgerRow.id)
            )
        )
    for fact in facts:
        async with transaction(api.make) as session:
            tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
            work = alarms.tell_alarm if kind.startswith("alarm.") else alarms.follow_incident
            await work(tx, fact)  # type: ignore[arg-type]  # a row has what a job reads


async def promise_of(api: Api, alarm: str) -> Promise:
    found = ids.read(alarm)
    assert found is not None
    async with api.make() as session:
        query = select(Promise).where(
            Promise.unit_id == found[1], Promise.kind == PromiseKind.ALARM_ATTENDED
        )
        return (await session.scalars(query)).one()


async def letters(api: Api, office: Office) -> dict[str, int]:
    """The number of letters about alarms, by template."""
    async with api.make() as session:
        rows = await session.execute(
            select(Message.template, func.count())
            .where(
                Message.tenant_id == office.world.tenant.id, Message.template.startswith("alarm")
            )
            .group_by(Message.template)
        )
        return {row[0]: row[1] for row in rows}


async def agreed(api: Api, office: Office, **more: Any) -> None:
    given = {
        "name": "alarm attended", "kind": "ALARM_ATTENDED", "lowestGrade": "B",
        "targets": [{"priority": "CRITICAL", "elapsedSeconds": 900}], **more,
    }  # fmt: skip
    answer = await agree(api, office, **given)
    assert "terms" in answer["data"]["done"], answer


async def test_two_centres_with_the_same_numbers_shuffled_and_doubled(
    api: Api, office: Office
) -> None:
    first, first_id = await centre(api, office)
    second, second_id = await centre(api, office)
    for key in (first_id, second_id):
        assert (await system(api, office, key, office.site))["number"] == "AB12"
    sent = [(secret, n) for secret in (first, second) for n in range(100) for _ in range(2)]
    random.Random(14).shuffle(sent)
    gate = asyncio.Semaphore(6)

    async def one(secret: str, n: int) -> tuple[str, int, str]:
        async with gate:
            answer = await tell(
                api, secret, number=f"{n}", system="ab12", kind="burglary", zone="3"
            )
            while answer.status_code == 503:  # busy: an alarm centre sends it again
                answer = await tell(
                    api, secret, number=f"{n}", system="ab12", kind="burglary", zone="3"
                )
        assert answer.status_code == 200, answer.text
        return secret, n, answer.json()["id"]

    found = await asyncio.gather(*(one(*each) for each in sent))
    by_number = {(secret, n): alarm for secret, n, alarm in found}
    assert len(set(by_number.values())) == len(by_number) == 200
    assert all(by_number[secret, n] == alarm for secret, n, alarm in found)
    async with api.make() as session:
        counted = await session.execute(
            select(LedgerRow.kind, func.count())
            .where(
                LedgerRow.tenant_id == office.world.tenant.id,
                LedgerRow.kind.in_(("alarm.received", "incident.opened")),
            )
            .group_by(LedgerRow.kind)
        )
        assert {row[0]: row[1] for row in counted} == {
            "alarm.received": 200,
            "incident.opened": 200,
        }
        senders = await session.scalars(select(Alarm.sender))
        assert Counter(senders).most_common(2)[0][1] == 100


async def test_strangers_sites_and_wrong_roles_are_refused(api: Api, office: Office) -> None:
    other = await asking.office(api)
    secret, key = await centre(api, office)
    stranger, _ = await centre(api, other)
    await system(api, office, key, office.site)
    refused = await system(api, other, key, other.site)
    assert refused["code"] == "NOT_FOUND"  # a key of another company
    assert (await tell(api, stranger, number="1", system="AB12", kind="fire")).status_code == 404
    assert (await tell(api, secret, number="1", system="XX", kind="fire")).status_code == 404
    assert (await tell(api, secret, number="1", system="AB12", kind="bang")).status_code == 400
    assert (await tell(api, "no-key", number="1", system="AB12", kind="fire")).status_code == 401
    assert (
        await tell(api, office.client, number="1", system="AB12", kind="fire")
    ).status_code == 403
    given = {"number": "1", "kind": "FIRE", "siteId": other.site}
    assert (await act(api, secret, "receiveAlarm", **given))["code"] == "NOT_FOUND"
    assert (await act(api, office.dispatcher, "receiveAlarm", **given))["code"] == "NOT_FOUND"
    given["siteId"] = office.site
    assert (await act(api, office.client, "receiveAlarm", **given))["code"] in (
        "NOT_ALLOWED",
        "FORBIDDEN",
    )
    assert (await tell(api, secret, number="1", system="AB12", kind="fire")).status_code == 200
    told = await act(api, office.dispatcher, "receiveAlarm", **given)  # staff's own number 1
    assert told["state"] == "RECEIVED"
    assert (await act(api, office.dispatcher, "receiveAlarm", **given))["id"] == told["id"]
    assert len((await api.data(office.client, LIST))["alarms"]["nodes"]) == 2
    assert [each["kind"] for each in (await api.data(secret, LIST))["alarms"]["nodes"]] == ["FIRE"]
    assert (await api.data(other.manager, LIST))["alarms"]["nodes"] == []
    guard = api.token(await somebody(api, office))
    assert (await api.data(guard, LIST))["alarms"]["nodes"] == []
    for token in (office.client, guard, secret):
        assert (await act(api, token, "dispatchAlarm", id=told["id"])).get("code")
    assert (await act(api, guard, "acceptAlarm", id=told["id"]))["code"] == "NOT_FOUND"
    async with api.make() as session:
        opened = await session.scalars(
            select(LedgerRow.actor).where(
                LedgerRow.tenant_id == office.world.tenant.id, LedgerRow.kind == "alarm.received"
            )
        )
        assert len(list(opened)) == 2


async def test_the_nearest_free_and_qualified_guard_is_sent_proven_by_the_fence_and_reports(
    api: Api, office: Office
) -> None:
    await agreed(api, office)
    near_by, far, busy, unqualified = [
        await on_duty.on_duty(api.make, office.world, radius_m=200) for _ in range(4)
    ]
    for guard in (near_by, far, busy):
        await able(api, office, guard, "dog")
    await able(api, office, unqualified)
    for guard, metres in ((near_by, 2_000), (far, 5_000), (busy, 900), (unqualified, 500)):
        await report_position(api, guard, metres)
    secret, key = await centre(api, office)
    site = ids.write("Site", near_by.site.id)
    await system(
        api, office, key, site, zones=[{"number": "3", "name": "Back door"}],
        qualifications=["dog"], checklist=["Doors", "Windows"],
    )  # fmt: skip
    other = await act(
        api, office.dispatcher, "receiveAlarm", number="7", kind="FIRE",
        siteId=ids.write("Site", busy.site.id),
    )  # fmt: skip
    sent = await act(
        api, office.dispatcher, "dispatchAlarm", id=other["id"],
        userId=ids.write("User", busy.user.id),
    )  # fmt: skip
    assert sent["state"] == "DISPATCHED"
    assert (
        await tell(api, secret, number="9", system="AB12", kind="burglary", zone="3")
    ).status_code == 200
    alarm = (await api.data(office.dispatcher, LIST))["alarms"]["nodes"][0]
    assert (alarm["zoneName"], alarm["incident"]["status"]) == ("Back door", "NEW")
    units = (await api.data(office.dispatcher, UNITS, alarm=alarm["id"]))["alarmUnits"]
    assert [each["user"]["id"] for each in units["units"]] == [
        ids.write("User", each.user.id) for each in (near_by, far)
    ]
    assert units["units"][0]["travelSeconds"] == pytest.approx(2_000 / 1_000 / 40 * 3_600, abs=5)
    assert {each["reason"] for each in units["excluded"]} == {"BUSY", "QUALIFICATION"}
    assert (await api.ask(office.client, UNITS, alarm=alarm["id"]))["data"] is None
    id_ = {"id": alarm["id"]}
    no = await act(
        api, office.dispatcher, "dispatchAlarm", **id_, userId=ids.write("User", busy.user.id)
    )
    assert (no["code"], no["argument"]) == ("INVALID", "userId")
    done = await act(api, office.dispatcher, "dispatchAlarm", **id_)
    assert (done["state"], done["user"]["id"]) == ("DISPATCHED", ids.write("User", near_by.user.id))
    await follow(api, office, "alarm.dispatched")
    told_of = await letters(api, office)
    own, stranger = api.token(near_by.user.id), api.token(far.user.id)
    assert (await act(api, stranger, "acceptAlarm", **id_))["code"] == "NOT_FOUND"
    assert (await act(api, own, "inspectAlarm", **id_, items=[]))["code"] == "INVALID"
    assert (await act(api, own, "acceptAlarm", **id_))["state"] == "ACCEPTED"
    assert (await act(api, own, "reportAlarmEnRoute", **id_))["state"] == "EN_ROUTE"
    assert (await promise_of(api, alarm["id"])).state is State.RUNNING
    began = datetime.now(UTC) + timedelta(seconds=1)
    await hand_in(api, near_by, began, range(0, 60, 10), mock=False)
    await follow(api, office, "incident.arrived")
    await follow(api, office, "incident.arrived")  # a job may run twice
    await follow(api, office, "incident.arrival_graded")
    shown = (await api.data(own, LIST))["alarms"]["nodes"][0]
    assert (shown["state"], shown["arrivalGrade"] in ("A", "B")) == ("ON_SITE", True)
    promise = await promise_of(api, alarm["id"])
    async with transaction(api.make) as session:  # the fixes are some seconds ahead
        await promises.sweep(session, at=promise.due_at, only=promise.unit_id)  # type: ignore[arg-type]
    promise = await promise_of(api, alarm["id"])
    assert (promise.state, promise.stopped_at) == (
        State.KEPT,
        datetime.fromisoformat(shown["arrivedAt"]),
    )
    half = await act(api, own, "inspectAlarm", **id_, items=[{"item": "Doors", "isFine": True}])
    assert "Windows" in half["message"]
    items = [
        {"item": "Doors", "isFine": True},
        {"item": "Windows", "isFine": False, "note": "Open"},
    ]
    assert (await act(api, own, "inspectAlarm", **id_, items=items))["inspection"][1][
        "note"
    ] == "Open"
    given = {**id_, "outcome": "FALSE_ALARM", "report": "The wind opened a window."}
    assert (await act(api, own, "reportAlarm", **given))["code"] == "INVALID"
    noted = datetime.now(UTC).isoformat()
    police = await act(api, own, "notePolice", **id_, number="PL2026-1", toldAt=noted)
    assert police["policeNumber"] == "PL2026-1"
    ended = await act(api, own, "reportAlarm", **given, falseAlarmCause="WEATHER")
    assert (ended["state"], ended["incident"]["outcome"]) == ("REPORTED", "FALSE_ALARM")
    assert (await act(api, own, "reportAlarm", **given, falseAlarmCause="WEATHER"))[
        "code"
    ] == "ALREADY_DONE"
    seen = next(
        each
        for each in (await api.data(office.client, LIST))["alarms"]["nodes"]
        if each["id"] == alarm["id"]
    )
    assert (seen["user"], seen["distanceM"], seen["report"]) == (None, None, given["report"])
    await follow(api, office, "alarm.arrived")
    written = await letters(api, office)
    assert written["alarm_order"] == 2  # one for each guard who was sent
    # The sites lie at one place: the guard arrived at both alarms.
    assert written["alarm_response"] == told_of["alarm_response"] * 2
    for kind in ("alarm.dispatched", "alarm.arrived"):
        await follow(api, office, kind)
    assert await letters(api, office) == written


async def test_nobody_comes_and_the_promise_breaks_with_its_credit(
    api: Api, office: Office
) -> None:
    await agreed(api, office)
    told = await act(
        api, office.dispatcher, "receiveAlarm", number="1", kind="BURGLARY", siteId=office.site
    )
    promise = await promise_of(api, told["id"])
    assert promise.due_at is not None
    async with transaction(api.make) as session:
        await promises.sweep(
            session, at=promise.due_at + timedelta(microseconds=1), only=promise.unit_id
        )
    assert (await promise_of(api, told["id"])).state is State.LATE
    async with transaction(api.make) as session:
        actor = Actor.system(office.world.tenant.id, "credits")
        await compensation.decide(Tx(session, actor, promise.due_at + MINUTE), promise.id)
        credit = (
            await session.scalars(select(Credit).where(Credit.promise_id == promise.id))
        ).one()
        assert credit.amount_cents == 7_500


async def test_a_word_is_no_proof_and_a_call_off_ends_the_clock(api: Api, office: Office) -> None:
    await agreed(api, office)
    guard = await on_duty.on_duty(api.make, office.world, radius_m=200)
    await able(api, office, guard)
    user = ids.write("User", guard.user.id)
    site = ids.write("Site", guard.site.id)
    told = [
        await act(api, office.dispatcher, "receiveAlarm", number=n, kind="WATER", siteId=site)
        for n in ("1", "2")
    ]
    sent = await act(api, office.dispatcher, "dispatchAlarm", id=told[0]["id"], userId=user)
    assert (sent["state"], sent["arrivesAt"]) == ("DISPATCHED", None)
    own = api.token(guard.user.id)
    assert (await act(api, own, "reportAlarmOnSite", id=told[0]["id"]))["arrivalGrade"] == "D"
    assert (await promise_of(api, told[0]["id"])).state is State.RUNNING
    off = await act(
        api, office.dispatcher, "callOffAlarm", id=told[1]["id"], reason="Client called"
    )
    assert (off["state"], off["incident"]["outcome"]) == ("CALLED_OFF", "CALLED_OFF")
    assert (await promise_of(api, told[1]["id"])).state is State.CANCELLED
    assert (await act(api, office.dispatcher, "callOffAlarm", id=told[0]["id"], reason="x"))[
        "code"
    ] == "INVALID"


async def test_frames_are_acknowledged_once_refused_and_not_understood(
    api: Api, office: Office
) -> None:
    secret, key = await centre(api, office)
    await system(api, office, key, office.site)
    headers = {"authorization": f"Bearer {secret}"}

    async def send(text_: str, **change: bytes) -> Any:
        body = text_.encode()
        raw = b"\n" + checksum(body).encode() + f"{len(body):04X}".encode() + body + b"\r"
        return await api.http.post("/alarms/dc09", content=change.get("raw", raw), headers=headers)

    now = f"{datetime.now(UTC):_%H:%M:%S,%m-%d-%Y}"
    for _ in range(2):
        answer = await send(f'"ADM-CID"0007R1L0#AB12[#AB12|1130 01 003]{now}')
        assert (answer.status_code, b'"ACK"0007R1L0#AB12[]' in answer.content) == (200, True)
    for text_, expected in (
        ('"SIA-DCS"0008L0#AB12[#AB12|Nri1/CL501]', b'"ACK"0008'),  # a closing opens nothing
        ('"NULL"0009L0#AB12[]', b'"ACK"0009'),
        ('"SIA-DCS"0010L0#CD34[#CD34|NBA1]', b'"DUH"0010'),  # no such system
        ('"*SIA-DCS"0011L0#AB12[00FF', b'"DUH"0011'),
        ('"SIA-DCS"0012L0#AB12[#AB12|NBA1]_00:00:00,01-01-2020', b'"NAK"0000'),
    ):
        assert expected in (await send(text_)).content
    broken = await send("", raw=b'\n00000003"x"\r')
    assert (broken.status_code, broken.json()["errors"][0]["extensions"]["code"]) == (
        400,
        "BAD_REQUEST",
    )
    found = (await api.data(office.dispatcher, LIST))["alarms"]["nodes"]
    assert [(each["kind"], each["zone"]) for each in found] == [("BURGLARY", "003")]


async def test_keys_are_issued_once_and_their_history_cannot_be_changed(
    api: Api, office: Office
) -> None:
    guard = ids.write("User", await somebody(api, office))
    key = await act(api, office.manager, "registerKey", siteId=office.site, label="K1")
    id_ = {"id": key["id"]}
    assert (await act(api, office.manager, "registerKey", siteId=office.site, label="K1"))[
        "code"
    ] == "ALREADY_EXISTS"
    for token in (office.client, office.dispatcher):
        assert (await act(api, token, "registerKey", siteId=office.site, label="K2")).get("code")
    issued = await asyncio.gather(
        *(act(api, office.dispatcher, "issueKey", **id_, userId=guard) for _ in range(5))
    )
    assert sorted(each.get("code") or "issued" for each in issued) == ["ALREADY_DONE"] * 4 + [
        "issued"
    ]
    assert (await act(api, office.manager, "withdrawKey", **id_))["code"] == "INVALID"
    back = await act(api, office.dispatcher, "returnKey", **id_)
    assert [each["kind"] for each in back["movements"]] == ["ISSUED", "RETURNED"]
    shown = await api.data(
        office.client, "{ registeredKeys { nodes { label isOut holder { id } movements { id } } } }"
    )
    assert shown["registeredKeys"]["nodes"] == [
        {"label": "K1", "isOut": False, "holder": None, "movements": []}
    ]
    assert (await act(api, office.manager, "withdrawKey", **id_))["isOut"] is False
    for change in ("UPDATE key_movement SET moved_at = now()", "DELETE FROM key_movement"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with transaction(api.make) as session:
                await session.execute(text(change))
