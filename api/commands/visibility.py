"""`visibility`: write the table of roles and what they may see to `docs/reference/visibility.md`, or compare it."""

from api.commands.generated_page import REFERENCE, write_or_compare
from domain.access.words import page

PATH = REFERENCE / "visibility.md"


def run(check: bool) -> int:
    """Write the page; with `check` write nothing and return 1 when it differs."""
    return write_or_compare("visibility.md", page(), check=check, command="waarborg visibility")
