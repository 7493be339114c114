"""Clock facts as columns: loaded from the ledger, sealed by the month, laid down in Parquet."""

from domain.archive.actions import is_due, seal, until
from domain.archive.model import Sealing, Segment
from domain.archive.reads import load
from domain.archive.rules import Log, judged

__all__ = ["Log", "Sealing", "Segment", "is_due", "judged", "load", "seal", "until"]
