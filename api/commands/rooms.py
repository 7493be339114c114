"""`rooms`: the capabilities with what their packages say they hold, as a table in `docs/rooms.md`."""

import ast
import re
import sys
from pathlib import Path

import domain
from api.commands.generated_page import REFERENCE, write_or_compare

PATH = REFERENCE.parent / "rooms.md"
_TABLE = re.compile(r"(?<=<!-- capabilities -->\n)(.*?)(?=<!-- /capabilities -->\n)", re.DOTALL)


def run(check: bool) -> int:
    """Write the table into the page; with `check` write nothing and return 1 when it differs."""
    if not PATH.exists():  # installed without the documentation
        sys.stdout.write(table())
        return 0
    return write_or_compare("../rooms.md", page(), check=check, command="waarborg rooms")


def page() -> str:
    """Return the page with the table as the packages say it."""
    return _TABLE.sub(lambda _old: table(), PATH.read_text())


def table() -> str:
    """Render one row for each package of `domain/`, from the first line of its docstring."""
    lines = ["| room | holds |", "|---|---|"]
    for init in sorted(Path(domain.__file__).parent.glob("*/__init__.py")):
        words = (ast.get_docstring(ast.parse(init.read_text())) or "").partition("\n")[0]
        lines.append(f"| `domain/{init.parent.name}/` | {words} |")
    return "\n".join(lines) + "\n"
