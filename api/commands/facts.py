"""`facts`: write the catalogue of facts to `docs/reference/facts.md`, or compare it."""

from api.commands.generated_page import REFERENCE, write_or_compare
from domain.catalogue import page

PATH = REFERENCE / "facts.md"


def run(check: bool) -> int:
    """Write the page; with `check` write nothing and return 1 when it differs."""
    return write_or_compare("facts.md", page(), check=check, command="waarborg facts")
