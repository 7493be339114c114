"""Unusual days of the Berlin fire service: the named days are found, and hardly others."""

import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import app

ROOT = Path(__file__).parents[2]
REAL = Path(os.environ.get("WAARBORG_REAL_DATA", ROOT.parent / "shared" / "data"))
MISSIONS = REAL / "kpi" / "berlin_fire_daily_2018_2022.parquet"
MONTHS = 60
"""Of five years."""


@pytest.fixture(scope="module")
def named() -> list[date]:
    """Return the days that the truth names."""
    if not MISSIONS.exists():
        pytest.skip(f"the real counts {MISSIONS} are not on this machine (WAARBORG_REAL_DATA)")
    truth = json.loads((REAL / "TRUTH.json").read_text())["berlin_fire"]
    return [date.fromisoformat(day) for day in truth["top_days"]]


def detected(*options: str) -> dict[str, Any]:
    """Run the command and return the figures of the missions a day."""
    done = CliRunner().invoke(
        app, ["detect", str(MISSIONS), "--profile", "berlin", "--json", *options]
    )
    assert done.exit_code == 0, done.output
    [figures] = [
        each for each in json.loads(done.stdout)["series"] if each["name"] == "mission_count_all"
    ]
    return dict(figures)


def days_of(figures: dict[str, Any]) -> Iterator[date]:
    for each in figures["found"]:
        if each["direction"] == "high":
            yield from map(date.fromisoformat, each["days"])


def test_every_named_day_with_history_is_found_online_with_one_alarm_a_month_at_most(
    named: list[date],
) -> None:
    figures = detected()
    with_history = {day for day in named if (day - date(2018, 1, 1)).days >= 28}
    assert len(with_history) == 4
    assert with_history <= set(days_of(figures))
    assert figures["days"] == {"too_little_history": 28, "judged": 1798}
    assert len(figures["found"]) / MONTHS <= 1


def test_all_named_days_are_found_in_retrospect(named: list[date]) -> None:
    figures = detected("--retro")
    assert set(named) <= set(days_of(figures))
    assert len(figures["found"]) / MONTHS <= 1
