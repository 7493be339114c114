"""`facts`: the catalogue of facts, as a page written to or compared with `docs/reference/facts.md`."""

from api.commands.generated_page import REFERENCE, write_or_compare
from domain.catalogue import page

PATH = REFERENCE / "facts.md"


def run(check: bool) -> int:
    """Write the page; with `check` write nothing and return 1 when it differs."""
    return write_or_compare("facts.md", page(), check=check, command="waarborg facts")
