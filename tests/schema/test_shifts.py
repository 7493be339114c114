"""Shifts through the API: planned once, published, attended, corrected and watched, as the right and wrong roles."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from domain import accounts, posts, shifts
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.shifts import PatternDraft, Shift
from schema.core import ids
from schema.core.loaders import BATCH
from tests.api import asking
from tests.api.asking import Api, Office, SelectCounter
from workers.shifts import look_at_due

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SHIFT = """id state onDay fromAt untilAt number startedAt endedAt lateAt noShowAt leftEarlyAt
  user { id } post { name } site { id } cancelReason
  attendance { kind at source distanceM reason replacedAt recordedBy }"""
REFUSED = "... on Refusal { code argument message }"


def verb(name: str, shown: str, fields: str) -> str:
    title = name[0].upper() + name[1:]
    return (
        f"mutation ($input: {title}Input!) {{ {name}(input: $input) {{"
        f" ... on {shown} {{ {fields} }} {REFUSED} }} }}"
    )


CHANGE = "step count unchanged shifts { id onDay state number }"
PATTERN = verb("addShiftPattern", "ShiftPattern", "id seats user { id }")
PLAN = verb("planShifts", "RosterChange", CHANGE)
PLAN_ONE = verb("planShift", "RosterChange", CHANGE)
PUBLISH = verb("publishShifts", "RosterChange", CHANGE)
VERBS = {
    name: verb(name, "Shift", SHIFT)
    for name in (
        *("assignShift", "confirmShift", "cancelShift", "clockIn", "clockOut"),
        "correctAttendance",
    )
}
LIST = f"""query ($account: ID, $site: ID, $user: ID, $on: Date, $open: Boolean) {{
  shifts(accountId: $account, siteId: $site, userId: $user, onDay: $on, isOpen: $open) {{
    nodes {{ {SHIFT} }} }} }}"""
BOARD = f"""query ($from: DateTime!, $until: DateTime!, $account: ID) {{
  rosterBoard(fromAt: $from, untilAt: $until, accountId: $account) {{ complete shifts {{ {SHIFT} }} }} }}"""


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    configured = asking.settings(
        database_url, redis_url, tmp_path, budget_per_s=1e9, budget_burst=1e12
    )
    async with asking.running(configured) as running:
        yield running


async def somebody(api: Api, office: Office, role: Role = Role.GUARD) -> UUID:
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        name = uuid4().hex
        user = await accounts.add_user(tx, email=f"{name}@example.org", name=name, role=role)
    return user.id


async def gate(api: Api, office: Office, *, headcount: int = 2, **more: Any) -> posts.Post:
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        return await posts.add_post(
            tx, office.world.site.id, name=uuid4().hex, service="reception",
            valid_from_on=date(2026, 1, 1), headcount=headcount, **more,
        )  # fmt: skip


async def act(api: Api, token: str, name: str, **given: Any) -> Any:
    return (await api.data(token, VERBS[name], input=given))[name]


async def planned(api: Api, office: Office, user: UUID | None, begins: datetime) -> str:
    """A shift of eight hours; its id."""
    post = await gate(api, office)
    given = {
        "postId": ids.write("Post", post.id), "fromAt": begins.isoformat(),
        "untilAt": (begins + 8 * HOUR).isoformat(),
        "userId": None if user is None else ids.write("User", user),
    }  # fmt: skip
    answer = (await api.data(office.dispatcher, PLAN_ONE, input=given))["planShift"]
    shift: str = answer["shifts"][0]["id"]
    return shift


async def published(api: Api, office: Office, user: UUID | None, begins: datetime) -> str:
    shift = await planned(api, office, user, begins)
    answer = await api.data(office.dispatcher, PUBLISH, input={"shiftIds": [shift]})
    assert answer["publishShifts"]["count"] == 1
    return shift


async def kinds(api: Api, shift: str) -> list[str]:
    async with api.make() as session:
        rows = await session.scalars(
            select(LedgerRow.kind)
            .where(LedgerRow.subject_id == ids.known(shift, "Shift"))
            .order_by(LedgerRow.id)
        )
        return list(rows)


async def test_a_pattern_is_planned_once_and_the_client_sees_what_is_published(api: Api) -> None:
    office = await asking.office(api)
    user = await somebody(api, office)
    post = await gate(api, office)
    given = {
        "postId": ids.write("Post", post.id), "rule": "FREQ=WEEKLY;BYDAY=SA,SU",
        "startsOn": "2026-03-01", "localStart": "22:00:00", "localEnd": "06:00:00",
        "userId": ids.write("User", user),
    }  # fmt: skip
    for token in (office.client, api.token(user)):
        refused = (await api.data(token, PATTERN, input=given))["addShiftPattern"]
        assert refused["code"] == "NOT_ALLOWED"
    for more, argument in (
        ({"rule": "FREQ=HOURLY"}, "rule"),
        ({"seats": 3, "userId": None}, "seats"),
        ({"seats": 2}, "seats"),
        ({"endsOn": "2026-02-01"}, "endsOn"),
        ({"userId": ids.write("User", office.world.client_user.id)}, "userId"),
    ):
        answer = (await api.data(office.dispatcher, PATTERN, input=given | more))["addShiftPattern"]
        assert answer["argument"] == argument
    pattern = (await api.data(office.dispatcher, PATTERN, input=given))["addShiftPattern"]["id"]
    period = {"patternId": pattern, "firstOn": "2026-03-28", "lastOn": "2026-04-05"}
    both = await asyncio.gather(
        *(api.data(office.dispatcher, PLAN, input=period) for _ in range(2))
    )
    counts = sorted((each["planShifts"]["count"], each["planShifts"]["unchanged"]) for each in both)
    assert counts == [(0, 4), (4, 0)]
    wider = (await api.data(office.dispatcher, PLAN, input=period | {"lastOn": "2026-04-11"}))[
        "planShifts"
    ]
    assert (wider["count"], wider["unchanged"]) == (1, 4)

    async def seen(token: str, **given: Any) -> list[Any]:
        found: list[Any] = (await api.data(token, LIST, **given))["shifts"]["nodes"]
        return found

    rows = await seen(office.dispatcher, user=ids.write("User", user))
    assert [each["onDay"] for each in rows] == [
        "2026-03-28", "2026-03-29", "2026-04-04", "2026-04-05", "2026-04-11"
    ]  # fmt: skip
    assert (rows[0]["fromAt"][:19], rows[0]["untilAt"][:19]) == (
        "2026-03-28T21:00:00", "2026-03-29T04:00:00"
    )  # fmt: skip
    assert await seen(office.client) == []
    assert await seen(api.token(user)) == []

    async with transaction(api.make) as session:
        now = datetime(2026, 3, 28, 12, tzinfo=UTC)
        system = Actor.system(office.world.tenant.id, "test")
        listed = [ids.wanted(each["id"], "Shift", "id") for each in rows[:2]]
        await shifts.publish(Tx(session, system, now), listed)
    [mine, theirs] = [await seen(token) for token in (api.token(user), office.client)]
    assert len(mine) == len(theirs) == 2
    assert mine[0]["user"] == {"id": ids.write("User", user)}
    assert theirs[0]["user"] is None
    assert theirs[0]["number"] == mine[0]["number"] > 0
    assert await seen(office.client, user=ids.write("User", user)) == []
    assert len(await seen(office.client, on="2026-03-28")) == 1
    assert await seen(office.client, open=True) == []
    other = await asking.office(api)
    assert await seen(other.manager, account=office.account) == []


async def test_of_two_plans_for_one_guard_at_one_time_one_is_refused(api: Api) -> None:
    office = await asking.office(api)
    user = await somebody(api, office)
    begins = api.state.now() + HOUR
    places = [await gate(api, office) for _ in range(6)]
    answers = await asyncio.gather(
        *(
            api.data(
                office.dispatcher, PLAN_ONE,
                input={
                    "postId": ids.write("Post", post.id), "userId": ids.write("User", user),
                    "fromAt": (begins + number * MINUTE).isoformat(),
                    "untilAt": (begins + 8 * HOUR).isoformat(),
                },
            )
            for number, post in enumerate(places)
        )
    )  # fmt: skip
    found = [each["planShift"] for each in answers]
    assert sorted(each.get("code", "planned") for each in found) == ["ALREADY_EXISTS"] * 5 + [
        "planned"
    ]
    async with api.make() as session:
        assert await session.scalar(
            select(func.count()).select_from(Shift).where(Shift.user_id == user)
        ) == 1  # fmt: skip


async def test_a_shift_is_confirmed_begun_and_ended_by_its_guard_alone(api: Api) -> None:
    office = await asking.office(api)
    user, other = await somebody(api, office), await somebody(api, office)
    shift = await published(api, office, user, api.state.now() - MINUTE)
    stranger, client, guard = api.token(other), office.client, api.token(user)
    foreign = (await asking.office(api)).dispatcher
    for name in ("confirmShift", "clockIn", "clockOut"):
        assert (await act(api, stranger, name, id=shift))["code"] == "NOT_FOUND"
        assert (await act(api, client, name, id=shift))["code"] == "NOT_ALLOWED"
        assert (await act(api, foreign, name, id=shift))["code"] == "NOT_FOUND"
    for name, more in (
        ("assignShift", {"userId": ids.write("User", other)}),
        ("cancelShift", {"reason": "tired"}),
        ("correctAttendance", {"kind": "CLOCK_IN", "at": "2026-03-01T00:00:00Z", "reason": "x"}),
    ):
        assert (await act(api, guard, name, id=shift, **more))["code"] == "NOT_ALLOWED"
    assert (await act(api, guard, "confirmShift", id=shift))["state"] == "CONFIRMED"
    early = (api.state.now() - MINUTE).isoformat()
    assert (await act(api, guard, "clockIn", id=shift, at=early))["code"] == "NOT_ALLOWED"
    assert (await act(api, guard, "clockIn", id=shift, lat=52.0))["argument"] == "lon"
    running = await act(api, guard, "clockIn", id=shift, lat=52.0, lon=5.0)
    assert (running["state"], running["lateAt"]) == ("RUNNING", None)
    [row] = running["attendance"]
    assert (row["kind"], row["source"], row["distanceM"]) == ("CLOCK_IN", "PHONE", None)
    assert (await act(api, guard, "clockIn", id=shift))["code"] == "INVALID"
    ended = await act(api, guard, "clockOut", id=shift)
    assert (ended["state"], ended["leftEarlyAt"]) == ("ENDED", ended["endedAt"])
    assert await kinds(api, shift) == [
        "shift.planned", "shift.published", "shift.confirmed", "shift.clocked_in",
        "shift.clocked_out", "shift.ended", "shift.left_early",
    ]  # fmt: skip


async def test_a_correction_is_a_new_fact_and_the_old_time_stays_visible(api: Api) -> None:
    office = await asking.office(api)
    user = await somebody(api, office)
    begins = api.state.now() - 2 * HOUR
    shift = await published(api, office, user, begins)
    first = begins + 20 * MINUTE
    came = await act(api, office.dispatcher, "clockIn", id=shift, at=first.isoformat())
    assert came["attendance"][0]["source"] == "DISPATCHER"
    assert (came["lateAt"] is None, came["noShowAt"] is None) == (False, False)
    better = {"id": shift, "kind": "CLOCK_IN", "at": (begins + 2 * MINUTE).isoformat()}
    blank = await act(api, office.dispatcher, "correctAttendance", reason=" ", **better)
    assert blank["argument"] == "reason"
    late = better | {"at": (api.state.now() + HOUR).isoformat()}
    assert (await act(api, office.dispatcher, "correctAttendance", reason="x", **late))[
        "code"
    ] == "TIME_REVERSED"
    found = await act(api, office.dispatcher, "correctAttendance", reason="Gate log", **better)
    assert (found["lateAt"], found["noShowAt"]) == (None, None)
    old, new = found["attendance"]
    assert (old["source"], old["replacedAt"] is not None) == ("DISPATCHER", True)
    assert (new["source"], new["reason"], new["replacedAt"]) == ("CORRECTION", "Gate log", None)
    for token, reason, by in ((office.client, None, None), (api.token(user), "Gate log", None)):
        [seen] = (await api.data(token, LIST))["shifts"]["nodes"]
        assert [(each["reason"], each["recordedBy"]) for each in seen["attendance"]] == [
            (None, by), (reason, by)
        ]  # fmt: skip
    facts = await kinds(api, shift)
    assert facts[2:] == [
        "shift.clocked_in", "shift.late", "shift.no_show", "shift.start_withdrawn",
        "shift.attendance_corrected", "shift.clocked_in", "shift.finding_withdrawn",
        "shift.finding_withdrawn",
    ]  # fmt: skip


async def test_nobody_comes_and_the_system_finds_it_without_anybody_looking(api: Api) -> None:
    office = await asking.office(api)
    user = await somebody(api, office)
    begins = api.state.now() + HOUR
    shift = await published(api, office, user, begins)
    for after, known in (
        (4 * MINUTE, 2), (5 * MINUTE, 3), (6 * MINUTE, 3), (15 * MINUTE, 4), (8 * HOUR, 5),
        (20 * HOUR, 5),
    ):  # fmt: skip
        await look_at_due(api.make, at=begins + after)
        assert len(await kinds(api, shift)) == known
    assert (await kinds(api, shift))[2:] == ["shift.late", "shift.no_show", "shift.ended"]
    [row] = (await api.data(office.client, LIST))["shifts"]["nodes"]
    assert (row["state"], row["startedAt"]) == ("ENDED", None)
    assert row["noShowAt"][:19] == (begins + 15 * MINUTE).isoformat()[:19]


async def test_a_shift_is_given_away_or_cancelled_before_it_begins(api: Api) -> None:
    office = await asking.office(api)
    first, second = await somebody(api, office), await somebody(api, office)
    shift = await published(api, office, first, api.state.now() + HOUR)
    await act(api, api.token(first), "confirmShift", id=shift)
    given = await act(
        api, office.dispatcher, "assignShift", id=shift, userId=ids.write("User", second)
    )
    assert (given["state"], given["user"]["id"]) == ("PUBLISHED", ids.write("User", second))
    assert (await api.data(api.token(first), LIST))["shifts"]["nodes"] == []
    answer = await act(api, office.dispatcher, "cancelShift", id=shift, reason="Closed")
    assert (answer["state"], answer["cancelReason"]) == ("CANCELLED", "Closed")
    [seen] = (await api.data(office.client, LIST))["shifts"]["nodes"]
    assert (seen["state"], seen["cancelReason"]) == ("CANCELLED", None)
    again = await act(api, office.dispatcher, "cancelShift", id=shift, reason="Closed")
    assert again["code"] == "ALREADY_DONE"
    begun = await published(api, office, second, api.state.now() - MINUTE)
    late = await act(api, office.dispatcher, "cancelShift", id=begun, reason="Closed")
    assert late["code"] == "INVALID"


async def open_shifts(api: Api, office: Office, *, seats: int, days: int) -> None:
    """Shifts of a post on that many days in 2027, and a guard on five of its days."""
    first = date(2027, 3, 1)
    post = await gate(api, office, headcount=seats)
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        drafts = (
            (PatternDraft("FREQ=DAILY", first, time(8), time(16), seats=seats), days),
            (
                PatternDraft(
                    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", first, time(8), time(16),
                    user_id=await somebody(api, office),
                ),
                5,
            ),
        )  # fmt: skip
        for draft, many in drafts:
            row = await shifts.add_pattern(tx, post.id, draft)
            last = first + timedelta(days=many - 1)
            await shifts.plan_from_pattern(tx, row.id, first_on=first, last_on=last)


async def test_a_board_of_a_thousand_shifts_costs_as_many_selects_as_one_of_a_few(api: Api) -> None:
    office = await asking.office(api)
    period = {"from": "2027-03-01T00:00:00Z", "until": "2028-01-01T00:00:00Z"}

    async def board() -> tuple[int, Any]:
        with SelectCounter(api) as counter:
            answer = await api.data(office.dispatcher, BOARD, **period)
        return len(counter.statements), answer["rosterBoard"]

    await open_shifts(api, office, seats=1, days=2)
    few, small = await board()
    assert (len(small["shifts"]), small["complete"]) == (7, True)
    for _ in range(2):
        await open_shifts(api, office, seats=10, days=50)
    many, large = await board()
    assert (len(large["shifts"]), large["complete"]) == (1_000, False)
    assert many == few + (1_000 - 1) // BATCH  # attendance is loaded for so many shifts at a time


async def test_working_time_that_a_rule_forbids_is_refused_and_what_strains_one_is_told(
    api: Api,
) -> None:
    office = await asking.office(api)
    user, post = await somebody(api, office), await gate(api, office)
    given = {"postId": ids.write("Post", post.id), "userId": ids.write("User", user)}

    async def plan(begins: str, ends: str) -> Any:
        times = {"fromAt": f"2027-03-{begins}:00Z", "untilAt": f"2027-03-{ends}:00Z"}
        answer = await api.data(
            office.dispatcher, PLAN_ONE.replace("unchanged", "unchanged warnings"),
            input=given | times,
        )  # fmt: skip
        return answer["planShift"]

    assert (await plan("01T08:00", "01T21:00"))["message"].startswith(
        "The guard's working time breaks longest_shift (5:7(2)(a) Atw): 13, the limit is 12"
    )
    assert (await plan("01T08:00", "01T20:00"))["warnings"] == []
    short = await plan("02T05:00", "02T12:00")
    assert [each.partition(":")[0] for each in short["warnings"]] == ["daily_rest (5"]
    again = await plan("02T21:00", "03T01:00")
    assert (again["code"], again["argument"]) == ("INVALID", "userId")
    shift = await planned(api, office, None, datetime(2027, 3, 2, 21, tzinfo=UTC))
    refused = await act(api, office.dispatcher, "assignShift", id=shift, userId=given["userId"])
    assert (refused["code"], refused["argument"]) == ("INVALID", "userId")
    assert "daily_rest" in refused["message"]
