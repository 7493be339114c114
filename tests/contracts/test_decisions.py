"""Every decision has a number, a status and a date, and the index lists them all as they are."""

import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

DECISIONS = Path(__file__).parents[2] / "docs" / "decisions"
INDEX = DECISIONS / "README.md"
FILES = sorted(path for path in DECISIONS.glob("*.md") if path != INDEX)
HEAD = re.compile(
    r"# (?P<number>\d{4}) · (?P<title>.+)\n\n- Status: (?P<status>.+)\n- Date: (?P<date>.+)\n\n(?P<text>(?s:.+))"
)
STATUS = re.compile(r"accepted|proposed|rejected|(?:amended|superseded) by \[(\d{4})\]\((\S+)\)")


class Row(NamedTuple):
    """One decision as the index lists it."""

    number: str
    title: str
    file: str
    date: str
    status: str


def head(path: Path) -> re.Match[str]:
    found = HEAD.fullmatch(path.read_text())
    assert found, f"{path.name}: begin it as the newest decision begins, with status and date"
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[:4])
def test_a_decision_has_a_status_and_a_date(path: Path) -> None:
    found = head(path)
    assert path.name.startswith(f"{found['number']}-")
    date.fromisoformat(found["date"])
    status = STATUS.fullmatch(found["status"])
    assert status, f"{path.name}: {found['status']!r} is no status"
    if status[1]:
        assert status[2].startswith(status[1])
        assert (DECISIONS / status[2]).exists()


def test_decisions_are_numbered_without_gaps() -> None:
    assert [path.name[:4] for path in FILES] == [f"{n:04d}" for n in range(1, len(FILES) + 1)]


def test_the_index_lists_every_decision_as_it_is() -> None:
    listed = Counter(
        Row(*found)
        for found in re.findall(
            r"^\| (\d{4}) \| \[(.+)\]\((\S+)\) \| (\S+) \| (.+) \|$",
            INDEX.read_text(),
            re.MULTILINE,
        )
    )
    written = Counter(
        Row(
            found["number"],
            found["title"],
            path.name,
            found["date"],
            re.sub(r"\[(\d+)\]\(\S+\)", r"\1", found["status"]),
        )
        for path in FILES
        for found in [head(path)]
    )
    assert listed == written, "docs/decisions/README.md"
