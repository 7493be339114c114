"""Clock facts as columns: loaded from the ledger, sealed by month, and exported as Parquet."""

from domain.archive.actions import is_due, seal, until
from domain.archive.model import EventSegment, Sealing
from domain.archive.reads import NOWHERE, load
from domain.archive.rules import EventLog, is_measured, judged, packed_ids, uuid_of

__all__ = [
    "NOWHERE",
    "EventLog",
    "EventSegment",
    "Sealing",
    "is_due",
    "is_measured",
    "judged",
    "load",
    "packed_ids",
    "seal",
    "until",
    "uuid_of",
]
