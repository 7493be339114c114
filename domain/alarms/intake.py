"""Take in alarms: once for each number of a sender, with an incident of its own and the promises in force."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, func, select

from domain import agreements, incidents, promises
from domain.access import Actor, Right, Tx
from domain.accounts.model import ApiKey, Site
from domain.agreements.model import Priority, TicketKind
from domain.alarms import events
from domain.alarms.clocks import ALARM
from domain.alarms.dc09 import FrameAnswer, SystemFrame, events_of
from domain.alarms.model import Alarm, AlarmKind, AlarmState, AlarmSystem
from domain.core.base import uuid7
from domain.core.errors import Code, Refused, naming_only
from domain.core.text_rules import cleaned, must_be_line

REPEATED_WITHIN = timedelta(hours=1)
"""How long the same frame of a system counts as sent again: its numbers begin anew after 9999."""
AHEAD = timedelta(minutes=5)
OLDEST = timedelta(days=1)
_PART = "alarms"
_URGENT = frozenset(
    {AlarmKind.BURGLARY, AlarmKind.HOLD_UP, AlarmKind.FIRE, AlarmKind.MEDICAL, AlarmKind.WATER}
)
_WORDS = {
    AlarmKind.BURGLARY: "Burglary alarm",
    AlarmKind.HOLD_UP: "Hold-up alarm",
    AlarmKind.FIRE: "Fire alarm",
    AlarmKind.MEDICAL: "Medical alarm",
    AlarmKind.WATER: "Water alarm",
    AlarmKind.TECHNICAL: "Technical alarm",
    AlarmKind.OTHER: "Alarm",
}


@dataclass(frozen=True, slots=True)
class AlarmDraft:
    """An alarm as a sender reports it: at a site, or by the number of an alarm system of the sender."""

    number: str
    kind: AlarmKind
    site_id: UUID | None = None
    system_number: str | None = None
    event_code: str | None = None
    zone: str | None = None
    details: str | None = None
    happened_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TakenFrame:
    """The answer to a frame, and the alarms that follow from it."""

    answer: FrameAnswer
    alarms: Sequence[Alarm] = ()


async def receive_alarm(tx: Tx, draft: AlarmDraft) -> Alarm:
    """Take in an alarm; one that the sender reported before is returned as it is. Refuses sites out of reach."""
    tx.actor.must(Right.TAKE_ALARMS)
    _must_be_readable(tx, draft)
    sender = _sender_of(tx.actor)
    await _lock(tx, sender, draft.number)
    told = _known(tx, sender).where(Alarm.sender_number == draft.number)
    known: Alarm | None = await tx.session.scalar(told)
    system, site = await _place(tx, draft)
    if known is not None:
        if known.site_id != site.id:
            raise Refused(
                Code.ALREADY_EXISTS,
                "You gave this number to an alarm at another site.",
                argument="number",
            )
        return known
    return await _add(tx, draft, sender, system, site)


async def take_frame(tx: Tx, frame: SystemFrame) -> TakenFrame:
    """Take in the alarms of a frame. What needs no response is acknowledged; an unknown system is not understood."""
    tx.actor.must(Right.TAKE_ALARMS)
    if not frame.is_on_time(tx.at):
        return TakenFrame(FrameAnswer.NAK)
    found = events_of(frame)
    if found is None:
        return TakenFrame(FrameAnswer.DUH)
    alarms = []
    sender = _sender_of(tx.actor)
    for place, event in enumerate(found, start=1):
        if event.kind is None:
            continue
        base = f"{frame.sent_as}:{place}"
        await _lock(tx, sender, base)
        draft = AlarmDraft(
            number=base,
            kind=event.kind,
            system_number=frame.account or "-",
            event_code=event.code,
            zone=event.zone,
            details=cleaned(event.text) if event.text else None,
            happened_at=frame.stamped_at,
        )
        try:
            system, site = await _place(tx, draft)
        except Refused:
            return TakenFrame(FrameAnswer.DUH)
        again = await tx.session.scalar(
            _known(tx, sender)
            .where(
                Alarm.sender_number.startswith(f"{base}@", autoescape=True),
                Alarm.received_at > tx.at - REPEATED_WITHIN,
            )
            .order_by(Alarm.received_at.desc())
            .limit(1)
        )
        if again is None:
            draft = replace(draft, number=f"{base}@{tx.at:%Y-%m-%dT%H:%M:%S.%fZ}")
            again = await _add(tx, draft, sender, system, site)
        alarms.append(again)
    return TakenFrame(FrameAnswer.ACK, alarms)


def _sender_of(actor: Actor) -> str:
    """Return the owner of an actor's numbers: each key has its own; staff limited to some accounts, too."""
    if actor.subject.startswith("key:") or actor.accounts is not None:
        return actor.subject
    return "staff"


