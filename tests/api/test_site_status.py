"""How places stand, followed: whatever phones and people do, what was told last is what is asked now."""

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain import positions
from domain.accounts import Site
from domain.core.db import transaction
from domain.duties import Duty
from domain.positions import Kind, Presence
from tests import guards
from tests.api import asking
from tests.api.asking import Server, Socket
from tests.api.day import KEEP, START, Day
from tests.api.test_sockets import listening

PRESENCE = "{ id kind fromAt untilAt fixes site { id } duty { id number user { id } } }"
SHOWN = f"""cursor siteCount
  sites(first: 9) {{ site {{ id name }} state onDuty {{ id number fromAt untilAt user {{ id }} }}
    inside {PRESENCE} absent {PRESENCE} silent {PRESENCE} }}
  roaming {{ duty {{ id number }} inside {PRESENCE} silent {PRESENCE} }}"""
STATUS = f"($a: ID!) {{ accountStatus(accountId: $a) {{ {SHOWN} }} }}"
ASKED = f"""query ($a: ID!) {{ accountStatus(accountId: $a) {{ {SHOWN} }}
  ledger(accountId: $a, last: 100) {{ nodes {{ kind cursor }} }} }}"""
STILL = {"guard.stopped", "guard.moved"}


@dataclass
class Watcher:
    """Somebody who follows how a client stands, and asks the ledger how far that should have come."""

    day: Day
    socket: Socket
    token: str
    told: Any = None
    reached: str | None = None
    many: int = 0

    async def begin(self) -> None:
        """Be told how it stands."""
        await self.socket.subscribe("1", f"subscription {STATUS}", a=self.day.office.account)
        self.told = (await self.socket.next())["accountStatus"]
        _, self.reached = await self.asked()

    async def asked(self) -> tuple[Any, str | None]:
        """The status asked afresh, and the cursor of the last fact this watcher may know of that changes it."""
        data = await self.day.server.api.data(self.token, ASKED, a=self.day.office.account)
        changes = [
            node["cursor"]
            for node in data["ledger"]["nodes"]
            if node["kind"].startswith(("duty.", "guard.", "site.")) and node["kind"] not in STILL
        ]
        return data["accountStatus"], changes[-1] if changes else None

    async def is_up_to_date(self) -> bool:
        """Hear everything that was told up to now: whether the last of it is what is asked now."""
        fresh, last = await self.asked()
        while last != self.reached:
            self.told = (await self.socket.next())["accountStatus"]
            self.many += 1
            if self.told["cursor"] == last:
                self.reached = last
        same: bool = standing(self.told) == standing(fresh)
        return same


def standing(status: Any) -> Any:
    """A status without its place."""
    return {name: value for name, value in status.items() if name != "cursor"}


def presences(status: Any) -> list[Any]:
    """Everything in it that positions prove."""
    parts = [*status["sites"], *status["roaming"]]
    return [
        row
        for part in parts
        for kind in ("inside", "absent", "silent")
        for row in part.get(kind) or []
    ]


async def naive(day: Day) -> dict[str, tuple[str, set[int], set[int], set[int]]]:
    """How each site stands, and who is inside, absent and silent: read the words, row by row."""
    account = day.office.world.account.id
    async with day.server.api.make() as session:
        sites = list(await session.scalars(select(Site).where(Site.account_id == account)))
        all_duties = list(await session.scalars(select(Duty).where(Duty.account_id == account)))
        rows = list(await session.scalars(select(Presence).where(Presence.account_id == account)))
    now = [d for d in all_duties if d.from_at <= day.at < (d.ended_at or d.until_at)]
    found = {}
    for site in sites:
        here = [d for d in now if d.site_id == site.id]
        inside, absent, silent = (
            {
                d.number
                for d in now
                for row in rows
                if row.duty_id == d.id and row.kind is kind and row.until_at is None
                and (d.site_id == site.id if kind is Kind.SILENCE else row.site_id == site.id)
            }
            for kind in (Kind.STAY, Kind.ABSENCE, Kind.SILENCE)
        )  # fmt: skip
        if site.fence_radius_m is None:
            state = "UNPROVEN"
        elif absent:
            state = "ABSENT"
        elif any(d.number not in inside for d in here):
            state = "EXPECTED"
        else:
            state = "COVERED" if inside else "UNWATCHED"
        if here or site.fence_radius_m is not None:
            found[site.name] = (state, inside, absent, silent)
    return found


