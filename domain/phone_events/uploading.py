"""Take events of a guard app: at once or a day later, in any order, and any number of times."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from domain import lone_workers, occurrences, patrols, shifts
from domain.access import Right, Tx
from domain.accounts.model import User
from domain.core.base import JSON, among, uuid7
from domain.core.bounds import MAX_SECONDS
from domain.core.encryption import SecretCipher
from domain.core.errors import Code, Refused, naming_only
from domain.core.text_rules import must_be_line
from domain.lone_workers import DistressCause, StatedPlace
from domain.patrols import ScanDraft
from domain.phone_events.drafts import (
    LONGEST_KEY,
    PhoneEventDraft,
    TimedPhoneEvent,
    plain_of,
    position_of,
    problem_of,
)
from domain.phone_events.events import PhoneEventsReceived
from domain.phone_events.model import PhoneBatch, PhoneEvent, PhoneEventKind
from domain.phone_events.rules import PhoneClock, with_times
from domain.shifts import AttendanceKind, PhonePosition

MOST_EVENTS = 500
"""Events that one batch may hold."""
LONGEST_WAIT = timedelta(days=7)
"""How long an event waits for an earlier one."""
_MILLISECOND = timedelta(milliseconds=1)
_KINDS = {
    PhoneEventKind.CLOCK_IN: AttendanceKind.CLOCK_IN,
    PhoneEventKind.CLOCK_OUT: AttendanceKind.CLOCK_OUT,
}
_DISTRESS = {
    PhoneEventKind.PANIC: DistressCause.PANIC,
    PhoneEventKind.NO_MOVEMENT: DistressCause.NO_MOVEMENT,
}


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
        (
            TimedPhoneEvent(each, *clock.happened(each.at, each.uptime_s, each.boot))
            for each in fresh
        ),
        key=lambda each: (each.happened_at, each.draft.kind != PhoneEventKind.CLOCK_IN),
    )
    for event in events:
        if event.draft.kind in _DISTRESS:
            await _raise_distress(tx, batch, event)
        elif event.draft.kind in _KINDS:
            await _attend(tx, batch, event, clock)
        elif event.draft.kind is PhoneEventKind.LOG:
            await _log(tx, batch, event)
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
        problem = problem_of(draft)
        if problem is not None:
            _refuse(batch, draft.key, Code.INVALID, problem)
            continue
        known.add(draft.key)
        found.append(draft)
    return found


async def _attend(tx: Tx, batch: PhoneBatch, event: TimedPhoneEvent, clock: PhoneClock) -> None:
    """Clock in or out at the time at which it happened; one without its clock-in waits."""
    draft = event.draft
    try:
        position = position_of(event, clock)
        async with tx.session.begin_nested():
            done = await _clock(tx, event, position)
    except Refused as refused:
        _refuse(batch, draft.key, refused.refusal.code, refused.refusal.message)
        return
    _keep(tx, batch, event, None if done else plain_of(event, position))


async def _clock(tx: Tx, event: TimedPhoneEvent, position: PhonePosition | None) -> bool:
    draft = event.draft
    shift_id = draft.shift_id or UUID(int=0)
    return await shifts.attend_by_phone(
        tx, shift_id, _KINDS[draft.kind], at=event.happened_at, position=position
    )


async def _raise_distress(tx: Tx, batch: PhoneBatch, event: TimedPhoneEvent) -> None:
    """Raise that the guard may be in distress; the position is that of the phone, if the event has one."""
    draft = event.draft
    place = None
    if draft.lat is not None and draft.lon is not None:
        age = timedelta(seconds=draft.position_age_s or 0.0)
        place = StatedPlace(draft.lat, draft.lon, event.happened_at - age)
    try:
        async with tx.session.begin_nested():
            await lone_workers.raise_by_phone(
                tx, draft.shift_id or UUID(int=0), _DISTRESS[draft.kind], key=draft.key,
                happened_at=event.happened_at, place=place,
            )  # fmt: skip
    except Refused as refused:
        _refuse(batch, draft.key, refused.refusal.code, refused.refusal.message)
        return
    _keep(tx, batch, event, None)


async def _log(tx: Tx, batch: PhoneBatch, event: TimedPhoneEvent) -> None:
    """Log what happened at the time at which it happened; a clock-in of the shift need not be known."""
    draft = event.draft
    try:
        if draft.entry is not None:
            entry = replace(draft.entry, happened_at=event.happened_at)
            async with tx.session.begin_nested():
                with naming_only("words"):
                    await occurrences.log_entry(tx, entry, shift_id=draft.shift_id)
    except Refused as refused:
        _refuse(batch, draft.key, refused.refusal.code, refused.refusal.message)
        return
    _keep(tx, batch, event, None)


async def _scan(
    tx: Tx,
    vault: SecretCipher,
    batch: PhoneBatch,
    events: Sequence[TimedPhoneEvent],
    clock: PhoneClock,
) -> None:
    """Store scans; with a time that is proven the phone's clock is right, without one it is as wrong as now."""
    by_sequence: dict[int, TimedPhoneEvent] = {}
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


def _moved(event: TimedPhoneEvent) -> ScanDraft:
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


def _keep(tx: Tx, batch: PhoneBatch, event: TimedPhoneEvent, body: JSON | None) -> None:
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
