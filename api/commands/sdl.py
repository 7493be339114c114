"""`sdl`: the schema in words, written to or compared with `schema/schema.graphql`."""

import difflib
import sys
from pathlib import Path

import schema
from schema.build import sdl

PATH = Path(schema.__file__).with_name("schema.graphql")


def run(check: bool) -> int:
    """Write the file; with `check` write nothing and answer 1 when it differs, showing where."""
    wanted = sdl()
    if not check:
        PATH.write_text(wanted)
        return 0
    found = PATH.read_text() if PATH.exists() else ""
    if found == wanted:
        return 0
    lines = difflib.unified_diff(
        found.splitlines(keepends=True), wanted.splitlines(keepends=True), "committed", "code", n=1
    )
    sys.stderr.writelines(lines)
    sys.stderr.write("The committed schema differs from the code: run `make sdl`.\n")
    return 1
