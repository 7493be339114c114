"""The reference pages name every word, option and setting there is, and nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from api.cli import app
from domain.settings import Settings

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def words(command: Any, said: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every command with its options, groups walked."""
    if isinstance(command, typer.core.TyperGroup):
        for name, part in command.commands.items():
            yield from words(part, f"{said} {name}".strip())
        return
    options = {
        flag
        for p in command.params
        for flag in (*p.opts, *p.secondary_opts)
        if flag.startswith("--")
    }
    yield said, options - {"--help", "--data"}


def test_every_word_and_option_of_the_command_line_is_in_its_reference() -> None:
    rows = re.findall(
        r"^\| `([a-z ]+?)((?: [A-Z\[-].*)?)` \|", (REFERENCE / "cli.md").read_text(), re.MULTILINE
    )
    documented = {name: set(re.findall(r"--[a-z-]+", options)) for name, options in rows}
    documented["up"].add("--live")  # written as what it is used for: --no-live
    assert documented == dict(words(typer.main.get_command(app)))


def test_every_setting_is_in_its_reference() -> None:
    documented = set(re.findall(r"WAARBORG_[A-Z_]+", (REFERENCE / "settings.md").read_text()))
    assert documented == {f"WAARBORG_{name.upper()}" for name in Settings.model_fields}
