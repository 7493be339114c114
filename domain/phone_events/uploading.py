"""Take events of a guard app: at once or a day later, in any order, and any number of times."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import isfinite
from uuid import UUID

from sqlalchemy import select

from domain import patrols, shifts
from domain.access import Right, Tx
from domain.accounts.model import User
from domain.core.base import JSON, among, uuid7
from domain.core.bounds import MAX_SECONDS
from domain.core.encryption import SecretCipher
from domain.core.errors import Code, Refused, naming_only
from domain.core.text_rules import must_be_line
from domain.patrols import ScanDraft
from domain.phone_events.events import PhoneEventsReceived
from domain.phone_events.model import PhoneBatch, PhoneEvent, PhoneEventKind
from domain.phone_events.rules import PhoneClock, with_times
from domain.shifts import AttendanceKind, PhonePosition

MOST_EVENTS = 500
"""Events that one batch may hold."""
LONGEST_KEY = 100
LONGEST_WAIT = timedelta(days=7)
"""How long an event waits for an earlier one."""
_MILLISECOND = timedelta(milliseconds=1)
_KINDS = {
    PhoneEventKind.CLOCK_IN: AttendanceKind.CLOCK_IN,
    PhoneEventKind.CLOCK_OUT: AttendanceKind.CLOCK_OUT,
}


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


@dataclass(frozen=True, slots=True)
class _Event:
    """An event with the time at which it happened."""

    draft: PhoneEventDraft
    happened_at: datetime
    is_proven: bool


async def upload_events(
    tx: Tx,
    vault: SecretCipher,
    *,
    device: str,
    sent_at: datetime,
    uptime_s: float,
    boot: str,
    drafts: Sequence[PhoneEventDraft],
) -> PhoneBatch:
    """Store events of the actor, each once; one that cannot be used is refused alone, with its reason.

    Events count in the order in which they happened. One that needs an earlier one waits for it.
    """
    tx.actor.must(Right.ATTEND)
    user_id = tx.actor.user_id
    if user_id is None:
        raise Refused(Code.NOT_ALLOWED, "Only a person has a guard app.")
    must_be_line(device, "device")
    must_be_line(boot, "boot")
    if max(len(device), len(boot)) > LONGEST_KEY:
        raise Refused(
            Code.INVALID,
            f"device and boot have at most {LONGEST_KEY} characters.",
            argument="device",
        )
    if not 1 <= len(drafts) <= MOST_EVENTS:
        raise Refused(Code.INVALID, f"Send 1 to {MOST_EVENTS} events at once.", argument="events")
    if not 0 <= uptime_s <= MAX_SECONDS:
        raise Refused(
            Code.INVALID, "uptimeSeconds must be 0 to ten years.", argument="uptimeSeconds"
        )
    await tx.session.scalar(
        select(User.id).where(User.id == user_id).with_for_update(key_share=True)
    )
    clock = PhoneClock(tx.at, sent_at, uptime_s, boot)
    batch = PhoneBatch(
        id=uuid7(), tenant_id=tx.actor.tenant_id, user_id=user_id, device=device,
        received_at=tx.at, clock_error_ms=clock.error // _MILLISECOND, accepted=0, duplicates=0,
        waiting=0, refused=[],
    )  # fmt: skip
    tx.session.add(batch)
    await tx.session.flush()
    fresh = await _fresh(tx, batch, drafts)
    events = sorted(
        (_Event(each, *clock.happened(each.at, each.uptime_s, each.boot)) for each in fresh),
        key=lambda each: (each.happened_at, each.draft.kind != PhoneEventKind.CLOCK_IN),
    )
    for event in events:
        if event.draft.kind is not PhoneEventKind.SCAN:
            await _attend(tx, batch, event, clock)
    scans = [each for each in events if each.draft.kind is PhoneEventKind.SCAN]
    for is_proven in (True, False):
        part = [each for each in scans if each.is_proven is is_proven]
        if part:
            await _scan(tx, vault, batch, part, clock)
    await _retry_waiting(tx, batch)
    tx.record(
        PhoneEventsReceived(
            account_id=None, subject_id=batch.id, at=tx.at, accepted=batch.accepted,
            duplicates=batch.duplicates, waiting=batch.waiting, refused=len(batch.refused),
            clock_error_ms=batch.clock_error_ms,
        )
    )  # fmt: skip
    await tx.session.flush()
    return batch


async def _fresh(
    tx: Tx, batch: PhoneBatch, drafts: Sequence[PhoneEventDraft]
) -> list[PhoneEventDraft]:
    """Return the events that are not known yet, each once; refuse those that cannot be read."""
    known = set(
        await tx.session.scalars(
            select(PhoneEvent.event_key).where(
                PhoneEvent.user_id == batch.user_id,
                among(PhoneEvent.event_key, {each.key for each in drafts}),
            )
        )
    )
    found = []
    for draft in drafts:
        if draft.key in known:
            batch.duplicates += 1
            continue
        problem = _problem(draft)
        if problem is not None:
            _refuse(batch, draft.key, Code.INVALID, problem)
            continue
        known.add(draft.key)
        found.append(draft)
    return found


def _problem(draft: PhoneEventDraft) -> str | None:
    if not 1 <= len(draft.key) <= LONGEST_KEY or not draft.key.isprintable():
        return f"The id of an event is 1 to {LONGEST_KEY} characters."
    numbers = (draft.lat or 0.0, draft.lon or 0.0, draft.accuracy_m or 0.0)
    times = (draft.uptime_s, draft.position_age_s or 0.0)
    if not all(map(isfinite, numbers)) or not all(0 <= each <= MAX_SECONDS for each in times):
        return "A number of this event is out of range."
    if draft.kind is PhoneEventKind.SCAN:
        return None if draft.scan is not None else "An event of kind SCAN needs a scan."
    return None if draft.shift_id is not None else f"An event of kind {draft.kind} needs a shift."


async def _attend(tx: Tx, batch: PhoneBatch, event: _Event, clock: PhoneClock) -> None:
    """Clock in or out at the time at which it happened; one without its clock-in waits."""
    draft = event.draft
    try:
        position = _position(event, clock)
        async with tx.session.begin_nested():
            done = await _clock(tx, event, position)
    except Refused as refused:
        _refuse(batch, draft.key, refused.refusal.code, refused.refusal.message)
        return
    _keep(tx, batch, event, None if done else _plain(event))


async def _clock(tx: Tx, event: _Event, position: PhonePosition | None) -> bool:
    draft = event.draft
    shift_id = draft.shift_id or UUID(int=0)
    return await shifts.attend_by_phone(
        tx, shift_id, _KINDS[draft.kind], at=event.happened_at, position=position
    )


def _position(event: _Event, clock: PhoneClock) -> PhonePosition | None:
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


async def _scan(
    tx: Tx, vault: SecretCipher, batch: PhoneBatch, events: Sequence[_Event], clock: PhoneClock
) -> None:
    """Store scans; with a time that is proven the phone's clock is right, without one it is as wrong as now."""
    by_sequence: dict[int, _Event] = {}
    for event in events:
        if event.draft.scan is not None:
            by_sequence.setdefault(event.draft.scan.sequence, event)
    is_proven = events[0].is_proven
    with naming_only("device"):
        upload = await patrols.upload_scans(
            tx,
            vault,
            device=batch.device,
            sent_at=tx.at if is_proven else clock.sent_at,
            scans=[_moved(each) for each in by_sequence.values()],
        )
    refused = {each["sequence"]: each for each in upload.refused}
    for event in events:
        sequence = None if event.draft.scan is None else event.draft.scan.sequence
        wrong = refused.get(sequence)
        if wrong is None:
            _keep(tx, batch, event, None)
        else:
            _refuse(batch, event.draft.key, Code(wrong["code"]), wrong["message"])


