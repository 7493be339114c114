"""Rules of advocacy: which state of a referral may follow which, and how long a consent lasts. Pure functions."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from domain.advocacy.model import ReferralState

S = ReferralState
FOLLOWING: Mapping[ReferralState, tuple[ReferralState, ...]] = {
    S.RECEIVED: (S.CONTACTED, S.LOST),
    S.CONTACTED: (S.OFFERED, S.LOST),
    S.OFFERED: (S.WON, S.LOST),
    S.LOST: (S.CONTACTED,),
    S.WON: (),
}
"""The states that may follow each state of a referral."""
LONGEST_CONSENT = timedelta(days=3 * 365)
CALLS_WITHIN = timedelta(days=365)
"""Time in which the reference calls of a client are counted."""


class ShownCaseStudy(NamedTuple):
    """A case study as everybody sees it."""

    title: str
    words: str
    language: str
    client: str
    published_on: date


def must_follow(before: ReferralState, after: ReferralState) -> str | None:
    """Return why a referral may not go from one state to another; None if it may."""
    if after in FOLLOWING[before]:
        return None
    allowed = " or ".join(each.upper() for each in FOLLOWING[before])
    return (
        f"After {before.upper()} comes {allowed}."
        if allowed
        else "A referral that was won stays so."
    )


def structured_study(company: str, study: ShownCaseStudy) -> dict[str, Any]:
    """Return schema.org's description of a case study: an article by the company about its client."""
    return {
        "@type": "Article",
        "headline": study.title,
        "articleBody": study.words,
        "inLanguage": study.language,
        "datePublished": study.published_on.isoformat(),
        "author": {"@type": "Organization", "name": company},
        "about": {"@type": "Organization", "name": study.client},
    }
