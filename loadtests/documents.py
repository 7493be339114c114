"""The documents that users send: as files, so that the schema, a person and a code generator can read them."""

from pathlib import Path

PLACE = Path(__file__).parent / "operations"
DOCUMENTS = {path.stem: path.read_text() for path in sorted(PLACE.glob("*.graphql"))}
"""Every document by the name of its file, such as `open_incident`."""
