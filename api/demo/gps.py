"""Guards of the demo company on their rounds: each with a device on duty that hands in where it is, like any phone."""

import asyncio
import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import httpx2
import structlog

from domain.access import Role

EVERY_S = 3.0
SHIFT = timedelta(hours=8)
ROUND_M, AWAY_M = 45.0, 180.0  # inside the fence, and well outside
ROUND_S, TRIP_S = 240.0, 120.0
STRAY_M = 4.0
SILENT_S = 60
METRE = 1 / 111_195  # degrees of latitude

log = structlog.get_logger()

SITES = "{ sites(first: 50) { nodes { id lat lon fenceRadiusM account { id } } } }"
RUNNING = "{ duties(running: true, first: 100) { nodes { id } } }"


class Asks(Protocol):
    """The demo company's people, as the API sees them."""

    async def ask(self, asker: Role | UUID, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer."""
        ...

    async def tell(self, asker: Role | UUID, verb: str, **fields: Any) -> dict[str, Any]:
        """The answer of a verb."""
        ...

    guards: list[UUID]

    def token_of(self, user_id: UUID) -> str:
        """A token of a user that is good now."""
        ...


async def walk(company: Asks, http: httpx2.AsyncClient, chance: random.Random) -> None:
    """Let a guard go round the first place of every client, until cancelled; each guard is on duty at one place."""
    for duty in (await company.ask(Role.DISPATCHER, RUNNING))["duties"]["nodes"]:
        await company.tell(Role.DISPATCHER, "endDuty", id=duty["id"])  # those of the play before
    places = (await company.ask(Role.DISPATCHER, SITES))["sites"]["nodes"]
    first = {place["account"]["id"]: place for place in reversed(places) if place["fenceRadiusM"]}
    async with asyncio.TaskGroup() as rounds:
        for guard_id, (account_id, place) in zip(company.guards, first.items(), strict=False):
            token_of = partial(company.token_of, guard_id)
            rounds.create_task(_go_round(company, http, token_of, (account_id, place), chance))


async def _go_round(
    company: Asks,
    http: httpx2.AsyncClient,
    token_of: Callable[[], str],
    post: tuple[str, dict[str, Any]],
    chance: random.Random,
) -> None:
    """Shift after shift: on duty at the place, round it, away for a moment, back again."""
    while True:
        begins = datetime.now(UTC)
        token = await _on_duty(company, http, token_of, post, begins)
        start = chance.uniform(0, ROUND_S)
        while token and datetime.now(UTC) < begins + SHIFT:
            since = (datetime.now(UTC) - begins).total_seconds() + start
            await _hand_in(http, token, _fix(post[1], since, chance))
            await asyncio.sleep(EVERY_S)
        await asyncio.sleep(EVERY_S)


async def _on_duty(
    company: Asks,
    http: httpx2.AsyncClient,
    token_of: Callable[[], str],
    post: tuple[str, dict[str, Any]],
    begins: datetime,
) -> str | None:
    """Enrol a device and put it on duty; its token, or None when the API is away."""
    headers = {"authorization": f"Bearer {token_of()}"}
    try:
        answer = await http.post("/auth/devices", json={"name": "Telefoon"}, headers=headers)
        device = answer.json()
        device_id = str(device["id"])
    except (httpx2.HTTPError, ValueError, KeyError) as error:
        log.info("a guard waits for the API", error=repr(error))
        return None
    await company.tell(
        Role.DISPATCHER,
        "assignDevice",
        deviceId=device_id,
        accountId=post[0],
        siteId=post[1]["id"],
        fromAt=begins.isoformat(),
        untilAt=(begins + SHIFT).isoformat(),
        silentAfterSeconds=SILENT_S,
    )
    return str(device["token"])


async def _hand_in(http: httpx2.AsyncClient, token: str, fix: dict[str, Any]) -> None:
    """One fix, lost when the API is away: the next one comes in a moment."""
    headers = {"authorization": f"Bearer {token}"}
    try:
        await http.post("/ingest/positions", json={"fixes": [fix]}, headers=headers)
    except httpx2.HTTPError as error:
        log.info("a guard is not heard", error=repr(error))


def _fix(place: dict[str, Any], since_s: float, chance: random.Random) -> dict[str, Any]:
    """Return the position of the guard after this many seconds of the duty."""
    tripped_s = max(0.0, since_s % (ROUND_S + TRIP_S) - ROUND_S)
    on_round = not tripped_s
    radius = ROUND_M + (AWAY_M - ROUND_M) * math.sin(math.pi * tripped_s / TRIP_S)
    angle = since_s / 60
    north = radius * math.cos(angle) + chance.gauss(0, STRAY_M)
    east = radius * math.sin(angle) + chance.gauss(0, STRAY_M)
    return {
        "at": datetime.now(UTC).isoformat(),
        "lat": place["lat"] + north * METRE,
        "lon": place["lon"] + east * METRE / math.cos(math.radians(place["lat"])),
        "accuracyM": round(abs(chance.gauss(STRAY_M, 2)) + 2, 1),
        "speedMps": round(ROUND_M / 60 if on_round else 3.0, 1),
        "headingDeg": round(math.degrees(angle) % 360, 1),
        "batteryPct": round(100 - since_s / 600 % 80, 1),
    }
