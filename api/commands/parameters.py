"""`parameters`: the parameters that the software declares, printed, and as a page in `docs/reference/parameters.md`."""

import sys

from api.commands.generated_page import REFERENCE, write_or_compare
from domain.parameters import allowed_text, default_text, definitions, page

PATH = REFERENCE / "parameters.md"


def run(check: bool) -> int:
    """Print one line for each and write the page; with `check` only compare, and return 1 when it differs."""
    if not check:
        for each in definitions().values():
            sys.stdout.write(f"{each.name}: {default_text(each)} (takes {allowed_text(each)})\n")
    return write_or_compare("parameters.md", page(), check=check, command="waarborg parameters")
