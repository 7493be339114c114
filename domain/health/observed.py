"""What people observe about the relationship with a client: kinds of observations and what their numbers mean."""

from dataclasses import dataclass
from enum import StrEnum


class ObservationKind(StrEnum):
    """What the author of the observation saw."""

    MEETING = "meeting"
    MEETING_CANCELLED = "meeting_cancelled"
    EXECUTIVE_MEETING = "executive_meeting"
    CLIENT_WROTE = "client_wrote"
    REPLY = "reply"
    TONE = "tone"
    APPROVAL = "approval"
    BUDGET = "budget"
    ORGANISATION = "organisation"
    COMPETITION = "competition"
    FUTURE_PLANS = "future_plans"
    CANDID_FEEDBACK = "candid_feedback"
    SCOPE_QUESTIONED = "scope_questioned"
    LEGAL_INVOLVED = "legal_involved"
    CHAMPION = "champion"
    CONTACT_LEFT = "contact_left"
    SUCCESSION = "succession"
    REVIEW = "review"
    OBJECTIVE = "objective"
    DECISION = "decision"
    REFERRAL = "referral"
    UNMET_NEED = "unmet_need"
    REFERENCE_CONSENT = "reference_consent"
    SUCCESS = "success"
    PLANNING_CYCLE = "planning_cycle"


@dataclass(frozen=True, slots=True)
class ObservedRule:
    """What an observation of a kind holds: the allowed values, whether it needs a total, and a contact."""

    meaning: str
    low: int | None = None
    high: int | None = None
    needs_total: bool = False
    needs_contact: bool = False
    values: tuple[int, ...] = ()

    @property
    def has_value(self) -> bool:
        """Whether a value must be given."""
        return self.low is not None or bool(self.values)


K = ObservationKind
RULES: dict[ObservationKind, ObservedRule] = {
    K.MEETING: ObservedRule(
        "people of the client who attended, of those invited", 0, 1_000, needs_total=True
    ),
    K.MEETING_CANCELLED: ObservedRule("a meeting that the client cancelled or missed"),
    K.EXECUTIVE_MEETING: ObservedRule("an executive of the client met one of the company"),
    K.CLIENT_WROTE: ObservedRule("words in a message of the client", 1, 100_000),
    K.REPLY: ObservedRule("minutes until the client replied", 0, 525_600),
    K.TONE: ObservedRule("tone of a conversation, from -100 to 100", -100, 100),
    K.APPROVAL: ObservedRule("1: given by its date, 0: late", values=(0, 1)),
    K.BUDGET: ObservedRule("0: freeze, 20: cut, 70: flat, 100: increase", values=(0, 20, 70, 100)),
    K.ORGANISATION: ObservedRule(
        "30: a change is under way, 60: and the succession is settled, 80: no change",
        values=(30, 60, 80),
    ),
    K.COMPETITION: ObservedRule("competitors named in a conversation", 0, 100),
    K.FUTURE_PLANS: ObservedRule(
        "100: plans beyond the term, 60: the next review has a date, 20: none", values=(20, 60, 100)
    ),
    K.CANDID_FEEDBACK: ObservedRule("a suggestion or criticism that the client gave openly"),
    K.SCOPE_QUESTIONED: ObservedRule("the client questioned the scope of the service"),
    K.LEGAL_INVOLVED: ObservedRule("a lawyer of the client took part in a small matter"),
    K.CHAMPION: ObservedRule(
        "1: speaks up for the company, 0: no longer", values=(0, 1), needs_contact=True
    ),
    K.CONTACT_LEFT: ObservedRule("a contact leaves, or has another role", needs_contact=True),
    K.SUCCESSION: ObservedRule("the succession of a contact is settled", needs_contact=True),
    K.REVIEW: ObservedRule("somebody reviewed the health of the account"),
    K.OBJECTIVE: ObservedRule("an objective of the client was agreed or reviewed with it"),
    K.DECISION: ObservedRule("a decision about terms or plan, with its reason in the note"),
    K.REFERRAL: ObservedRule("the client recommended the company to another one"),
    K.UNMET_NEED: ObservedRule("the client mentioned a problem that nobody solves yet"),
    K.REFERENCE_CONSENT: ObservedRule("1: may be named as a reference, 0: may not", values=(0, 1)),
    K.SUCCESS: ObservedRule("a success or milestone of the service for the client"),
    K.PLANNING_CYCLE: ObservedRule("the client is making its plans for the next year"),
}
"""What each kind means. A kind without values is observed or not."""
