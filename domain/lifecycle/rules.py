"""Rules of the lifecycle: which stage may follow which, and what must hold for it. Pure functions."""

from dataclasses import dataclass
from datetime import date, timedelta

from domain.accounts.model import Stage

RENEWAL_BEFORE = timedelta(days=180)
"""How long before the last day for notice a renewal begins."""
S = Stage
FOLLOWING: dict[Stage, tuple[Stage, ...]] = {
    S.PROSPECT: (S.ONBOARDING,),
    S.ONBOARDING: (S.DELIVERY, S.PROSPECT),
    S.DELIVERY: (S.GROWTH, S.RENEWAL, S.PROSPECT),
    S.GROWTH: (S.DELIVERY, S.RENEWAL, S.ADVOCACY, S.PROSPECT),
    S.RENEWAL: (S.DELIVERY, S.GROWTH, S.ADVOCACY, S.PROSPECT),
    S.ADVOCACY: (S.DELIVERY, S.GROWTH, S.RENEWAL, S.PROSPECT),
}
"""The stages that may follow each stage."""


@dataclass(frozen=True, slots=True)
class StageEvidence:
    """What is known of an account that decides about its stage."""

    today: date
    has_agreement: bool
    has_terms_in_force: bool
    has_site: bool
    band: int | None
    notice_by: date | None
    agrees_to_be_named: bool


def lacking(before: Stage, after: Stage, known: StageEvidence) -> str | None:
    """Return what a change of stage lacks; None if it may be made."""
    if after not in FOLLOWING[before]:
        allowed = " or ".join(each.upper() for each in FOLLOWING[before])
        return f"After {before.upper()} comes {allowed}."
    near = known.notice_by is not None and known.notice_by <= known.today + RENEWAL_BEFORE
    if after is S.PROSPECT:
        return "An agreement is in force; end it first." if known.has_agreement else None
    if not known.has_agreement:
        return "No agreement is signed, or all have ended."
    if before is S.RENEWAL and near:
        return "The renewal is not settled: the last day for notice is within 180 days. Agree the next duration."
    needs = {
        S.DELIVERY: (known.has_terms_in_force and known.has_site, "It needs terms in force and a site."),
        S.GROWTH: ((known.band or 0) >= 3, "It needs the band STABLE or HEALTHY."),
        S.RENEWAL: (near, "The last day for notice of no agreement is within 180 days."),
        S.ADVOCACY: (
            known.band == 4 and known.agrees_to_be_named,
            "It needs the band HEALTHY and the client's consent to be named as a reference.",
        ),
    }  # fmt: skip
    holds, words = needs.get(after, (True, ""))
    return None if holds else words
