"""Periods of business reviews, on the clock of the client."""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from domain.business_reviews.model import BusinessReviewKind


class BusinessPeriod(NamedTuple):
    """The days of a review, and their instants on the client's clock: before, from, until and ahead."""

    kind: BusinessReviewKind
    from_on: date
    until_on: date
    before_at: datetime
    from_at: datetime
    until_at: datetime
    ahead_at: datetime


def period_of(kind: BusinessReviewKind, last_on: date, zone: str) -> BusinessPeriod:
    """Return the three months, of annual reviews the twelve, that end with a day."""
    months = 12 if kind is BusinessReviewKind.ANNUAL else 3
    until = last_on + timedelta(days=1)
    begin = until - relativedelta(months=months)
    days = (begin - relativedelta(months=months), begin, until, until + relativedelta(months=3))
    at: list[datetime] = [datetime.combine(day, time(), ZoneInfo(zone)) for day in days]
    return BusinessPeriod(kind, begin, until, *at)
