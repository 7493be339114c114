"""Events of guard apps: one batch of clock-ins, clock-outs, scans and log entries, also sent a day later."""

from domain.phone_events.drafts import PhoneEventDraft
from domain.phone_events.model import PhoneBatch, PhoneEvent, PhoneEventKind
from domain.phone_events.rules import PhoneClock
from domain.phone_events.uploading import upload_events

__all__ = [
    "PhoneBatch",
    "PhoneClock",
    "PhoneEvent",
    "PhoneEventDraft",
    "PhoneEventKind",
    "upload_events",
]
