"""Occurrence log and report of a shift through the API: logged, corrected, opened as an incident, signed, by role."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain import shifts
from domain.access import Actor, Tx
from domain.core import cursor
from domain.core.db import transaction
from schema.core import ids
from tests import facts as relay
from tests import files
from tests.api import asking
from tests.api.asking import Api, Office, SelectCounter
from tests.schema.test_shifts import gate, somebody, verb

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ENTRY = """id kind words internal happenedAt incident { id summary occurrenceEntry { id } } user { id }
  files { name internal } corrections { place earlierKind earlierWords reason } shift { id }"""
REPORT = """id signedAt byGuard handover contentSha256 entries { kind words entry { id words } }
  attendance { kind at source } rounds { visited } incidents { priority status incident { summary } }"""
LOG = verb("logOccurrence", "OccurrenceEntry", ENTRY)
CORRECT = verb("correctOccurrenceEntry", "OccurrenceEntry", ENTRY)
OPEN = verb("openIncidentFromEntry", "OccurrenceEntry", ENTRY)
SIGN = verb("signShiftReport", "ShiftReport", REPORT)
UPLOAD = verb("uploadPhoneEvents", "PhoneBatch", "accepted duplicates refused { code message }")
LIST = f"""query ($account: ID, $site: ID, $shift: ID, $kinds: [OccurrenceKind!], $from: DateTime, $until: DateTime) {{
  occurrenceEntries(accountId: $account, siteId: $site, shiftId: $shift, kinds: $kinds, fromAt: $from,
    untilAt: $until) {{ nodes {{ {ENTRY} }} }} }}"""
REPORTS = f"""query ($shift: ID, $signed: Boolean) {{ shiftReports(shiftId: $shift, isSigned: $signed) {{
  nodes {{ {REPORT} shift {{ report {{ id }} }} }} }} }}"""
FOLLOW = """subscription ($id: ID, $after: String) {
  occurrenceLogged(accountId: $id, after: $after) { kind subjectId } }"""


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    configured = asking.settings(
        database_url, redis_url, tmp_path, budget_per_s=1e9, budget_burst=1e12
    )
    async with asking.running(configured) as running:
        yield running


async def ask(api: Api, token: str, document: str, **given: Any) -> Any:
    [answer] = (await api.data(token, document, input=given)).values()
    return answer


async def running_shift(api: Api, office: Office, begins: datetime) -> tuple[str, UUID, str]:
    """A shift of two hours that its guard began: its id, the guard, and the guard's token."""
    user = await somebody(api, office)
    post = await gate(api, office)
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), begins - 24 * HOUR)
        change = await shifts.plan_one(
            tx, post.id, from_at=begins, until_at=begins + 2 * HOUR, user_id=user
        )
        await shifts.publish(tx, change.shift_ids)
        await shifts.clock_in(tx.as_of(begins), change.shift_ids[0])
    return ids.write("Shift", change.shift_ids[0]), user, api.token(user)


async def listed(api: Api, token: str, **given: Any) -> list[Any]:
    found = await api.data(token, LIST, **given)
    nodes: list[Any] = found["occurrenceEntries"]["nodes"]
    return nodes


async def test_a_guard_logs_on_the_own_shift_and_clients_see_what_is_not_internal(api: Api) -> None:
    office = await asking.office(api)
    now = api.state.now()
    shift, user, token = await running_shift(api, office, now - HOUR)
    other = api.token(await somebody(api, office))
    given = {"shiftId": shift, "kind": "VISITOR", "words": "A plumber"}
    refused = await ask(api, office.client, LOG, **given)
    assert refused["code"] == "NOT_ALLOWED"
    refused = await ask(api, other, LOG, **given)
    assert (refused["code"], refused["argument"]) == ("NOT_FOUND", "shiftId")
    refused = await ask(api, other, LOG, siteId=office.site, kind="KEY", words="7")
    assert (refused["code"], refused["argument"]) == ("NOT_FOUND", "siteId")
    for wrong, code, argument in (
        ({"siteId": office.site}, "INVALID", "shiftId"),
        ({"words": " "}, "INVALID", "words"),
        ({"happenedAt": (now + HOUR).isoformat()}, "TIME_REVERSED", "happenedAt"),
        ({"happenedAt": (now - 6 * HOUR).isoformat()}, "TIME_REVERSED", "happenedAt"),
    ):
        refused = await ask(api, token, LOG, **given | wrong)
        assert (refused["code"], refused["argument"]) == (code, argument)
    early = (now - 30 * MINUTE).isoformat()
    shown = await ask(api, token, LOG, **given, happenedAt=early)
    assert (shown["kind"], shown["user"]["id"]) == ("VISITOR", ids.write("User", user))
    hidden = await ask(api, token, LOG, shiftId=shift, kind="KEY", words="Key 7", internal=True)
    desk = await ask(
        api, office.dispatcher, LOG, siteId=office.site, kind="PARCEL", words="From the desk"
    )
    seen = await listed(api, office.client, account=office.account)
    assert {each["id"] for each in seen} == {shown["id"], desk["id"]}
    assert {each["user"] for each in seen if each["user"] is None} == {None}
    assert seen[0]["internal"] is None
    everything = {shown["id"], hidden["id"], desk["id"]}
    for reader in (token, office.dispatcher, office.manager):
        assert {each["id"] for each in await listed(api, reader)} == everything
    assert await listed(api, other) == []
    by_shift = await listed(api, token, shift=shift, kinds=["KEY", "PARCEL"])
    assert [each["id"] for each in by_shift] == [hidden["id"]]
    until = await listed(api, token, site=office.site, until=(now - 20 * MINUTE).isoformat())
    assert [each["id"] for each in until] == [shown["id"]]
    since = await listed(api, token, **{"from": (now - 20 * MINUTE).isoformat()})
    assert {each["id"] for each in since} == {hidden["id"], desk["id"]}


