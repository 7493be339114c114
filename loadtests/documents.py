"""The GraphQL documents of the users, as files, so that the schema, people and code generators can read them."""

from pathlib import Path

PLACE = Path(__file__).parent / "operations"
DOCUMENTS = {path.stem: path.read_text() for path in sorted(PLACE.glob("*.graphql"))}
"""The documents by file name, such as `open_incident`."""
