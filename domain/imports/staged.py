"""What a batch of a file comes to: rows, the facts that they tell, and rows that cannot be taken."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.imports.reader import Cell


class Row(NamedTuple):
    """One row of the file, as staged."""

    number: int
    key: str
    account_id: UUID
    site_id: UUID
    row_at: datetime | None
    row_again: datetime | None  # when `row_at` is a wall clock that happened twice
    row_order: int
    opened_at: datetime | None
    agreed_at: datetime | None
    kind: str
    category: str | None
    priority: str
    source: str
    reporter: str
    summary: str
    meaning: str | None


class StagedFact(NamedTuple):
    """One fact that a row tells: `spec` is its place in the profile (updates follow the facts)."""

    number: int
    key: str
    spec: int
    at: datetime
    said_at: datetime | None  # what the source said, when the fact was moved to the opening
    body: (
        str | None
    )  # what tells facts of one instant apart: the update's text, a cause, a priority
    detail: str | None = None  # the fact's own fields, JSON
    commitment: str | None = None  # to `words`, which may be about people
    salt: bytes | None = None
    words: str | None = None


class Reject(NamedTuple):
    """A row that cannot be read, and why."""

    number: int
    reason: str
    cells: Sequence[Cell]


class Decoded(NamedTuple):
    """What a batch came to."""

    rows: list[Row]
    told: list[StagedFact]
    rejects: list[Reject]
