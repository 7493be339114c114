"""Open incidents by rules: a no-show, missed points, silence with its reason, and qualifications about to expire."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import guards, incidents
from domain.access import Actor, Tx
from domain.accounts.model import Site
from domain.agreements.model import Priority, TicketKind
from domain.core.base import uuid7
from domain.core.sequencing import SequencedEvent
from domain.duties.model import Duty
from domain.parameters import ParameterDefinition, ParameterScope, load_values
from domain.patrols.model import PatrolRound
from domain.positions.model import Fix, Presence
from domain.posts.model import Post
from domain.shifts import ShiftState
from domain.shifts.model import Shift
from domain.watch_rules import events
from domain.watch_rules.model import SystemOpening, WatchRule
from domain.watch_rules.parameters import EXPIRY_AHEAD, MISSED_POINTS, NO_SHOWS, SILENT_FOR

PART = "watch rules"
LOW_BATTERY_PCT = 5
MOST_DAYS = 60
_PRIORITIES = {
    WatchRule.NO_SHOW: Priority.HIGH,
    WatchRule.MISSED_POINTS: Priority.MEDIUM,
    WatchRule.SILENCE: Priority.MEDIUM,
    WatchRule.EXPIRING_QUALIFICATION: Priority.LOW,
}


@dataclass(frozen=True, slots=True)
class RuleEvent:
    """An event that a rule is about: its row, where it happened, and why it matters in words."""

    rule: WatchRule
    subject_id: UUID
    account_id: UUID
    site_id: UUID
    summary: str
    reason: str


async def follow_no_show(tx: Tx, fact: SequencedEvent) -> None:
    """Open an incident for a no-show that still stands."""
    shift = await tx.session.get_one(Shift, fact.subject_id)
    if shift.no_show_at is None or not await _number(tx, NO_SHOWS, shift.account_id, shift.site_id):
        return
    reason = f"The shift of {shift.from_at:%Y-%m-%d %H:%M} UTC: nobody is there since its start."
    await open_once(
        tx,
        RuleEvent(
            WatchRule.NO_SHOW,
            shift.id,
            shift.account_id,
            shift.site_id,
            "No-show at a post",
            reason,
        ),
    )


async def follow_round(tx: Tx, fact: SequencedEvent) -> None:
    """Open an incident for a round that ended with too many missed points."""
    row = await tx.session.get_one(PatrolRound, fact.subject_id)
    least = await _number(tx, MISSED_POINTS, row.account_id, row.site_id)
    missed = fact.body["missed"]
    if not 0 < least <= missed:
        return
    reason = f"{missed} of {fact.body['points']} points were not visited in time."
    await open_once(
        tx,
        RuleEvent(
            WatchRule.MISSED_POINTS, row.id, row.account_id, row.site_id,
            f"Patrol with {missed} missed points", reason,
        ),
    )  # fmt: skip


async def silence_counts_at(tx: Tx, fact: SequencedEvent) -> datetime | None:
    """Return from when on a silence is long enough for an incident; None: it is over, or no rule asks."""
    row = await tx.session.get(Presence, fact.subject_id)
    if row is None or row.until_at is not None:
        return None
    minutes = await _number(tx, SILENT_FOR, row.account_id, row.site_id)
    return row.from_at + timedelta(minutes=minutes) if minutes else None


async def follow_silence(tx: Tx, fact: SequencedEvent) -> None:
    """Open an incident for a silence that lasts, with its reason where the phone said one."""
    row = await tx.session.get_one(Presence, fact.subject_id)
    duty = await tx.session.get_one(Duty, row.duty_id)
    site_id = row.site_id or duty.site_id
    if site_id is None:
        site_id = await tx.session.scalar(
            select(Site.id)
            .where(Site.account_id == row.account_id)
            .order_by(Site.name, Site.id)
            .limit(1)
        )
    if site_id is None or row.until_at is not None:
        return
    reason = await _silence_reason(tx.session, duty, row.from_at)
    await open_once(
        tx,
        RuleEvent(
            WatchRule.SILENCE, row.id, row.account_id, site_id,
            f"Silent device of guard {duty.number}", reason,
        ),
    )  # fmt: skip


async def _silence_reason(session: AsyncSession, duty: Duty, from_at: datetime) -> str:
    """Say why a device is silent, by the last thing that it told."""
    last = (
        await session.execute(
            select(Fix.battery_pct, Fix.lat)
            .where(Fix.device_id == duty.device_id, Fix.at <= from_at, Fix.at >= duty.from_at)
            .order_by(Fix.at.desc())
            .limit(1)
        )
    ).first()
    if last is None:
        return "The device has sent nothing since the duty began; the phone gave no reason."
    battery, lat = last
    if battery is not None and battery <= LOW_BATTERY_PCT:
        return f"The battery was at {battery:.0f} % before."
    if lat is None:
        return "The phone was on and withheld its position before: its permission or its receiver is off."
    return "The phone gave no reason: it may have no network, or be off."


async def open_expiring(session: AsyncSession, *, at: datetime, limit: int) -> int:
    """Open incidents for published shifts whose guards lose a required qualification before them; return how many."""
    found = await session.execute(
        select(Shift, Post)
        .join(Post, Post.id == Shift.post_id)
        .where(
            Shift.state.in_((ShiftState.PUBLISHED, ShiftState.CONFIRMED)),
            Shift.user_id.is_not(None),
            Shift.from_at > at,
            Shift.from_at <= at + timedelta(days=MOST_DAYS),
            ~select(SystemOpening.id)
            .where(
                SystemOpening.rule == WatchRule.EXPIRING_QUALIFICATION,
                SystemOpening.subject_id == Shift.id,
            )
            .exists(),
        )
        .order_by(Shift.from_at, Shift.id)
    )
    rows = [(shift, post) for shift, post in found]
    users = {shift.user_id for shift, _ in rows if shift.user_id is not None}
    held = await guards.held_qualifications(session, users)
    scopes = {ParameterScope(s.tenant_id, s.account_id, s.site_id) for s, _ in rows}
    values = await load_values(session, scopes, (EXPIRY_AHEAD,), until=at)
    opened = 0
    for shift, post in rows:
        if opened >= limit or shift.user_id is None:
            break
        scope = ParameterScope(shift.tenant_id, shift.account_id, shift.site_id)
        days = values.required(EXPIRY_AHEAD, scope, at=at).number
        if shift.from_at > at + timedelta(days=days):
            continue
        own = held[shift.user_id]
        required = [*post.qualifications, *([guards.PASS] if guards.PASS in own else [])]
        lacks = [
            name
            for name in guards.missing_qualifications(required, own, on=shift.on_day)
            if name in own
        ]
        if not lacks:
            continue
        names = ", ".join(f"{name} (until {own[name]})" for name in lacks)
        tx = Tx(session, Actor.system(shift.tenant_id, PART), at)
        event = RuleEvent(
            WatchRule.EXPIRING_QUALIFICATION, shift.id, shift.account_id, shift.site_id,
            f"Guard {shift.number} is not qualified for a planned shift",
            f"Expired by the shift of {shift.on_day}: {names}.",
        )  # fmt: skip
        opened += await open_once(tx, event) is not None
    return opened


async def open_once(tx: Tx, event: RuleEvent) -> SystemOpening | None:
    """Open the incident of an event; None where it was opened before."""
    name = f"{event.rule} {event.subject_id}"
    await tx.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    known = await tx.session.scalar(
        select(SystemOpening.id).where(
            SystemOpening.rule == event.rule, SystemOpening.subject_id == event.subject_id
        )
    )
    if known is not None:
        return None
    incident = await incidents.open_incident(
        Tx(tx.session, Actor.system(tx.actor.tenant_id, PART), tx.at),
        site_id=event.site_id,
        priority=_PRIORITIES[event.rule],
        summary=event.summary,
        source=incidents.Source.SYSTEM,
        reporter="System",
        kind=TicketKind.INCIDENT,
        category=str(event.rule),
    )
    row = SystemOpening(
        id=uuid7(),
        tenant_id=tx.actor.tenant_id,
        account_id=event.account_id,
        rule=event.rule,
        subject_id=event.subject_id,
        incident_id=incident.id,
        opened_at=tx.at,
        reason=event.reason,
    )
    tx.session.add(row)
    tx.record(
        events.OpenedByRule(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            incident_id=incident.id,
            rule=event.rule,
            reason=event.reason,
        )
    )
    await tx.session.flush()
    return row


async def _number(
    tx: Tx, wanted: ParameterDefinition, account_id: UUID, site_id: UUID | None
) -> int:
    scope = ParameterScope(tx.actor.tenant_id, account_id, site_id)
    values = await load_values(tx.session, (scope,), (wanted,), until=tx.at)
    return values.required(wanted, scope, at=tx.at).number
