"""Facts about the occurrence log and reports of shifts. The texts that people wrote can be erased from them."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact
from domain.occurrences.model import OccurrenceKind


class OccurrenceLogged(Fact):
    """An entry was added to the occurrence log, about something that happened at `happened_at`."""

    kind: ClassVar[str] = "occurrence.logged"
    subject_type: ClassVar[str | None] = "OccurrenceEntry"
    personal: ClassVar[frozenset[str]] = frozenset({"words"})
    site_id: UUID
    shift_id: UUID | None
    entry_kind: OccurrenceKind
    happened_at: datetime
    words: str
    internal: bool


class OccurrenceCorrected(Fact):
    """An entry of the occurrence log was corrected with a reason; what it said before stays readable."""

    kind: ClassVar[str] = "occurrence.corrected"
    subject_type: ClassVar[str | None] = "OccurrenceEntry"
    personal: ClassVar[frozenset[str]] = frozenset({"words_before", "words_after", "reason"})
    kind_before: OccurrenceKind
    kind_after: OccurrenceKind
    words_before: str
    words_after: str
    internal_before: bool
    internal_after: bool
    reason: str
    internal: bool
    """Whether the entry was hidden from the client before or is so now."""


class OccurrenceBecameIncident(Fact):
    """An entry of the occurrence log was opened as an incident."""

    kind: ClassVar[str] = "occurrence.became_incident"
    subject_type: ClassVar[str | None] = "OccurrenceEntry"
    incident_id: UUID
    internal: bool


class ShiftReportExpected(Fact):
    """A shift began, so that its report is expected; promises count from `due_at`, the planned end of the shift."""

    kind: ClassVar[str] = "shift_report.expected"
    subject_type: ClassVar[str | None] = "ShiftReport"
    shift_id: UUID
    site_id: UUID
    due_at: datetime


class ShiftReportSigned(Fact):
    """The report of a shift was signed; `content_sha256` is the digest of what it says."""

    kind: ClassVar[str] = "shift_report.signed"
    subject_type: ClassVar[str | None] = "ShiftReport"
    personal: ClassVar[frozenset[str]] = frozenset({"handover"})
    shift_id: UUID
    by_guard: bool
    handover: str | None
    content_sha256: str