async def test_a_correction_keeps_what_was_written_and_photos_of_internal_entries_are_internal(
    api: Api,
) -> None:
    office = await asking.office(api)
    shift, _, token = await running_shift(api, office, api.state.now() - HOUR)
    row = await ask(api, token, LOG, shiftId=shift, kind="DEFECT", words="Lamp 3 is broken")
    given = {"id": row["id"], "words": "Lamp 4 is broken", "reason": "The wrong lamp"}
    assert (await ask(api, office.client, CORRECT, **given))["code"] == "NOT_ALLOWED"
    colleague = (await running_shift(api, office, api.state.now() - HOUR))[2]
    assert (await ask(api, colleague, CORRECT, **given))["code"] == "NOT_ALLOWED"
    changed = await ask(api, token, CORRECT, **given)
    assert changed["words"] == "Lamp 4 is broken"
    assert (await ask(api, token, CORRECT, **given))["code"] == "ALREADY_DONE"
    stale = await ask(api, token, CORRECT, **given | {"words": "x", "expectedVersion": 1})
    assert stale["code"] == "STALE_VERSION"
    [seen] = await listed(api, office.client)
    assert seen["corrections"] == [
        {"place": 1, "earlierKind": "DEFECT", "earlierWords": "Lamp 3 is broken",
         "reason": "The wrong lamp"}
    ]  # fmt: skip
    content = files.photo()
    for internal in (False, True):
        if internal:
            hidden = await ask(
                api,
                office.dispatcher,
                CORRECT,
                id=row["id"],
                internal=True,
                reason="Names a tenant",
            )
            assert hidden["internal"] is True
        started = await files.start(
            api, token, UUID(int=0), content, subjectId=row["id"], name=f"{internal}.jpg"
        )
        await files.put(api, started["path"], content)
    [seen] = await listed(api, token)
    assert {each["name"]: each["internal"] for each in seen["files"]} == {
        "False.jpg": False, "True.jpg": True,
    }  # fmt: skip
    assert await listed(api, office.client) == []
    await ask(api, office.dispatcher, CORRECT, id=row["id"], internal=False, reason="No name left")
    [seen] = await listed(api, office.client)
    assert [each["name"] for each in seen["files"]] == ["False.jpg"]
    assert [each["place"] for each in seen["corrections"]] == [1, 2]  # not what was internal


