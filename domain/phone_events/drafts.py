"""Events as apps send them, with the time at which they happened."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import isfinite
from uuid import UUID

from domain import shifts
from domain.core.base import JSON
from domain.core.bounds import MAX_SECONDS
from domain.core.errors import naming_only
from domain.occurrences import OccurrenceDraft
from domain.patrols import ScanDraft
from domain.phone_events.model import PhoneEventKind
from domain.phone_events.rules import PhoneClock
from domain.shifts import PhonePosition

LONGEST_KEY = 100


@dataclass(frozen=True, slots=True)
class PhoneEventDraft:
    """An event as an app sends it; `position_age_s` is how old the position was when it happened."""

    key: str
    kind: PhoneEventKind
    at: datetime
    uptime_s: float
    boot: str
    shift_id: UUID | None = None
    lat: float | None = None
    lon: float | None = None
    accuracy_m: float | None = None
    position_age_s: float | None = None
    mock: bool | None = None
    scan: ScanDraft | None = None
    entry: OccurrenceDraft | None = None


@dataclass(frozen=True, slots=True)
class TimedPhoneEvent:
    """An event with the time at which it happened."""

    draft: PhoneEventDraft
    happened_at: datetime
    is_proven: bool


def problem_of(draft: PhoneEventDraft) -> str | None:
    """Return why an event cannot be read; None when it can."""
    if not 1 <= len(draft.key) <= LONGEST_KEY or not draft.key.isprintable():
        return f"The id of an event is 1 to {LONGEST_KEY} characters."
    numbers = (draft.lat or 0.0, draft.lon or 0.0, draft.accuracy_m or 0.0)
    times = (draft.uptime_s, draft.position_age_s or 0.0)
    if not all(map(isfinite, numbers)) or not all(0 <= each <= MAX_SECONDS for each in times):
        return "A number of this event is out of range."
    if draft.kind is PhoneEventKind.SCAN:
        return None if draft.scan is not None else "An event of kind SCAN needs a scan."
    if draft.kind is PhoneEventKind.LOG and draft.entry is None:
        return "An event of kind LOG needs an entry."
    return None if draft.shift_id is not None else f"An event of kind {draft.kind} needs a shift."


def position_of(event: TimedPhoneEvent, clock: PhoneClock) -> PhonePosition | None:
    """Return the position with its times by our clock; a wall clock that nothing proves keeps its error."""
    draft = event.draft
    age = timedelta(seconds=draft.position_age_s or 0.0)
    stated = event.happened_at if event.is_proven else event.happened_at - clock.error
    statement = shifts.PhoneStatement(
        draft.lat,
        draft.lon,
        draft.accuracy_m,
        None if draft.lat is None or draft.position_age_s is None else stated - age,
        None if draft.lat is None else stated,
        draft.mock,
    )
    with naming_only("lat", "lon"):
        return shifts.phone_position(statement)


def plain_of(event: TimedPhoneEvent, position: PhonePosition | None) -> JSON:
    """Return what is kept of a clock-in or clock-out that waits for an earlier event."""
    stated: JSON | None = None
    if position is not None:
        stated = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(position).items()
        }
    return {"shift_id": str(event.draft.shift_id), "position": stated}