def _moved(event: _Event) -> ScanDraft:
    scan = event.draft.scan
    assert scan is not None  # noqa: S101 - selected by kind
    if not event.is_proven:
        return scan
    position = scan.position
    if position is not None:
        position = replace(position, at=position.at + (event.happened_at - scan.at))
    return replace(scan, at=event.happened_at, position=position)


async def _retry_waiting(tx: Tx, batch: PhoneBatch) -> None:
    """Try events again that waited for one that may have come now; forget those that waited for too long."""
    found = await tx.session.scalars(
        select(PhoneEvent)
        .where(PhoneEvent.user_id == batch.user_id, PhoneEvent.body.is_not(None))
        .order_by(PhoneEvent.happened_at)
    )
    for row in found.all():
        if row.body is None:
            continue
        stated = row.body["position"]
        position = None if stated is None else PhonePosition(**with_times(stated))
        try:
            async with tx.session.begin_nested():
                done = await shifts.attend_by_phone(
                    tx, UUID(row.body["shift_id"]), _KINDS[row.kind], at=row.happened_at,
                    position=position,
                )  # fmt: skip
        except Refused:
            done = True  # it can never be used: somebody else recorded it in the meantime
        if done or row.happened_at < tx.at - LONGEST_WAIT:
            row.body = None
            batch.waiting -= row.batch_id == batch.id
            batch.accepted += row.batch_id == batch.id


def _plain(event: _Event) -> JSON:
    draft = event.draft
    at = event.happened_at
    position = None
    if draft.lat is not None:
        age = timedelta(seconds=draft.position_age_s or 0.0)
        position = {
            "lat": draft.lat,
            "lon": draft.lon,
            "accuracy_m": draft.accuracy_m,
            "measured_at": None if draft.position_age_s is None else (at - age).isoformat(),
            "sent_at": at.isoformat() if event.is_proven else None,
            "mock": draft.mock,
        }
    return {"shift_id": str(draft.shift_id), "position": position}


def _keep(tx: Tx, batch: PhoneBatch, event: _Event, body: JSON | None) -> None:
    tx.session.add(
        PhoneEvent(
            id=uuid7(), tenant_id=batch.tenant_id, user_id=batch.user_id, batch_id=batch.id,
            event_key=event.draft.key, kind=event.draft.kind, happened_at=event.happened_at,
            body=body,
        )
    )  # fmt: skip
    if body is None:
        batch.accepted += 1
    else:
        batch.waiting += 1


def _refuse(batch: PhoneBatch, key: str, code: Code, message: str) -> None:
    batch.refused = [*batch.refused, {"event": key, "code": str(code), "message": message}]