async def test_an_entry_becomes_an_incident_once_with_a_link_both_ways(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async with asking.serving(asking.settings(database_url, redis_url, tmp_path)) as server:
        api = server.api
        office = await asking.office(api)
        shift, _, token = await running_shift(api, office, api.state.now() - HOUR)
        row = await ask(api, token, LOG, shiftId=shift, kind="OBSERVATION", words="An open window")
        given = {"id": row["id"], "priority": "MEDIUM"}
        assert (await ask(api, office.client, OPEN, **given))["code"] == "NOT_ALLOWED"
        opened = await ask(api, token, OPEN, **given)
        assert opened["incident"]["summary"] == "An open window"
        assert opened["incident"]["occurrenceEntry"] == {"id": row["id"]}
        again = await ask(api, office.dispatcher, OPEN, **given)
        assert again["code"] == "ALREADY_DONE"
        await relay.number_all(api.make)
        start = cursor.of_seq(api.state.cursor_secret, office.world.tenant.id, 0)
        async with server.socket(office.client) as socket:
            await socket.subscribe("1", FOLLOW, id=office.account, after=start)
            events = [(await socket.next())["occurrenceLogged"] for _ in range(2)]
        assert events == [
            {"kind": "occurrence.logged", "subjectId": row["id"]},
            {"kind": "occurrence.became_incident", "subjectId": row["id"]},
        ]


async def test_a_report_is_generated_signed_once_and_never_changes(api: Api) -> None:
    office = await asking.office(api)
    shift, _, token = await running_shift(api, office, api.state.now() - HOUR)
    row = await ask(api, token, LOG, shiftId=shift, kind="KEY", words="Key 7 is out")
    hidden = await ask(api, token, LOG, shiftId=shift, kind="KEY", words="Lost", internal=True)
    await ask(api, token, OPEN, id=row["id"], priority="LOW")
    assert (await ask(api, office.client, SIGN, shiftId=shift))["code"] == "NOT_ALLOWED"
    other = api.token(await somebody(api, office))
    assert (await ask(api, other, SIGN, shiftId=shift))["code"] == "NOT_FOUND"
    early = await ask(api, token, SIGN, shiftId=shift)
    assert (early["code"], early["argument"]) == ("INVALID", "shiftId")
    await ask(api, token, verb("clockOut", "Shift", "state"), id=shift)
    signed = await ask(api, token, SIGN, shiftId=shift, handover="Ask for key 7")
    assert (signed["byGuard"], signed["handover"]) == (True, "Ask for key 7")
    assert [each["kind"] for each in signed["attendance"]] == ["CLOCK_IN", "CLOCK_OUT"]
    assert [each["words"] for each in signed["entries"]] == ["Key 7 is out", "Lost"]
    assert [each["incident"]["summary"] for each in signed["incidents"]] == ["Key 7 is out"]
    assert (await ask(api, token, SIGN, shiftId=shift))["code"] == "ALREADY_DONE"
    for each in (row, hidden):
        await ask(
            api, office.dispatcher, CORRECT, id=each["id"], words="Other words", internal=False,
            reason="It was key 8",
        )  # fmt: skip
    seen = await api.data(office.client, REPORTS, shift=shift, signed=True)
    [report] = seen["shiftReports"]["nodes"]
    assert report["shift"]["report"]["id"] == signed["id"]
    assert [(each["words"], each["entry"]["words"]) for each in report["entries"]] == [
        ("Key 7 is out", "Other words")
    ]  # what was internal at the signature stays so in the report
    assert report["contentSha256"] == signed["contentSha256"]
    assert (await api.data(office.client, REPORTS, shift=shift, signed=False))["shiftReports"][
        "nodes"
    ] == []
    for change in ("content = '{}'", "signed_at = now()", "by_guard = false", "signed_at = null"):
        with pytest.raises(DBAPIError, match="never changes"):
            async with transaction(api.make) as session:
                await session.execute(
                    text(f"UPDATE shift_report SET {change} WHERE id = :id"),
                    {"id": ids.known(signed["id"], "ShiftReport")},
                )


async def test_a_phone_logs_without_network_and_each_entry_once(api: Api) -> None:
    office = await asking.office(api)
    now = api.state.now()
    shift, _, token = await running_shift(api, office, now - HOUR)
    entry = {"kind": "VISITOR", "words": "A courier"}
    event = {
        "id": uuid4().hex, "kind": "LOG", "at": (now - 3 * HOUR).isoformat(), "boot": "a",
        "uptimeSeconds": 1_000.0, "shiftId": shift, "entry": entry,
    }  # fmt: skip
    given = {
        "device": "phone", "sentAt": (now - 2 * HOUR).isoformat(), "uptimeSeconds": 1_600.0, "boot": "a",
        "events": [event, event, {**event, "id": "2", "entry": None}],
    }  # fmt: skip
    for expected in (1, 0):
        batch = await ask(api, token, UPLOAD, **given)
        assert (batch["accepted"], batch["duplicates"]) == (expected, 2 - expected)
        assert [each["code"] for each in batch["refused"]] == ["INVALID"]
    [row] = await listed(api, office.client)
    happened = datetime.fromisoformat(row["happenedAt"])
    assert abs(happened - (api.state.now() - 10 * MINUTE)) < MINUTE  # by the monotonic clock
    assert row["words"] == "A courier"


async def test_a_list_of_reports_reads_as_often_for_one_as_for_many(api: Api) -> None:
    office = await asking.office(api)
    counts = []
    for _ in range(2):
        for _ in range(2):
            shift, _, token = await running_shift(api, office, api.state.now() - HOUR)
            row = await ask(api, token, LOG, shiftId=shift, kind="OTHER", words="Note")
            await ask(api, token, CORRECT, id=row["id"], words="Notes", reason="Typing")
            await ask(api, token, verb("clockOut", "Shift", "state"), id=shift)
            await ask(api, token, SIGN, shiftId=shift)
        with SelectCounter(api) as counter:
            await api.data(office.dispatcher, REPORTS)
        counts.append(len(counter.statements))
    assert counts[0] == counts[1]
