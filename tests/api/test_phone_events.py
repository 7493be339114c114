"""Guard apps: events once, in any order, a day late, with a wrong clock; and the client of the documentation."""

import asyncio
import itertools
import json
import os
import random
import sys
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain import posts, shifts
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from domain.core.encryption import SecretCipher
from domain.phone_events import PhoneClock, PhoneEventDraft, PhoneEventKind, upload_events
from domain.shifts import Shift, ShiftState
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api, Office
from tests.schema.test_shifts import somebody, verb
from workers.shifts import look_at_due

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
UPLOAD = verb(
    "uploadPhoneEvents", "PhoneBatch",
    "accepted duplicates waiting clockErrorMs refused { eventId code message }",
)  # fmt: skip
CLIENT = Path(__file__).parents[2] / "docs" / "examples" / "guard_app.py"
VAULT = SecretCipher(bytes(32))
IN, OUT = PhoneEventKind.CLOCK_IN, PhoneEventKind.CLOCK_OUT


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    configured = asking.settings(
        database_url, redis_url, tmp_path, budget_per_s=1e9, budget_burst=1e12
    )
    async with asking.running(configured) as running:
        yield running


async def planned(api: Api, office: Office, user: UUID, begins: datetime, hours: int = 8) -> UUID:
    """A published shift of a guard."""
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), begins - 24 * HOUR)
        post = await posts.add_post(
            tx, office.world.site.id, name=uuid4().hex, service="reception",
            valid_from_on=date(2026, 1, 1),
        )  # fmt: skip
        change = await shifts.plan_one(
            tx, post.id, from_at=begins, until_at=begins + hours * HOUR, user_id=user
        )
        await shifts.publish(tx, change.shift_ids)
    return change.shift_ids[0]


async def shift_of(api: Api, shift_id: UUID) -> Shift:
    async with api.make() as session:
        return await session.get_one(Shift, shift_id)


class Phone:
    """A phone whose wall clock is wrong by `error`."""

    def __init__(self, api: Api, office: Office, user: UUID, error: timedelta) -> None:
        self.api, self.error = api, error
        self.actor = Actor(office.world.tenant.id, Role.GUARD, f"user:{user}")
        self.started = datetime(2026, 3, 1, tzinfo=UTC)
        self.boot = "first"
        self.numbers = itertools.count(1)

    def event(self, kind: PhoneEventKind, at: datetime, shift_id: UUID, **more: Any) -> Any:
        return PhoneEventDraft(
            f"e{next(self.numbers)}", kind, at - self.error, (at - self.started) / SECOND,
            self.boot, shift_id=shift_id, **more,
        )  # fmt: skip

    async def send(self, drafts: list[PhoneEventDraft], at: datetime) -> Any:
        async with transaction(self.api.make) as session:
            return await upload_events(
                Tx(session, self.actor, at), VAULT, device="phone", sent_at=at - self.error,
                uptime_s=(at - self.started) / SECOND, boot=self.boot, drafts=drafts,
            )  # fmt: skip


def test_the_time_of_an_event_is_that_of_the_monotonic_clock() -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    clock = PhoneClock(now, now - 5 * HOUR, 1_000.0, "a")
    wrong = datetime(2020, 1, 1, tzinfo=UTC)
    assert clock.happened(wrong, 400.0, "a") == (now - 600 * SECOND, True)
    assert clock.happened(now - 6 * HOUR, 400.0, "b") == (now - HOUR, False)
    assert clock.happened(now, 10.0, "b") == (now, False)  # never later than it came


async def test_a_day_without_network_and_a_wrong_clock_end_as_it_was(api: Api) -> None:
    office = await asking.office(api)
    user = await somebody(api, office)
    begins = datetime(2026, 3, 10, 21, tzinfo=UTC)
    shift_id = await planned(api, office, user, begins)
    await look_at_due(api.make, at=begins + 20 * MINUTE)
    await look_at_due(api.make, at=begins + 9 * HOUR)
    found = await shift_of(api, shift_id)
    assert (found.state, found.no_show_at) == (ShiftState.ENDED, begins + 15 * MINUTE)
    phone = Phone(api, office, user, 3 * HOUR)
    came, left = begins - 2 * MINUTE, begins + 8 * HOUR
    drafts = [phone.event(IN, came, shift_id), phone.event(OUT, left, shift_id)]
    batch = await phone.send([drafts[1], drafts[0], drafts[0]], begins + 24 * HOUR)
    assert (batch.accepted, batch.duplicates, batch.refused) == (2, 1, [])
    assert batch.clock_error_ms == 3 * 3_600_000
    found = await shift_of(api, shift_id)
    assert (found.started_at, found.ended_at, found.no_show_at) == (came, left, None)
    again = await phone.send(drafts, begins + 25 * HOUR)
    assert (again.accepted, again.duplicates) == (0, 2)


