"""What proves that somebody came: fixes inside a fence, cited by their instants."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class Proof(NamedTuple):
    """A stay inside the site's fence, the fixes that prove it, and when it was judged."""

    presence_id: UUID
    fixes: tuple[datetime, ...]
    told_at: datetime
