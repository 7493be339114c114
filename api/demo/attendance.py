"""Shifts and rounds of the demo company while it runs: guards begin, patrol and end by the clock, through the API.

Each day one guard does not come: the one of `absent_on`, by which the history was made too.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from api.demo.gps import Asks
from api.demo.guard_work import CAR, ZONE, absent_on
from domain.access import Role
from schema.core import ids

EVERY_S = 60.0
EARLY, LATE = timedelta(minutes=5), timedelta(minutes=10)
WALK_AFTER = timedelta(minutes=10)  # into the hour of a round
SHIFTS = """query ($from: DateTime!, $until: DateTime!) {
  shifts(fromAt: $from, untilAt: $until, states: [PUBLISHED, CONFIRMED, RUNNING], first: 50) {
    nodes { id onDay state fromAt untilAt post { name } user { id } }
  }
}"""
ROUNDS = """{
  patrolRounds(states: [PLANNED, OPEN], first: 50) {
    nodes { id fromAt untilAt visited route { points { id lat lon } } }
  }
}"""


async def attend(company: Asks) -> None:
    """Begin and end shifts and walk rounds when it is time, until cancelled."""
    while True:
        now = datetime.now(UTC)
        found = await company.ask(
            Role.DISPATCHER,
            SHIFTS,
            **{
                "from": (now - timedelta(hours=1)).isoformat(),
                "until": (now + EARLY).isoformat(),
            },
        )
        shifts: list[dict[str, Any]] = found["shifts"]["nodes"]
        for shift in shifts:
            await _attend(company, shift, now)
        car = next((each for each in shifts if each["post"]["name"] == CAR.post), None)
        if car is not None and car["state"] == "RUNNING":
            await _patrol(company, car, now)
        await asyncio.sleep(EVERY_S)


async def _attend(company: Asks, shift: dict[str, Any], now: datetime) -> None:
    """Clock a guard in by the word of the control room, or out, with the report of the shift."""
    begins, ends = (datetime.fromisoformat(shift[name]) for name in ("fromAt", "untilAt"))
    if shift["user"] is None:
        return
    if shift["state"] == "RUNNING":
        if now >= ends:
            await company.tell(Role.DISPATCHER, "clockOut", id=shift["id"])
            await company.tell(
                _guard_of(shift), "signShiftReport", shiftId=shift["id"], handover="Rustige dienst."
            )
    elif begins - EARLY <= now < begins + LATE and not _is_absent(shift, begins):
        await company.tell(Role.DISPATCHER, "clockIn", id=shift["id"])


def _guard_of(shift: dict[str, Any]) -> UUID | Role:
    """Return the user of a shift, who signs and scans."""
    found = ids.read(shift["user"]["id"])
    return Role.GUARD if found is None else found[1]


def _is_absent(shift: dict[str, Any], begins: datetime) -> bool:
    return bool(absent_on(begins.astimezone(ZONE).date()).post == shift["post"]["name"])


async def _patrol(company: Asks, car: dict[str, Any], now: datetime) -> None:
    """Scan all points of each round that began ten minutes ago or more and has no visit."""
    for each in (await company.ask(Role.DISPATCHER, ROUNDS))["patrolRounds"]["nodes"]:
        begins, ends = (datetime.fromisoformat(each[name]) for name in ("fromAt", "untilAt"))
        if not begins + WALK_AFTER <= now < ends or each["visited"]:
            continue
        scans = []
        for number, point in enumerate(each["route"]["points"]):
            at = (begins + timedelta(minutes=1 + 4 * number)).isoformat()
            place = {"lat": point["lat"], "lon": point["lon"], "at": at, "accuracyM": 6.0}
            scans.append(
                {
                    "sequence": int(begins.timestamp()) + number,
                    "at": at,
                    "pointId": point["id"],
                    "position": place,
                }
            )
        await company.tell(
            _guard_of(car),
            "uploadPatrolScans",
            device="auto-1-live",
            sentAt=now.isoformat(),
            scans=scans,
        )