async def test_batches_in_any_order_end_the_same(api: Api) -> None:
    office = await asking.office(api)
    begins = datetime(2026, 3, 10, 6, tzinfo=UTC)
    ends = set()
    draw = random.Random(3)
    for _ in range(8):
        user = await somebody(api, office)
        phone = Phone(api, office, user, -90 * SECOND)
        days = [await planned(api, office, user, begins + n * 24 * HOUR, 8) for n in range(3)]
        drafts = [
            phone.event(kind, begins + n * 24 * HOUR + after, shift_id)
            for n, shift_id in enumerate(days)
            for kind, after in ((IN, -MINUTE), (OUT, 8 * HOUR))
        ]
        sent = [*drafts, *draw.sample(drafts, 3)]
        draw.shuffle(sent)
        counted = 0
        for number, part in enumerate((sent[:4], sent[4:7], sent[7:])):
            batch = await phone.send(part, begins + (90 + number) * HOUR)
            counted += batch.duplicates
            assert batch.refused == []
        assert counted == 3
        rows = [await shift_of(api, each) for each in days]
        ends.add(tuple((row.started_at, row.ended_at, row.state) for row in rows))
    assert len(ends) == 1
    assert all(each[0] and each[1] for each in next(iter(ends)))


async def test_what_is_wrong_is_refused_alone_and_others_cannot_send(api: Api) -> None:
    office = await asking.office(api)
    user, other = await somebody(api, office), await somebody(api, office)
    now = api.state.now()
    shift_id = await planned(api, office, user, now - 10 * MINUTE)
    at = now.isoformat()

    def event(key: str, **more: Any) -> dict[str, Any]:
        return {
            "id": key, "kind": "CLOCK_IN", "at": at, "uptimeSeconds": 95.0, "boot": "x",
            "shiftId": ids.write("Shift", shift_id),
        } | more  # fmt: skip

    def batch(*events: dict[str, Any]) -> dict[str, Any]:
        return {
            "device": "p",
            "sentAt": at,
            "uptimeSeconds": 100.0,
            "boot": "x",
            "events": list(events),
        }

    refused = await api.data(office.client, UPLOAD, input=batch(event("a")))
    assert refused["uploadPhoneEvents"]["code"] == "NOT_ALLOWED"
    foreign = await api.data(api.token(other), UPLOAD, input=batch(event("a")))
    assert foreign["uploadPhoneEvents"]["refused"][0]["code"] == "NOT_FOUND"
    mine = batch(
        event("a"), event("b", shiftId=ids.write("Shift", UUID(int=7))), event("c", lat=4.0),
        event("d", kind="SCAN"), event("e", uptimeSeconds=-3.0), event("f"),
    )  # fmt: skip
    done = (await api.data(api.token(user), UPLOAD, input=mine))["uploadPhoneEvents"]
    assert done["accepted"] == 1
    assert {each["eventId"]: each["code"] for each in done["refused"]} == {
        "b": "NOT_FOUND", "c": "INVALID", "d": "INVALID", "e": "INVALID", "f": "ALREADY_DONE",
    }  # fmt: skip
    assert (await shift_of(api, shift_id)).state is ShiftState.RUNNING


async def test_the_client_of_the_documentation_works(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async with asking.serving(asking.settings(database_url, redis_url, tmp_path)) as server:
        api = server.api
        office = await asking.office(api)
        user = await somebody(api, office)
        shift_id = await planned(api, office, user, api.state.now() + 30 * MINUTE)
        shift = ids.write("Shift", shift_id)
        queue = tmp_path / "queue"

        async def run(*words: str, **more: str) -> tuple[int, str]:
            process = await asyncio.create_subprocess_exec(
                sys.executable, str(CLIENT), str(queue), *words,
                env=os.environ | {"TOKEN": api.token(user)} | more,
                stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            said, _ = await process.communicate()
            return process.returncode or 0, said.decode()

        before = api.state.now()
        place = ("52.09", "5.12", "8")
        assert (await run("clock-in", shift, *place, CLOCK_ERROR_S="7200"))[0] == 0
        after = api.state.now()
        status, _ = await run("send", "http://127.0.0.1:1/graphql")
        assert status != 0
        assert queue.read_text().count("CLOCK_IN") == 1
        saved = queue.read_text()
        url = f"http://127.0.0.1:{server.port}/graphql"
        status, said = await run("send", url, CLOCK_ERROR_S="7200")
        answer = json.loads(said)
        assert (status, answer["accepted"], answer["refused"]) == (0, 1, [])
        assert abs(answer["clockErrorMs"] + 7_200_000) < 30_000
        queue.write_text(saved)  # as if the answer had been lost
        _, said = await run("send", url)
        assert json.loads(said)["duplicates"] == 1
        found = await shift_of(api, shift_id)
        assert found.started_at is not None
        assert before - SECOND <= found.started_at <= after + SECOND
