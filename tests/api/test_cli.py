"""The command line: quick to help, plain about trouble, exit codes that mean something."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def waarborg(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api.cli", *arguments],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        env=os.environ | environment,
        timeout=120,
    )


def cpu_s(*arguments: str) -> float:
    """CPU seconds of a process: what it costs, not what else the machine did."""
    before = os.times()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=ROOT)
    after = os.times()
    return (
        after.children_user + after.children_system - before.children_user - before.children_system
    )


@pytest.fixture
def taken() -> Iterator[int]:
    """A port somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_help_costs_little_more_than_the_libraries_that_draw_it() -> None:
    drawing = ("-c", "import typer, typer.rich_utils")
    turns = [(cpu_s("-m", "api.cli", "--help"), cpu_s(*drawing)) for _ in range(5)]
    own, libraries = (min(each) for each in zip(*turns, strict=True))
    assert own < 2 * libraries


def test_help_imports_none_of_what_commands_need() -> None:
    program = "import api.cli, sys; print(*sys.modules)"
    seen = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT
    )
    loaded = set(seen.stdout.split())
    assert "typer" in loaded
    assert not loaded & {
        "sqlalchemy",
        "asyncpg",
        "redis",
        "alembic",
        "strawberry",
        "numba",
        "pydantic",
        "uvicorn",
    }


def test_a_taken_port_is_named_with_a_way_out_before_anything_starts(
    tmp_path: Path, taken: int
) -> None:
    seen = waarborg("up", "--port", str(taken), "--data", str(tmp_path / "data"))
    assert seen.returncode == 4
    assert f"Port {taken}" in seen.stderr
    assert f"--port {taken + 1}" in seen.stderr
    assert "Traceback" not in seen.stderr
    assert not (tmp_path / "data").exists()


def test_migrate_says_what_it_did_and_does_nothing_twice(tmp_path: Path) -> None:
    first = waarborg("migrate", "--json", "--data", str(tmp_path))
    second = waarborg("migrate", "--data", str(tmp_path))
    checked = waarborg("migrate", "--check", "--data", str(tmp_path))
    assert json.loads(first.stdout)["was"] == []
    assert "nothing to do" in second.stdout
    assert (first.returncode, second.returncode, checked.returncode) == (0, 0, 0), checked.stdout


def test_migrate_check_changes_nothing_and_says_no(tmp_path: Path) -> None:
    checked = waarborg("migrate", "--check", "--json", "--data", str(tmp_path))
    assert checked.returncode == 1
    assert json.loads(checked.stdout)["now"] == []


def test_the_doctor_names_what_is_broken_and_what_to_do(tmp_path: Path) -> None:
    sick = waarborg("doctor", "--json", "--data", str(tmp_path))
    waarborg("migrate", "--data", str(tmp_path))
    healthy = json.loads(waarborg("doctor", "--json", "--data", str(tmp_path)).stdout)
    found = {finding["part"]: finding for finding in json.loads(sick.stdout)["findings"]}
    assert sick.returncode == 1
    assert found["migrations"]["state"] == "broken"
    assert found["migrations"]["remedy"] == "waarborg migrate"
    states = {finding["part"]: finding["state"] for finding in healthy["findings"]}
    assert states["migrations"] == states["PostgreSQL"] == states["Redis"] == "fine"
    assert states["durability"] == states["Redis: persistence"] == "fine"


def test_a_setting_that_cannot_be_is_named() -> None:
    seen = waarborg("migrate", WAARBORG_PORT="many")
    assert seen.returncode == 3
    assert "WAARBORG_PORT" in seen.stderr
    assert "Traceback" not in seen.stderr


def test_a_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    seen = waarborg(
        "migrate",
        "--data",
        str(tmp_path),
        WAARBORG_DATABASE_URL="postgresql://nobody@127.0.0.1:9/none",
        WAARBORG_REDIS_URL="redis://127.0.0.1:9",
    )
    assert seen.returncode == 4
    assert "Traceback" not in seen.stderr


def test_an_unknown_word_is_a_usage_error() -> None:
    assert waarborg("migrat").returncode == 2
