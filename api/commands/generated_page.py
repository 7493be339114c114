"""Generated pages of the documentation: written from the code, or compared with it."""

import difflib
import sys
from pathlib import Path

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def write_or_compare(name: str, wanted: str, *, check: bool, command: str) -> int:
    """Write `docs/reference/<name>`; with `check` write nothing and return 1 when it differs, showing where."""
    path = REFERENCE / name
    if not check:
        if not REFERENCE.is_dir():  # installed without the documentation
            sys.stdout.write(wanted)
            return 0
        path.write_text(wanted)
        return 0
    found = path.read_text() if path.exists() else ""
    if found == wanted:
        return 0
    lines = difflib.unified_diff(
        found.splitlines(keepends=True), wanted.splitlines(keepends=True), "committed", "code", n=1
    )
    sys.stderr.writelines(lines)
    sys.stderr.write(f"The page differs from the code: run `{command}`.\n")
    return 1
