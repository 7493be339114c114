"""Events of guard apps: one batch for everything that a phone kept, with or without network."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, phone_events
from domain.core.errors import Code
from domain.occurrences import OccurrenceDraft
from domain.phone_events import PhoneEventKind
from schema.core import ids
from schema.core.bounds import each_by_itself
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.mutations import MutationContext, mutation
from schema.core.roots import mutation_fields
from schema.core.scalars import Long
from schema.core.types import enum, from_row, input_type, resolver
from schema.occurrences import EntryKind
from schema.patrolling import PatrolScanInput, scan_draft, vault_of
from schema.users import User

enum(
    PhoneEventKind,
    "PhoneEventKind",
    clock_in="The guard began work at the post.",
    clock_out="The guard ended work at the post.",
    scan="The guard scanned a point of a patrol.",
    log="The guard noted something that is no incident.",
    panic="The guard pressed the panic button: a critical incident opens at once.",
    no_movement="The phone did not move for longer than its app allows: a critical incident opens at once.",
)
BatchRow = strawberry.Parent[phone_events.PhoneBatch]


@input_type
class PhoneLogInput:
    """Log entry that a guard app kept; it happened at the time of its event."""

    kind: EntryKind
    words: Annotated[str, "What happened, in words."]
    internal: Annotated[bool, "Whether the client does not see it."] = False


@input_type
class PhoneEventInput:
    """Event that a guard app kept, with the time by both clocks of the phone."""

    id: Annotated[str, "Id of the event, made by the app; each is stored once."]
    kind: Annotated[PhoneEventKind, "What the phone did or noticed."]
    at: Annotated[datetime, "Time of the event, by the wall clock of the phone."]
    uptime_s: Annotated[
        float, "Seconds from the start of the phone to the event, by its monotonic clock."
    ]
    boot: Annotated[str, "Name of that start: another one after each restart of the phone."]
    shift_id: Annotated[strawberry.ID | None, "Shift, for every kind but a scan."] = None
    lat: Annotated[float | None, "Latitude of the phone in degrees, WGS 84; with `lon`."] = None
    lon: Annotated[float | None, "Longitude of the phone in degrees, WGS 84; with `lat`."] = None
    accuracy_m: Annotated[float | None, "Accuracy of the position, in metres."] = None
    position_age_s: Annotated[
        float | None, "Age of the position at the event, in seconds by the monotonic clock."
    ] = None
    mock: Annotated[bool | None, "Whether the phone says that the position is simulated."] = None
    scan: Annotated[PatrolScanInput | None, "Scan, for an event of kind SCAN."] = None
    entry: Annotated[PhoneLogInput | None, "Log entry, for an event of kind LOG."] = None


each_by_itself(PhoneLogInput)
each_by_itself(PhoneEventInput)  # an event that cannot be read does not refuse the others


@dataclass(frozen=True, slots=True)
class EventRefusal:
    """An event that was not stored, and why."""

    event_id: str
    code: Code
    message: str


@from_row(EventRefusal)
class RefusedPhoneEvent:
    """Event that was not stored, and why."""

    event_id: Annotated[str, "Id that the app gave, as it was uploaded."]
    code: Annotated[Code, "Code of the refusal."]
    message: Annotated[str, "Reason in words that the app shows to the guard."]


@from_row(phone_events.PhoneBatch)
class PhoneBatch(Node):
    """Events that a guard app sent together: each was stored, already known, waits, or was refused."""

    device: Annotated[str, "Name of the phone within its user's phones."]
    received_at: Annotated[datetime, "Time at which they were received."]
    clock_error_ms: Annotated[
        Long, "How far the wall clock of the phone was behind then, in milliseconds."
    ]
    accepted: Annotated[int, "Number of events that were stored and counted."]
    duplicates: Annotated[int, "Number of events that were known already."]
    waiting: Annotated[
        int, "Number of events that were stored, and count once an earlier one has come."
    ]

    @resolver(list[RefusedPhoneEvent])
    @staticmethod
    def refused(row: BatchRow) -> list[EventRefusal]:
        """Refused events, each with its reason; the app may correct and send them again."""
        return [
            EventRefusal(each["event"], Code(each["code"]), each["message"]) for each in row.refused
        ]

    @resolver(User | None)
    @staticmethod
    async def user(row: BatchRow, info: Info) -> accounts.User | None:
        """User who has the phone."""
        return await info.context.get(accounts.User, row.user_id)


@mutation_fields
class PhoneEventMutation:
    """Mutations of guard apps."""

    @mutation(PhoneBatch)
    @staticmethod
    async def upload_phone_events(
        ask: MutationContext,
        device: Annotated[str, "Name of your phone, which numbers its scans."],
        sent_at: Annotated[datetime, "Current time by the wall clock of the phone."],
        uptime_s: Annotated[
            float, "Seconds from the start of the phone until now, by its monotonic clock."
        ],
        boot: Annotated[str, "Name of the start of the phone that these seconds count from."],
        events: Annotated[list[PhoneEventInput], "Events in any order, at most 500."],
    ) -> phone_events.PhoneBatch:
        """Upload what your app kept, also a day later; an event that is sent several times counts once."""
        return await phone_events.upload_events(
            ask.tx,
            vault_of(ask.ctx),
            device=device,
            sent_at=sent_at,
            uptime_s=uptime_s,
            boot=boot,
            drafts=[_event_draft(each) for each in events],
        )


def _event_draft(given: PhoneEventInput) -> phone_events.PhoneEventDraft:
    values = dict(vars(given))
    key, shift_id, scan = values.pop("id"), values.pop("shift_id"), values.pop("scan")
    entry = values.pop("entry")
    return phone_events.PhoneEventDraft(
        **values,
        key=key,
        shift_id=None if shift_id is None else ids.known(shift_id, "Shift") or UUID(int=0),
        scan=None if scan is None else scan_draft(scan),
        entry=None if entry is None else OccurrenceDraft(**vars(entry)),
    )