def _known(tx: Tx, sender: str) -> Select[Alarm]:
    return select(Alarm).where(Alarm.tenant_id == tx.actor.tenant_id, Alarm.sender == sender)


async def _lock(tx: Tx, sender: str, number: str) -> None:
    """Lock a sender's number until the transaction ends: the same alarm may come twice at once."""
    name = f"alarm {tx.actor.tenant_id} {sender} {number}"
    await tx.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def _must_be_readable(tx: Tx, draft: AlarmDraft) -> None:
    for words, argument in (
        (draft.number, "number"),
        (draft.system_number, "systemNumber"),
        (draft.event_code, "eventCode"),
        (draft.zone, "zone"),
        (draft.details, "details"),
    ):
        must_be_line(words, argument)
    if (draft.site_id is None) == (draft.system_number is None):
        raise Refused(
            Code.INVALID,
            "Give either the site or the number of the alarm system.",
            argument="siteId",
        )
    at = draft.happened_at
    if at is not None and not tx.at - OLDEST <= at <= tx.at + AHEAD:
        raise Refused(
            Code.TIME_REVERSED,
            "happenedAt must lie within the last day, and at most five minutes ahead.",
            argument="happenedAt",
        )


async def _place(tx: Tx, draft: AlarmDraft) -> tuple[AlarmSystem | None, Site]:
    """Return the system and the site; both must be within the sender's accounts, and the system the sender's own."""
    if draft.site_id is not None:
        site = await tx.get(Site, draft.site_id, "site", argument="siteId")
        return None, site
    kind, _, key_id = tx.actor.subject.partition(":")
    system = None
    if kind == "key":
        system = await tx.session.scalar(
            select(AlarmSystem).where(
                tx.actor.scope(AlarmSystem),
                AlarmSystem.key_id == UUID(key_id),
                AlarmSystem.number == (draft.system_number or "").upper(),
                AlarmSystem.retired_at.is_(None),
            )
        )
    if system is None:
        raise Refused(
            Code.NOT_FOUND,
            "You have no alarm system with this number here.",
            argument="systemNumber",
        )
    return system, await tx.session.get_one(Site, system.site_id)


async def _add(
    tx: Tx, draft: AlarmDraft, sender: str, system: AlarmSystem | None, site: Site
) -> Alarm:
    software = Tx(tx.session, Actor.system(site.tenant_id, _PART), tx.at)
    zone_name = _zone_name(system, draft.zone)
    urgent = draft.kind in _URGENT
    with naming_only():
        incident = await incidents.open_incident(
            software,
            site_id=site.id,
            priority=Priority.CRITICAL if urgent else Priority.HIGH,
            summary=_WORDS[draft.kind] + (f": {zone_name}" if zone_name else ""),
            source=incidents.Source.ALARM_CENTRE,
            reporter=await _reporter(tx, sender),
            kind=TicketKind.ALARM,
            category=str(draft.kind),
        )
    alarm = Alarm(
        id=uuid7(),
        tenant_id=site.tenant_id,
        account_id=site.account_id,
        site_id=site.id,
        incident_id=incident.id,
        system_id=None if system is None else system.id,
        sender=sender,
        sender_number=draft.number,
        kind=draft.kind,
        event_code=draft.event_code,
        zone=draft.zone,
        zone_name=zone_name,
        details=draft.details,
        happened_at=draft.happened_at,
        received_at=tx.at,
        state=AlarmState.RECEIVED,
        inspection=[],
    )
    tx.session.add(alarm)
    tx.record(
        events.AlarmReceived(
            account_id=alarm.account_id,
            subject_id=alarm.id,
            at=tx.at,
            site_id=alarm.site_id,
            incident_id=incident.id,
            alarm_kind=alarm.kind,
            event_code=alarm.event_code,
            zone=alarm.zone,
            happened_at=alarm.happened_at,
        )
    )
    await tx.session.flush()
    attributes = agreements.IncidentAttributes(ALARM, str(alarm.kind), site.id, tx.at, None)
    subject = promises.PromiseSubject(ALARM, alarm.id, alarm.account_id, attributes)
    await promises.start(tx.session, software.actor, subject, at=tx.at)
    return alarm


def _zone_name(system: AlarmSystem | None, zone: str | None) -> str | None:
    zones = [] if system is None or zone is None else system.zones
    return next((each["name"] for each in zones if each["number"] == zone), None)


async def _reporter(tx: Tx, sender: str) -> str:
    kind, _, row_id = sender.partition(":")
    name: str | None = None
    if kind == "key":
        name = await tx.session.scalar(select(ApiKey.name).where(ApiKey.id == UUID(row_id)))
    return name or "Control room"
