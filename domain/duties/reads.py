"""Ask about duties: which of them last."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_

from domain.duties.model import Duty


def running(at: datetime) -> ColumnElement[bool]:
    """The duties that last at `at`, which is now: begun, not ended, and their time is not over."""
    # One that was ended is over even for a clock that has not come to its end yet: so the facts told it.
    return and_(Duty.from_at <= at, Duty.ended_at.is_(None), Duty.until_at > at)
