"""How often a client is contacted: by tier, and by activity where the tier leaves it open (COM-04, COM-05)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dateutil.relativedelta import relativedelta

from domain.parameters import (
    ParameterDefinition,
    ParameterScope,
    ParameterUnit,
    ParameterValues,
    Quantity,
)
from domain.touchpoints.model import Activity, TouchpointKind
from domain.touchpoints.parameters import BY_ACTIVITY, BY_KIND


@dataclass(frozen=True, slots=True)
class ContactInterval:
    """Days or calendar months between two contacts."""

    days: int = 0
    months: int = 0


Intervals = dict[tuple[TouchpointKind, Activity], ContactInterval]
"""How often a client is contacted, by kind of contact and activity of the client."""
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


def intervals_of(values: ParameterValues, scope: ParameterScope, *, at: datetime) -> Intervals:
    """Return the interval of each kind of contact for each activity, as the parameters say at `at`."""

    def quantity(definition: ParameterDefinition) -> ContactInterval | None:
        found = values.effective(definition, scope, at=at).quantity
        return None if found is None else as_interval(found)

    by_activity = {
        activity: as_interval(values.required(definition, scope, at=at))
        for activity, definition in BY_ACTIVITY.items()
    }
    return {
        (kind, activity): quantity(definition) or interval
        for kind, definition in BY_KIND.items()
        for activity, interval in by_activity.items()
    }


def as_interval(quantity: Quantity) -> ContactInterval:
    """Convert the value of a parameter."""
    if quantity.unit is ParameterUnit.MONTHS:
        return ContactInterval(months=quantity.number)
    return ContactInterval(days=quantity.number)


def due_on(anchor_on: date, interval: ContactInterval) -> date:
    """Return the day a contact is due: the same day of a later month, or that month's last day."""
    return anchor_on + relativedelta(months=interval.months, days=interval.days)
