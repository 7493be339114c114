"""Pure rules about incidents: response times, first-contact resolution, and the pause allowance."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.incidents.model import Incident, Pause, Source, Status

AGREED_WITHIN = timedelta(days=3_653)
"""How far ahead a date may be agreed; calendars are expanded up to it."""


class Times(NamedTuple):
    """Wall-clock seconds from opening; None for a step that has not happened."""

    to_acknowledge_s: int | None
    to_arrive_s: int | None
    to_resolve_s: int | None


REOPENED_WITHIN = timedelta(days=30)
"""How long after its end a client or guard may reopen an incident; after that, a new one has to be opened."""


def times(incident: Incident) -> Times:
    """Return the times to acknowledge, to arrive and to resolve."""

    def since_opened(instant: datetime | None) -> int | None:
        return None if instant is None else int((instant - incident.opened_at).total_seconds())

    return Times(
        since_opened(incident.acknowledged_at),
        since_opened(incident.arrived_at),
        since_opened(incident.resolved_at),
    )


def first_contact_resolution(incident: Incident) -> bool | None:
    """Return whether it was resolved without reassignment, reopening or a second contact; None while it is open."""
    if incident.status not in {Status.RESOLVED, Status.CLOSED}:
        return None
    contacts = incident.client_contact_count + (incident.source is Source.CLIENT)
    return incident.reassigned_count == 0 and incident.reopened_count == 0 and contacts <= 1


def allowance_left(pauses: Iterable[Pause], allowance: timedelta) -> timedelta:
    """Return how much longer the clocks of an incident with these ended pauses may be paused, of `allowance`."""
    used = sum(
        (pause.until_at - pause.from_at for pause in pauses if pause.until_at is not None),
        timedelta(),
    )
    return max(timedelta(), allowance - used)
