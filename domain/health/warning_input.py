"""What early warnings are, and what their rules are applied to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.health.facts import DAY, AccountFacts, HealthFact
from domain.health.observed import ObservationKind


class WarningSeverity(StrEnum):
    """How soon somebody should act."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class WarningRule(StrEnum):
    """Rule that raises an early warning."""

    RESPONSES_SLOWING = "responses_slowing"
    MEETINGS_CANCELLED = "meetings_cancelled"
    MESSAGES_SHORTER = "messages_shorter"
    KEY_CONTACT_CHANGED = "key_contact_changed"
    BUDGET_PRESSURE = "budget_pressure"
    COMPETITOR_NAMED = "competitor_named"
    FEEDBACK_STOPPED = "feedback_stopped"
    APPROVALS_LATE = "approvals_late"
    SCOPE_QUESTIONED = "scope_questioned"
    LEGAL_ON_SMALL_MATTER = "legal_on_small_matter"
    PAYMENT_LATE = "payment_late"
    SATISFACTION_FALLING = "satisfaction_falling"
    NO_FUTURE_WORK = "no_future_work"
    SUPPORT_ESCALATING = "support_escalating"
    RENEWAL_AT_RISK = "renewal_at_risk"
    SINGLE_THREAD = "single_thread"
    REACTIVE_ONLY = "reactive_only"
    NO_HEALTH_RHYTHM = "no_health_rhythm"
    WARNING_UNHANDLED = "warning_unhandled"
    TIER_IGNORED = "tier_ignored"
    CHURN_SIGNS = "churn_signs"
    NO_STRATEGIC_CONTEXT = "no_strategic_context"
    ACTION_WITHOUT_OWNER = "action_without_owner"
    FOLLOW_THROUGH_SLOW = "follow_through_slow"
    UNDOCUMENTED_CHANGE = "undocumented_change"


class OpenWarning(NamedTuple):
    """A warning that is open, and since when."""

    rule: WarningRule
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class WarningInput:
    """What rules are about: the facts, the band (1 critical to 4 healthy), whether the tier is strategic or core.

    `unowned` are the open commitments whose owner can no longer sign in.
    """

    facts: AccountFacts
    band: int | None = None
    is_key_account: bool = False
    open_ones: Sequence[OpenWarning] = ()
    unowned: frozenset[UUID] = frozenset()

    @property
    def at(self) -> datetime:
        """The instant of the facts."""
        return self.facts.at

    def seen(self, *kinds: ObservationKind, days: float) -> list[HealthFact]:
        """Return the observations of these kinds within so many days."""
        return [each for each in self.facts.observed(*kinds) if each.at > self.at - days * DAY]
