"""Note of the last numbered fact, in a file outside the database.

A cold copy of a cluster that is put back has the same name and timeline as before, so PostgreSQL cannot detect that it
is older. The file can: it names a fact that the copy does not have, or that differs in the copy.
"""

from pathlib import Path
from uuid import UUID

import msgspec

from domain.core import private_files


class HighWater(msgspec.Struct, frozen=True, kw_only=True):
    """A numbered fact: its ledger and epoch, its number and its hash."""

    ledger: str
    epoch: UUID
    seq: int
    hash: str


def read(path: Path) -> HighWater | None:
    """Read the last note; None when the file is missing or unreadable."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=HighWater)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def write(path: Path, noted: HighWater) -> None:
    """Replace the note atomically."""
    private_files.make_missing(path.parent)
    with private_files.replacing(path) as file:
        file.write(msgspec.json.encode(noted))
