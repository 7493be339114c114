"""Result of decoding a batch: rows, their facts, and rejected rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.imports.column_file import Cell


class Row(NamedTuple):
    """One row of the file, as staged."""

    number: int
    key: str
    account_id: UUID
    site_id: UUID
    row_at: datetime | None
    row_again: datetime | None  # the second time, when `row_at` is an ambiguous wall clock
    row_order: int
    opened_at: datetime | None
    agreed_at: datetime | None
    kind: str
    category: str | None
    service: str | None
    priority: str
    source: str
    reporter: str
    summary: str
    meaning: str | None


class StagedFact(NamedTuple):
    """One fact of a row: `spec` is its position in the profile (updates follow the facts)."""

    number: int
    key: str
    spec: int
    at: datetime
    said_at: datetime | None  # the source's time, when the fact was moved to the opening
    body: (
        str | None
    )  # distinguishes facts with the same time: the update's text, a cause, a priority
    detail: str | None = None  # the fact's own fields, JSON
    commitment: str | None = None  # commitment to `words`, which may be about people
    salt: bytes | None = None
    words: str | None = None


class Reject(NamedTuple):
    """A rejected row and the reason."""

    number: int
    reason: str
    cells: Sequence[Cell]


class Decoded(NamedTuple):
    """Result of decoding a batch."""

    rows: list[Row]
    told: list[StagedFact]
    rejects: list[Reject]
