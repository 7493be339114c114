"""The glossary has one row for each word, and names only code that exists."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "glossary.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| term ")
]
SOURCES = "\n".join(
    path.read_text()
    for room in ("api", "schema", "domain", "realtime", "workers")
    for path in (ROOT / room).rglob("*.py")
)
NAMES = sorted({name for row in ROWS for name in re.findall(r"`([^`]+)`", row[-1])})


def test_a_word_stands_in_one_row() -> None:
    assert len(ROWS) > 60
    words = Counter(word.strip() for row in ROWS for word in row[0].split(","))
    assert [word for word, times in words.items() if times > 1] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_code_that_a_row_names_exists(name: str) -> None:
    if "/" in name:
        assert (ROOT / name).exists()
        return
    for part in name.split("."):
        # A name of the wire is written in another case than the attribute it is read from.
        word = re.sub(r"(?<=[a-z])([A-Z])", lambda found: f"_{found[1].lower()}", part)
        assert re.search(rf"\b(?:{re.escape(part)}|{re.escape(word)})\b", SOURCES), part