def seen_by_site(status: Any) -> dict[str, tuple[str, set[int], set[int], set[int]]]:
    """The same of what was told."""
    found = {}
    for place in status["sites"]:
        inside, absent, silent = (
            {row["duty"]["number"] for row in place[part]}
            for part in ("inside", "absent", "silent")
        )
        found[place["site"]["name"]] = (place["state"], inside, absent, silent)
    return found


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_was_told_last_is_what_is_asked_now_whatever_happens(
    server: Server, seed: int
) -> None:
    office = await asking.office(server.api)
    day = Day(server, office, random.Random(seed))
    await day.begin()
    await day.work()
    states, silences, numbers = set(), 0, set()
    async with server.socket(office.dispatcher) as one, server.socket(office.client) as other:
        desk, client = Watcher(day, one, office.dispatcher), Watcher(day, other, office.client)
        for watcher in (desk, client):
            await watcher.begin()
        await listening(server, 2)
        for _ in range(30):
            await day.something()
            await day.work()
            for watcher in (desk, client):
                assert await watcher.is_up_to_date()
            assert seen_by_site(desk.told) == await naive(day)
            states |= {each["state"] for each in desk.told["sites"]}
            silences += sum(row["kind"] == "SILENCE" for row in presences(desk.told))
            numbers |= {row["duty"]["number"] for row in presences(client.told)}
            rows = presences(client.told)
            assert {row["kind"] for row in rows} <= {"STAY", "ABSENCE"}
            assert {row["duty"]["user"] for row in rows} <= {None}
            parts = [*client.told["sites"], *client.told["roaming"]]
            assert {part["silent"] for part in parts} <= {None}
    assert states == {"ABSENT", "EXPECTED", "UNPROVEN", "COVERED", "UNWATCHED"}
    assert silences
    assert numbers <= {guard.duty.number for guard in day.guards}
    assert client.many < desk.many


async def test_a_duty_that_begins_or_ends_by_the_mere_passing_of_time_is_told(
    server: Server,
) -> None:
    office = await asking.office(server.api)
    day = Day(server, office, random.Random(0))
    from_at, until_at = START + timedelta(minutes=5), START + timedelta(minutes=9)
    server.api.state.now = lambda: day.at - timedelta(seconds=3)  # the API's clock is slow
    async with transaction(server.api.make) as session:
        await positions.ensure_partitions(session, at=START, keep=KEEP)
    guard = await guards.on_duty(server.api.make, office.world, from_at=from_at, until_at=until_at)
    await day.work()
    async with server.socket(office.client) as socket:
        watcher = Watcher(day, socket, office.client)
        await watcher.begin()
        assert watcher.told["sites"][0]["state"] == "UNWATCHED"
        await listening(server)
        for at, state, numbers in (
            (from_at, "EXPECTED", [guard.duty.number]),
            (until_at, "UNWATCHED", []),
        ):
            day.at = at
            await day.work()
            [place] = (await socket.next())["accountStatus"]["sites"]
            assert (place["state"], [each["number"] for each in place["onDuty"]]) == (
                state,
                numbers,
            )


async def test_who_is_let_go_is_inside_no_more_though_nobody_has_judged_it_yet(
    server: Server,
) -> None:
    office = await asking.office(server.api)
    day = Day(server, office, random.Random(0))
    server.api.state.now = lambda: day.at
    async with transaction(server.api.make) as session:
        await positions.ensure_partitions(session, at=START, keep=KEEP)
    guard = await guards.on_duty(server.api.make, office.world, from_at=START)
    day.at += timedelta(minutes=2)
    await day.hand_in(guard, START, day.at, north=0)
    await day.work()
    async with server.socket(office.client) as socket:
        watcher = Watcher(day, socket, office.client)
        await watcher.begin()
        assert watcher.told["sites"][0]["state"] == "COVERED"
        await listening(server)
        await day.end(guard)
        await day.tell()
        [place] = (await socket.next())["accountStatus"]["sites"]
        assert (place["state"], place["inside"]) == ("UNWATCHED", [])
