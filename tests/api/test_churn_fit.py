"""`waarborg churn fit` on files of other companies: what it reads, refuses, and cannot measure yet."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from api.cli import app
from api.commands.churn import profile_of
from api.support.failures import CommandFailure
from domain.core.errors import Refused


def run(*words: str) -> str:
    done = CliRunner().invoke(app, ["churn", "fit", *words])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def clients(file: Path, n: int, *, rate: float = 0.3, seed: int = 0) -> Path:
    """Write clients of whom those with complaints leave more often; some lack a figure."""
    draw = np.random.default_rng(seed)
    rows = ["client;since;region;complaints;ended"]
    for each in range(n):
        complaints = int(draw.poisson(1))
        ended = draw.random() < rate * (1 + complaints) / 2
        since = "" if each % 9 == 0 else f"{draw.integers(1, 10)}"
        rows.append(
            f"Client {each};{since};{'NZ'[each % 2]};{complaints};{'gone' if ended else ''}".rstrip()
        )
    file.write_text(
        "\n".join(rows).replace(";\n", ";here\n") + ("here" if rows[-1].endswith(";") else "")
    )
    return file


def figures(*words: str) -> dict[str, Any]:
    return dict(json.loads(run(*words, "--json")))


def test_any_file_is_fitted_with_an_outcome_column_and_names_are_left_out(tmp_path: Path) -> None:
    file = clients(tmp_path / "clients.csv", 600)
    found = figures(str(file), "--outcome", "ended", "--leaves", "gone")
    assert found["clients"] == 600
    assert found["left_out"] == ["client"]
    names = {each["name"]: each["log_odds"] for each in found["coefficients"]}
    assert set(names) == {"since", "since is missing", "region = Z", "complaints"} or set(
        names
    ) == {
        "since",
        "since is missing",
        "region = N",
        "complaints",
    }
    assert max(names, key=lambda each: abs(names[each])) == "complaints"
    assert found["model"]["auc"] > found["base_rate"]["auc"]
    assert "complaints" in run(str(file), "--outcome", "ended", "--leaves", "gone")


def test_with_fewer_than_twenty_leavers_nothing_is_measurable_yet(tmp_path: Path) -> None:
    file = clients(tmp_path / "clients.csv", 60, rate=0.1)
    words = (str(file), "--outcome", "ended", "--leaves", "gone")
    assert not figures(*words)["measurable"]
    assert figures(*words)["model"] is None
    assert "Not yet measurable" in run(*words)


def test_what_cannot_be_used_is_refused_with_the_reason(tmp_path: Path) -> None:
    file = clients(tmp_path / "clients.csv", 60)
    for words, match in (
        (("--outcome", "left", "--leaves", "gone"), "no column 'left'"),
        (("--outcome", "ended", "--leaves", "Yes"), r"must hold clients that left \(Yes\)"),
        (("--outcome", "ended", "--leaves", "gone", "--signs"), "names no signs"),
        (("--outcome", "ended", "--leaves", "gone", "--ignore", "regio"), "regio"),
    ):
        with pytest.raises(Refused, match=match):
            run(str(file), *words)
    file.write_text("ended;n\ngone;1\n;2\n")
    with pytest.raises(Refused, match="1 clients have no ended"):
        run(str(file), "--outcome", "ended", "--leaves", "gone")


def test_a_profile_of_ones_own_names_signs(tmp_path: Path) -> None:
    file = clients(tmp_path / "clients.csv", 300)
    profile = tmp_path / "ours.toml"
    profile.write_text(
        'outcome = "ended"\nleaves = ["gone"]\nbase_rate = 0.3\n'
        '[[signs]]\nname = "complains"\ncolumn = "complaints"\nat_least = 2\n'
    )
    found = figures(str(file), "--profile", str(profile), "--signs")
    [sign] = found["coefficients"]
    assert sign["name"] == "complains"
    assert sign["log_odds"] > 0


def test_wrong_profiles_are_named(tmp_path: Path) -> None:
    with pytest.raises(CommandFailure, match="Name a profile"):
        profile_of(None, "ended", [], [])
    with pytest.raises(Refused, match="ibm_telco"):
        profile_of("telco", None, [], [])
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('outcome = "x"\nleaves = ["y"]\n[[signs]]\nname = "s"\ncolumn = "c"\n')
    with pytest.raises(Refused, match="'s' needs among"):
        profile_of(str(wrong), None, [], [])
    wrong.write_text('outcome = "x"\nleaves = ["y"]\nbase_rate = 2\n')
    with pytest.raises(Refused, match="base_rate"):
        profile_of(str(wrong), None, [], [])
