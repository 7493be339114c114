"""Who is asked and who is not, with the reason: caps per person over all surveys, and rotation. Pure functions.

The decision sees when a person was asked, never what the person answered: scores cannot influence invitations.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


class SurveyPurpose(StrEnum):
    """SurveyPurpose of a survey, which decides how often a person may be asked."""

    RELATIONSHIP = "relationship"
    TRANSACTIONAL = "transactional"


class SkipReason(StrEnum):
    """Reason why a contact was not asked."""

    NO_CONSENT = "no_consent"
    UNREACHABLE = "unreachable"
    SAME_PERSON = "same_person"
    OPEN_INVITATION = "open_invitation"
    RELATIONSHIP_CAP = "relationship_cap"
    TRANSACTIONAL_CAP = "transactional_cap"
    RELATIONSHIP_FIRST = "relationship_first"
    NOT_IN_PANEL = "not_in_panel"


CAPS = {
    SurveyPurpose.RELATIONSHIP: timedelta(days=90),
    SurveyPurpose.TRANSACTIONAL: timedelta(days=30),
}
"""Time between two surveys of one purpose that a person is asked to answer, over all surveys and accounts."""
_CAP_REASONS = {
    SurveyPurpose.RELATIONSHIP: SkipReason.RELATIONSHIP_CAP,
    SurveyPurpose.TRANSACTIONAL: SkipReason.TRANSACTIONAL_CAP,
}
RELATIONSHIP_WINS = timedelta(days=14)
"""Time after a relationship survey in which no transactional one is sent to the person.

The other way round nothing blocks: a relationship survey ends an open transactional one, so that one is open at a time.
"""


@dataclass(frozen=True, slots=True)
class PastInvitation:
    """An invitation that a person got before: its purpose, when, and whether it can still be answered."""

    purpose: SurveyPurpose
    at: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class SurveyCandidate:
    """A contact who could be asked: the person by mailbox, consent, and all invitations of that person."""

    contact_id: UUID
    person: str | None  # None: no address
    consents: bool
    past: Sequence[PastInvitation] = ()


@dataclass(frozen=True, slots=True)
class AskDecision:
    """Whether a contact is asked, and why not."""

    contact_id: UUID
    reason: SkipReason | None

    @property
    def is_asked(self) -> bool:
        """Whether the contact is asked."""
        return self.reason is None


def decide(
    candidates: Collection[SurveyCandidate],
    purpose: SurveyPurpose,
    *,
    wave: str,
    at: datetime,
    most: int,
) -> list[AskDecision]:
    """Decide about the contacts of one wave, in the order of their ids: at most `most` are asked.

    Who was asked longest ago comes first, then the order is one of chance that differs by wave.
    """
    seen: set[str] = set()
    reasons: dict[UUID, SkipReason | None] = {}
    eligible: list[SurveyCandidate] = []
    for each in sorted(candidates, key=lambda one: one.contact_id):
        reason = _obstacle(each, purpose, at)
        if reason is None and each.person in seen:
            reason = SkipReason.SAME_PERSON
        if reason is None and each.person is not None:
            seen.add(each.person)
            eligible.append(each)
        reasons[each.contact_id] = reason
    turn = sorted(eligible, key=lambda one: (_last_asked(one, purpose), _chance(one, wave)))
    for each in turn[max(0, most) :]:
        reasons[each.contact_id] = SkipReason.NOT_IN_PANEL
    return [AskDecision(contact_id, reason) for contact_id, reason in reasons.items()]


def panel(contacts: int, one_in: int) -> int:
    """Return how many of an account's contacts a wave asks at most: one in so many, rounded up."""
    return -(-contacts // one_in)


def _obstacle(each: SurveyCandidate, purpose: SurveyPurpose, at: datetime) -> SkipReason | None:
    if each.person is None:
        return SkipReason.UNREACHABLE
    if not each.consents:
        return SkipReason.NO_CONSENT
    if any(at - past.at < CAPS[purpose] for past in each.past if past.purpose is purpose):
        return _CAP_REASONS[purpose]
    if purpose is SurveyPurpose.TRANSACTIONAL and any(
        past.purpose is SurveyPurpose.RELATIONSHIP and at - past.at < RELATIONSHIP_WINS
        for past in each.past
    ):
        return SkipReason.RELATIONSHIP_FIRST
    blocking = (
        set(SurveyPurpose)
        if purpose is SurveyPurpose.TRANSACTIONAL
        else {SurveyPurpose.RELATIONSHIP}
    )
    if any(past.is_open and past.purpose in blocking for past in each.past):
        return SkipReason.OPEN_INVITATION
    return None


def _last_asked(each: SurveyCandidate, purpose: SurveyPurpose) -> float:
    return max((past.at.timestamp() for past in each.past if past.purpose is purpose), default=0.0)


def _chance(each: SurveyCandidate, wave: str) -> bytes:
    return hashlib.sha256(f"{wave} {each.contact_id}".encode()).digest()
