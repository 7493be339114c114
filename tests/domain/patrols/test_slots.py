"""Rounds of a day: one after the other, also in both nights of changed clocks; random ones as their key says."""

import random
from datetime import date, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from domain.patrols.slots import slots_of, window_of

DAYS = {date(2026, 3, 10): 8, date(2026, 3, 28): 7, date(2026, 10, 24): 9}
NIGHT: Any = SimpleNamespace(local_start=time(22), local_end=time(6))


@pytest.mark.parametrize("key", [None, bytes(32), bytes(range(32))])
@pytest.mark.parametrize(("day", "hours"), DAYS.items())
def test_rounds_fit_into_their_slots_whatever_the_key(
    day: date, hours: int, key: bytes | None
) -> None:
    window = window_of(NIGHT, day, "Europe/Amsterdam")
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
    window = window_of(NIGHT, day, "Europe/Amsterdam")
    starts = [
        (slot.from_at - window.from_at).total_seconds()
        for _ in range(2_000)
        for slot in slots_of(window, day, rounds=1, round_s=3_600, key=draw.randbytes(32))
    ]
    quarters = [sum(q * 6_300 <= each < (q + 1) * 6_300 for each in starts) for q in range(4)]
    chi2 = sum((each - 500) ** 2 / 500 for each in quarters)
    assert chi2 < 16.27, quarters  # three degrees of freedom, 1 in 1,000
