"""Place the rounds of a day in the window of their route: with the start of their slot, or at random inside it.

The random start of round `number` is HMAC-SHA-256(key of the day, "<date>|<number>") as a big-endian number, modulo the
seconds in which it may begin. `api/verify.py` computes the same from the ledger alone.
"""

import hmac
from datetime import date, datetime, timedelta
from typing import NamedTuple

from domain.core.errors import Code, Refused
from domain.patrols.model import PatrolRoute
from domain.shifts import LocalHours


class RoundSlot(NamedTuple):
    """The period of one round."""

    number: int
    from_at: datetime
    until_at: datetime


class DayWindow(NamedTuple):
    """The window of one day, in UTC."""

    from_at: datetime
    until_at: datetime


def window_of(route: PatrolRoute, day: date, zone: str) -> DayWindow:
    """Return the window of a day, as long as the wall clock says.

    Where the change of clocks leaves too little for the rounds, the window is as long as on other days.
    """
    hours = LocalHours(route.local_start, route.local_end)
    found = hours.on(day, zone)
    needed = route.rounds * timedelta(minutes=route.round_minutes)
    if found.until_at - found.from_at < needed:
        return DayWindow(found.from_at, found.from_at + hours.length)
    return DayWindow(found.from_at, found.until_at)


def slots_of(
    window: DayWindow, day: date, *, rounds: int, round_s: int, key: bytes | None
) -> list[RoundSlot]:
    """Return the rounds of a day, which fit into its window one after the other."""
    slot_s = int((window.until_at - window.from_at).total_seconds()) // rounds
    found = []
    for number in range(1, rounds + 1):
        offset = 0 if key is None else random_offset(key, day, number, slot_s - round_s)
        start = window.from_at + timedelta(seconds=(number - 1) * slot_s + offset)
        found.append(RoundSlot(number, start, start + timedelta(seconds=round_s)))
    return found


def random_offset(key: bytes, day: date, number: int, most_s: int) -> int:
    """Return how many seconds after its slot a round begins, 0 to `most_s`."""
    drawn = hmac.digest(key, f"{day.isoformat()}|{number}".encode(), "sha256")
    return int.from_bytes(drawn) % (most_s + 1)


def must_fit(route: PatrolRoute) -> None:
    """Refuse rounds that do not fit into their window one after the other."""
    day = date(2026, 1, 1)
    window = window_of(route, day, "UTC")
    slot_s = int((window.until_at - window.from_at).total_seconds()) // route.rounds
    if route.round_minutes * 60 > slot_s:
        raise Refused(
            Code.INVALID,
            f"The window has {slot_s // 60:,} minutes for each round; give a shorter round, fewer rounds or a"
            " longer window.",
            argument="roundMinutes",
        )
