"""`waarborg detect` on files of every shape: what it finds, what it leaves out, and what it refuses."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from api.cli import app
from api.commands.detect import profile_of
from api.support.failures import CommandFailure
from domain.core.errors import Refused

FIRST = date(2024, 1, 1)


def run(*words: str) -> str:
    done = CliRunner().invoke(app, ["detect", *words])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def figures(*words: str) -> list[dict[str, Any]]:
    return list(json.loads(run(*words, "--json"))["series"])


def test_a_csv_with_semicolons_whose_rows_are_events_is_counted_by_site(tmp_path: Path) -> None:
    rows = ["opened;site;kind"]
    for day in range(200):
        on = FIRST + timedelta(days=day)
        rows += [f"{on}T23:30:00+00:00;Harbour;fire"] * (5 if day == 150 else day % 30 == 0)
        rows += [f"{on};Mill;fire"] * (day % 40 == 0)
    file = tmp_path / "events.csv"
    file.write_text("\n".join(rows), "utf-8-sig")
    found = figures(str(file), "--date", "opened", "--by", "site")
    assert [each["name"] for each in found] == ["Harbour", "Mill"]
    [burst] = found[0]["found"]
    assert (burst["detector"], burst["found_on"]) == ("rare", "2024-05-30")
    assert burst["value"] >= 5
    assert found[1]["found"] == []


def test_instants_are_days_of_the_profiles_zone(tmp_path: Path) -> None:
    profile = tmp_path / "mine.toml"
    profile.write_text('date = "opened"\ntime_zone = "Europe/Amsterdam"\n')
    rows = [f"{FIRST + timedelta(days=day)}T23:30:00Z" for day in range(0, 200, 20)]
    rows += ["2024-06-08T23:30:00Z"] * 5
    file = tmp_path / "events.csv"
    file.write_text("\n".join(["opened", *rows]))
    [found] = figures(str(file), "--profile", str(profile))
    [burst] = found["found"]
    assert burst["found_on"] == "2024-06-09"


def test_a_parquet_with_counts_and_levels_is_scanned_column_by_column(tmp_path: Path) -> None:
    draw = np.random.default_rng(2)
    days = [FIRST + timedelta(days=day) for day in range(200)]
    calls, seconds = draw.poisson(100, 200), draw.normal(600, 30, 200)
    calls[120], seconds[150:] = 300, seconds[150:] + 120
    file = tmp_path / "days.parquet"
    parquet.write_table(pa.table({"day": days, "calls": calls, "seconds": seconds}), file)
    found = figures(str(file), "--date", "day", "--count", "calls", "--level", "seconds")
    assert [each["found_on"] for each in found[0]["found"]] == ["2024-04-30"]
    assert [each["detector"] for each in found[1]["found"]] == ["level"]
    began = date.fromisoformat(found[1]["found"][0]["first_on"])
    assert abs((began - date(2024, 5, 30)).days) <= 2


def test_unreadable_rows_are_left_out_and_said(tmp_path: Path) -> None:
    rows = [f"{FIRST + timedelta(days=day)},{30}" for day in range(40)]
    file = tmp_path / "days.csv"
    file.write_text(
        "\n".join(
            ["day,n", *rows, "yesterday,30", "2024-02-20,-4", "2024-02-21,many", "2024-02-22,"]
        )
    )
    done = CliRunner().invoke(app, ["detect", str(file), "--date", "day", "--count", "n"])
    assert done.exit_code == 0
    assert (
        "3 values were left out, such as row 41: 'yesterday' in day is not a date." in done.stderr
    )
    assert "28 days have too little history." in done.stdout
    assert "40 days" in done.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n2024-01-01,1\n", r"has no column 'day', 'n'; it has a, b"),
        ("day,n\nx,1\n", r"no row has a date and a value\. 1 could not be read"),
        ("day,n\n", r"no row has a date and a value"),
        ("", r"CSV|column"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_reason(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "days.csv"
    file.write_text(text)
    with pytest.raises(Refused, match=words):
        run(str(file), "--date", "day", "--count", "n")


def test_a_profile_or_a_date_column_is_needed_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandFailure, match="Name a profile"):
        profile_of(None, None, [], [], [])
    with pytest.raises(Refused, match="berlin"):
        profile_of("berlijn", None, [], [], [])
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('date = "day"\ncolour = "red"\n')
    with pytest.raises(Refused, match="colour"):
        profile_of(str(wrong), None, [], [], [])
    wrong.write_text('date = "day"\ntime_zone = "Mars/Olympus"\n')
    with pytest.raises(Refused, match="Mars"):
        profile_of(str(wrong), None, [], [], [])
    changed = profile_of("berlin", None, ["mission_count_fire"], [], [])
    assert (changed.counts, changed.levels) == (("mission_count_fire",), ())
