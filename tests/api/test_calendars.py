"""Calendars of shifts behind links: read by libraries, changed by the roster, dead when revoked."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from domain import posts, shifts
from domain.access import Actor, Tx
from domain.calendar_feeds import calendar_of
from domain.core.db import transaction
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api, Office
from tests.gate import node
from tests.schema.test_shifts import somebody, verb

HOUR = timedelta(hours=1)
FEED = "id url revokedAt user { id } site { id }"
ADD = verb("addCalendarFeed", "CalendarFeed", FEED)
REVOKE = verb("revokeCalendarFeed", "CalendarFeed", FEED)
LIST = f"{{ calendarFeeds {{ nodes {{ {FEED} }} }} }}"
NIGHTS = {
    date(2026, 3, 28): (datetime(2026, 3, 28, 21, tzinfo=UTC), 7),  # the night is an hour shorter
    date(2026, 10, 24): (datetime(2026, 10, 24, 20, tzinfo=UTC), 9),  # and an hour longer
}
"""Local day → when 22:00 is, and how many hours later 06:00 is."""


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    configured = asking.settings(
        database_url, redis_url, tmp_path, budget_per_s=1e9, budget_burst=1e12
    )
    async with asking.running(configured) as running:
        yield running


async def planned(
    api: Api, office: Office, user: UUID | None, begins: datetime, hours: float, at: datetime
) -> UUID:
    """A published shift."""
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), at)
        post = await posts.add_post(
            tx, office.world.site.id, name=f"Gate {uuid4().hex[:6]}", service="reception",
            valid_from_on=date(2026, 1, 1),
        )  # fmt: skip
        change = await shifts.plan_one(
            tx, post.id, from_at=begins, until_at=begins + hours * HOUR, user_id=user
        )
        await shifts.publish(tx, change.shift_ids)
    return change.shift_ids[0]


async def link(api: Api, token: str, **of: str) -> Any:
    return (await api.data(token, ADD, input=of))["addCalendarFeed"]


async def read(api: Api, url: str) -> dict[str, Any]:
    """The events by uid, as the `icalendar` library reads them."""
    answer = await api.http.get(url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    found = Calendar.from_ical(answer.content).walk("VEVENT")
    return {str(each["UID"]): each for each in found}


async def test_a_guard_and_a_site_have_links_and_others_get_none(api: Api) -> None:
    office = await asking.office(api)
    user, other = await somebody(api, office), await somebody(api, office)
    now = api.state.now().replace(microsecond=0)
    shift = await planned(api, office, user, now + 24 * HOUR, 8, now)
    hidden = await planned(api, office, other, now + 24 * HOUR, 8, now)
    of_user = {"userId": ids.write("User", user)}
    for token in (office.client, api.token(other)):
        refused = await link(api, token, **of_user)
        assert refused["code"] == "NOT_ALLOWED"
    assert (await link(api, api.token(user), siteId=office.site))["code"] == "NOT_ALLOWED"
    own = await link(api, api.token(user), **of_user)
    events = await read(api, own["url"])
    assert set(events) == {f"shift-{shift}@waarborg"}
    event = events[f"shift-{shift}@waarborg"]
    assert event["DTSTART"].dt == now + 24 * HOUR
    assert (event["STATUS"], office.world.site.name in event["SUMMARY"]) == ("TENTATIVE", True)

    site = await link(api, office.dispatcher, siteId=office.site)
    events = await read(api, site["url"])
    assert {f"shift-{each}@waarborg" for each in (shift, hidden)} <= set(events)
    everything = (await api.http.get(site["url"])).text
    assert str(user) not in everything
    nodes = (await api.data(api.token(other), LIST))["calendarFeeds"]["nodes"]
    assert nodes == []
    assert (await api.data(office.client, LIST))["calendarFeeds"]["nodes"] == []

    etag = (await api.http.get(own["url"])).headers["etag"]
    same = await api.http.get(own["url"], headers={"if-none-match": etag})
    assert same.status_code == 304

    confirm = verb("confirmShift", "Shift", "state")
    await api.data(api.token(user), confirm, input={"id": ids.write("Shift", shift)})
    changed = await read(api, own["url"])
    assert changed[f"shift-{shift}@waarborg"]["STATUS"] == "CONFIRMED"
    assert changed[f"shift-{shift}@waarborg"]["SEQUENCE"] > event["SEQUENCE"]
    cancel = verb("cancelShift", "Shift", "state")
    given = {"id": ids.write("Shift", shift), "reason": "Closed"}
    await api.data(office.dispatcher, cancel, input=given)
    assert (await read(api, own["url"]))[f"shift-{shift}@waarborg"]["STATUS"] == "CANCELLED"

    refused = await api.data(office.client, REVOKE, input={"id": own["id"]})
    assert refused["revokeCalendarFeed"]["code"] == "NOT_ALLOWED"
    refused = await api.data(api.token(other), REVOKE, input={"id": own["id"]})
    assert refused["revokeCalendarFeed"]["code"] == "NOT_FOUND"
    for _ in range(2):
        done = await api.data(api.token(user), REVOKE, input={"id": own["id"]})
        assert done["revokeCalendarFeed"]["url"] is None
    dead = await api.http.get(own["url"])
    unknown = await api.http.get("/calendars/" + "A" * 43 + ".ics")
    foreign = await api.http.get(f"/calendars/{api.state.offer_links.token(user)}.ics")
    assert {(each.status_code, each.text) for each in (dead, unknown, foreign)} == {
        (404, "No such calendar.")
    }


@pytest.mark.parametrize("day", NIGHTS)
async def test_nights_of_a_clock_change_have_their_real_length(api: Api, day: date) -> None:
    office = await asking.office(api)
    user = await somebody(api, office)
    begins, hours = NIGHTS[day]
    at = begins - 48 * HOUR
    shift = await planned(api, office, user, begins, hours, at)
    feed = await link(api, api.token(user), userId=ids.write("User", user))
    feed_id = ids.known(feed["id"], "CalendarFeed")
    assert feed_id is not None
    async with api.make() as session:
        found = await calendar_of(session, feed_id, at=at)
    assert found is not None
    [event] = Calendar.from_ical(found.content).walk("VEVENT")
    start, end = event["DTSTART"].dt, event["DTEND"].dt
    assert (start, end) == (begins, begins + hours * HOUR)
    zone = ZoneInfo("Europe/Amsterdam")
    assert (start.astimezone(zone).hour, end.astimezone(zone).hour) == (22, 6)
    place = await asyncio.to_thread(node.installed)
    (place / "calendar_feed.mjs").write_text((node.SCRIPTS / "calendar_feed.mjs").read_text())
    said = await asyncio.to_thread(
        subprocess.run, ["node", "calendar_feed.mjs"], check=True, cwd=place, input=found.content,
        capture_output=True, timeout=60,
    )  # fmt: skip
    [one] = json.loads(said.stdout)
    assert (one["uid"], one["hours"]) == (f"shift-{shift}@waarborg", hours)
    assert datetime.fromisoformat(one["from"]) == begins
    assert datetime.fromisoformat(one["until"]) == begins + hours * HOUR
