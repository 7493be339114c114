"""Rules of business reviews: which KPIs they show, how days make weeks or months, and which parts each kind has."""

import hashlib
from collections.abc import Mapping
from datetime import date, timedelta

import msgspec
from dateutil.relativedelta import relativedelta

from domain.business_reviews.content import BusinessContent, BusinessSpan
from domain.business_reviews.model import BusinessReviewKind
from domain.kpis import KpiKey

KEYS = (
    KpiKey.PROMISES_KEPT,
    KpiKey.RESPONSE_TIME,
    KpiKey.RESOLUTION_TIME,
    KpiKey.FIRST_CONTACT_RESOLUTION,
    KpiKey.REOPENED,
    KpiKey.INCIDENTS,
    KpiKey.COMPLAINTS,
    KpiKey.ENHANCEMENT_REQUESTS,
    KpiKey.COVERAGE,
    KpiKey.PUNCTUALITY,
    KpiKey.PROACTIVE_NOTICES,
    KpiKey.COMMITMENTS_KEPT,
    KpiKey.BILLING_ACCURACY,
    KpiKey.CSAT,
    KpiKey.NPS,
    KpiKey.CES,
)
"""The KPIs of a review: all of them are read by clients."""
PARTS: dict[BusinessReviewKind, tuple[str, ...]] = {
    BusinessReviewKind.QUARTERLY: (
        *("performance", "highlights", "challenges", "opportunities"),
        *("alignment", "actions", "resources", "feedback"),
    ),
    BusinessReviewKind.ANNUAL: (
        *("performance", "value", "strategy", "market"),
        *("innovation", "partnership", "renewal", "executives"),
    ),
    BusinessReviewKind.BRIEFING: (
        *("preparation", "messages", "relationship", "opportunities"),
        *("risks", "innovation", "investment", "commitments"),
    ),
}
"""The eight parts of each kind, in their order."""
_WEEK = timedelta(days=7)


def spans_of(
    from_on: date,
    until_on: date,
    step: relativedelta | None,
    kept: Mapping[date, int],
    late: Mapping[date, int],
    opened: Mapping[date, int],
    resolved: Mapping[date, int],
) -> list[BusinessSpan]:
    """Add up days by `step` from the first day on, by weeks without one; the last span may be shorter."""
    found = []
    first = from_on
    while first < until_on:
        after = min(first + (step or _WEEK), until_on)
        days = [first + timedelta(days=n) for n in range((after - first).days)]
        sums = (sum(of.get(day, 0) for day in days) for of in (kept, late, opened, resolved))
        found.append(BusinessSpan(first, *sums))
        first = after
    return found


def hash_of(content: BusinessContent) -> str:
    """Return the SHA-256 of a content, as JSON with sorted keys."""
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()
