"""Proof of an arrival: GPS fixes inside a geofence, identified by their times."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class Proof(NamedTuple):
    """A stay inside the site's geofence, the fixes that prove it, and when it was detected."""

    presence_id: UUID
    fixes: tuple[datetime, ...]
    told_at: datetime
