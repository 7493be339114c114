"""The pages name every word, option, setting and close code there is, and nothing else; links lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from api.cli import app
from domain.core.settings import Settings

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


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
    documented = set(re.findall(r"WAARBORG_[A-Z0-9_]+", (REFERENCE / "settings.md").read_text()))
    assert documented == {f"WAARBORG_{name.upper()}" for name in Settings.model_fields}


def test_every_close_code_of_a_socket_is_in_its_reference() -> None:
    page = (REFERENCE / "realtime.md").read_text()
    rows = re.findall(r"^\| (\d{4}(?:, \d{4})*) \|", page, re.MULTILINE)
    documented = {code for row in rows for code in row.split(", ")}
    code = "".join(
        (ROOT / "api" / name).read_text()
        for name in ("endpoints/graphql_ws.py", "live/websocket_transport.py")
    )
    said = set(re.findall(r"(?:close|Closing|_fail)\((\d{4})", code))
    # A handshake that is refused is answered with a status; who stops the process is uvicorn.
    assert documented == said - {"1008"} | {"1012"}


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Where the links of a page lead inside the repository: the file, and the heading in it."""
    for target in re.findall(r"\]\(([^)#\s]*)(#[^)]*)?\)", page.read_text()):
        if "://" not in target[0]:
            yield (page.parent / target[0]).resolve() if target[0] else page, target[1]


def headings(page: Path) -> set[str]:
    """The names under which links find a page's headings."""
    found = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in found}


def test_every_page_is_found_from_the_readme_and_every_link_leads_somewhere() -> None:
    pages = {*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")}
    for page in pages:
        for file, heading in links(page):
            assert file.exists(), f"{page}: {file}"
            assert not heading or heading in headings(file), f"{page}: {file}{heading}"
    found, waiting = {ROOT / "README.md"}, [ROOT / "README.md"]
    while waiting:
        linked = {file for file, _ in links(waiting.pop())} & pages - found
        found |= linked
        waiting += linked
    assert pages - found == set()
