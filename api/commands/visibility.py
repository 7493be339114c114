"""`visibility`: who sees what, as a page written to or compared with `docs/reference/visibility.md`."""

from api.commands.generated_page import REFERENCE, write_or_compare
from domain.access.words import page
from schema.build import build

PATH = REFERENCE / "visibility.md"


def run(check: bool) -> int:
    """Write the page; with `check` write nothing and return 1 when it differs."""
    build()  # the types of the schema enter their fields in the table
    return write_or_compare("visibility.md", page(), check=check, command="waarborg visibility")
