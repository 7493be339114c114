"""Events of guard apps: one batch of clock-ins, clock-outs and scans, also from a phone without network."""

from domain.phone_events.model import PhoneBatch, PhoneEvent, PhoneEventKind
from domain.phone_events.rules import PhoneClock
from domain.phone_events.uploading import PhoneEventDraft, upload_events

__all__ = [
    "PhoneBatch",
    "PhoneClock",
    "PhoneEvent",
    "PhoneEventDraft",
    "PhoneEventKind",
    "upload_events",
]
