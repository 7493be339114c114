"""How often a client is contacted: by tier, and by activity where the tier leaves it open (COM-04, COM-05)."""

from dataclasses import dataclass
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from domain.accounts.model import CadenceTier
from domain.touchpoints.model import Activity, TouchpointKind


@dataclass(frozen=True, slots=True)
class ContactInterval:
    """Days or calendar months between two contacts."""

    days: int = 0
    months: int = 0


WEEKLY, TWO_WEEKLY = ContactInterval(days=7), ContactInterval(days=14)
MONTHLY, QUARTERLY = ContactInterval(months=1), ContactInterval(months=3)
HALF_YEARLY, YEARLY = ContactInterval(months=6), ContactInterval(months=12)

BY_TIER: dict[CadenceTier, dict[TouchpointKind, ContactInterval | None]] = {
    CadenceTier.STRATEGIC: {
        TouchpointKind.FORMAL_REVIEW: MONTHLY,
        TouchpointKind.CHECK_IN: WEEKLY,
        TouchpointKind.SOCIAL: QUARTERLY,
    },
    CadenceTier.CORE: {
        TouchpointKind.FORMAL_REVIEW: QUARTERLY,
        TouchpointKind.CHECK_IN: TWO_WEEKLY,
        TouchpointKind.SOCIAL: HALF_YEARLY,
    },
    CadenceTier.STANDARD: {
        TouchpointKind.FORMAL_REVIEW: HALF_YEARLY,
        TouchpointKind.CHECK_IN: None,  # as needed: the activity decides
        TouchpointKind.SOCIAL: YEARLY,
    },
}
BY_ACTIVITY = {
    Activity.ACTIVE_PROJECT: WEEKLY,
    Activity.LONG_TERM: MONTHLY,
    Activity.INACTIVE: QUARTERLY,
}
WORKED_WITHIN = timedelta(days=30)
CONTACTED_WITHIN = timedelta(days=365)


def activity_of(
    *, last_work_on: date | None, last_contact_on: date | None, today: date
) -> Activity:
    """Work in the last 30 days makes a project active; work or contact in the last year keeps a client long-term."""
    if last_work_on is not None and today - last_work_on <= WORKED_WITHIN:
        return Activity.ACTIVE_PROJECT
    heard = max((on for on in (last_work_on, last_contact_on) if on is not None), default=None)
    if heard is not None and today - heard <= CONTACTED_WITHIN:
        return Activity.LONG_TERM
    return Activity.INACTIVE


def interval_of(tier: CadenceTier, kind: TouchpointKind, activity: Activity) -> ContactInterval:
    """Return the tier's interval, else that of the activity."""
    return BY_TIER[tier][kind] or BY_ACTIVITY[activity]


def due_on(anchor_on: date, interval: ContactInterval) -> date:
    """Return the day a contact is due: the same day of a later month, or that month's last day."""
    return anchor_on + relativedelta(months=interval.months, days=interval.days)
