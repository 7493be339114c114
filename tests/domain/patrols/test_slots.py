"""Rounds of a day: one after the other, also in both nights of changed clocks; random ones as their key says."""

import random
from datetime import date, time, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from domain.patrols.slots import slots_of, window_of

DAYS = {date(2026, 3, 10): 8, date(2026, 3, 28): 7, date(2026, 10, 24): 9}
ZONE = "Europe/Amsterdam"


def route(start: time, end: time, *, rounds: int = 4, minutes: int = 60) -> Any:
    return SimpleNamespace(local_start=start, local_end=end, rounds=rounds, round_minutes=minutes)


NIGHT = route(time(22), time(6))


@pytest.mark.parametrize("key", [None, bytes(32), bytes(range(32))])
@pytest.mark.parametrize(("day", "hours"), DAYS.items())
def test_rounds_fit_into_their_slots_whatever_the_key(
    day: date, hours: int, key: bytes | None
) -> None:
    window = window_of(NIGHT, day, ZONE)
    assert window.until_at - window.from_at == timedelta(hours=hours)
    slots = slots_of(window, day, rounds=4, round_s=3_600, key=key)
    slot = timedelta(hours=hours) / 4
    for number, each in enumerate(slots):
        assert each.until_at - each.from_at == timedelta(hours=1)
        assert window.from_at + number * slot <= each.from_at
        assert each.until_at <= window.from_at + (number + 1) * slot
        if key is None:
            assert each.from_at == window.from_at + number * slot


def test_random_starts_are_spread_over_their_slots() -> None:
    draw, day = random.Random(1), date(2026, 3, 10)
    window = window_of(NIGHT, day, ZONE)
    starts = [
        (slot.from_at - window.from_at).total_seconds()
        for _ in range(2_000)
        for slot in slots_of(window, day, rounds=1, round_s=3_600, key=draw.randbytes(32))
    ]
    quarters = [sum(q * 6_300 <= each < (q + 1) * 6_300 for each in starts) for q in range(4)]
    chi2 = sum((each - 500) ** 2 / 500 for each in quarters)
    assert chi2 < 16.27, quarters  # three degrees of freedom, 1 in 1,000


@pytest.mark.parametrize(
    ("start", "end", "rounds", "minutes"),
    [
        *((time(2), time(3), 1, 45), (time(2, 30), time(3), 2, 15), (time(2), time(3, 30), 2, 30)),
        *((time(1, 30), time(3), 3, 30), (time(2, 10), time(2, 50), 1, 40)),
    ],
)
@pytest.mark.parametrize("key", [None, bytes(range(32))], ids=["fixed", "random"])
def test_rounds_keep_their_length_in_the_night_in_which_the_clock_skips_their_window(
    start: time, end: time, rounds: int, minutes: int, key: bytes | None
) -> None:
    day = date(2026, 3, 29)
    window = window_of(route(start, end, rounds=rounds, minutes=minutes), day, ZONE)
    slots = slots_of(window, day, rounds=rounds, round_s=60 * minutes, key=key)
    assert [each.until_at - each.from_at for each in slots] == [timedelta(minutes=minutes)] * rounds
    assert all(one.until_at <= other.from_at for one, other in pairwise(slots))
    assert window.from_at <= slots[0].from_at
    assert slots[-1].until_at <= window.until_at
