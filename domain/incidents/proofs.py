"""Proof of an arrival: GPS fixes inside a geofence, identified by their times."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.evidence import Assessment


class Proof(NamedTuple):
    """A stay inside the site's geofence, the fixes that prove it, when it was detected, and how good the proof is."""

    presence_id: UUID
    fixes: tuple[datetime, ...]
    told_at: datetime
    assessment: Assessment | None = None
