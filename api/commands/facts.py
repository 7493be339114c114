"""`facts`: the catalogue of facts, as a page written to or compared with `docs/reference/facts.md`."""

import difflib
import sys
from pathlib import Path

from domain.catalogue import page

PATH = Path(__file__).parents[2] / "docs" / "reference" / "facts.md"


def run(check: bool) -> int:
    """Write the page; with `check` write nothing and answer 1 when it differs, showing where."""
    wanted = page()
    if not check:
        if not PATH.parent.is_dir():  # installed without the documentation
            sys.stdout.write(wanted)
            return 0
        PATH.write_text(wanted)
        return 0
    found = PATH.read_text() if PATH.exists() else ""
    if found == wanted:
        return 0
    lines = difflib.unified_diff(
        found.splitlines(keepends=True), wanted.splitlines(keepends=True), "committed", "code", n=1
    )
    sys.stderr.writelines(lines)
    sys.stderr.write("The page differs from the code: run `waarborg facts`.\n")
    return 1
