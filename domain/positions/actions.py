"""Change what positions depend on: guards on duty, geofences of sites, retention of fixes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import isnan
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain import duties
from domain.access import Right, Tx
from domain.accounts.model import Site
from domain.core.errors import Code, Refused, must_be_current
from domain.core.ledger import LedgerRow
from domain.credentials.model import Device
from domain.duties.model import Duty
from domain.positions.devices import note_refusal, set_clock
from domain.positions.events import PositionsRead, SiteFenced
from domain.positions.geofences import check_outline
from domain.positions.ingest import DeviceReport, IngestOutcome, accept_one
from domain.positions.model import FixSource, Watched, Whereabouts
from domain.positions.reads import device_assignment, kept_since
from domain.positions.rules import MAX_FIXES, REASON_TEXT, ReceivedFix, clock_ms

AHEAD = timedelta(days=2)


async def assign(tx: Tx, device_id: UUID, account_id: UUID, **how: Any) -> Duty:
    """Put a device's owner on duty (see `duties.assign`), and start tracking the device."""
    duty = await duties.assign(tx, device_id, account_id, **how)
    whose = {"duty_id": duty.id, "tenant_id": duty.tenant_id, "account_id": duty.account_id}
    tx.session.add(Whereabouts(**whose, number=duty.number, over=False))
    tx.session.add(Watched(**whose, memory={}, next_check_at=duty.from_at))
    await tx.session.flush()
    return duty


async def end(tx: Tx, duty_id: UUID) -> Duty:
    """End a duty; from then on the guard's position is not recorded."""
    duty = await duties.end(tx, duty_id)
    await _delete_last_positions(tx.session, [duty], tx.at)
    return duty


async def end_overdue(
    session: AsyncSession, *, at: datetime, limit: int = 200, only: UUID | None = None
) -> list[Duty]:
    """End the duties (or `only` that one) whose time is over; return them."""
    over = await duties.end_overdue(session, at=at, limit=limit, only=only)
    await _delete_last_positions(session, over, at)
    return over


async def draw_fence(
    tx: Tx,
    site_id: UUID,
    *,
    radius_m: float | None = None,
    outline: Sequence[float] | None = None,
    expected_version: int | None = None,
) -> Site:
    """Set a site's geofence to a circle or an outline (lat, lon, lat, lon …); without both: remove the geofence.

    It is in force from `tx.at` on: a fix is compared with the geofence of its own time, however late it comes in.
    """
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    site = await tx.get(Site, site_id, "site", argument="siteId", lock=True)
    must_be_current(site.version, expected_version)
    if radius_m is not None and outline is not None:
        raise Refused(
            Code.INVALID, "Give either radiusM (a circle) or outline, not both.", argument="radiusM"
        )
    if radius_m is not None:
        if not 10 <= radius_m <= 50_000:
            raise Refused(Code.INVALID, "The radius must be 10 m to 50 km.", argument="radiusM")
        if site.lat is None or site.lon is None:
            raise Refused(
                Code.INVALID,
                "The site has no coordinates; set its latitude and longitude first.",
                argument="radiusM",
            )
    if outline is not None:
        check_outline(outline, site.lat, site.lon)
    wanted = None if outline is None else list(outline)
    if (site.fence_radius_m, site.fence_outline) != (radius_m, wanted):
        fact = SiteFenced(
            account_id=site.account_id,
            subject_id=site.id,
            at=tx.at,
            was_radius_m=site.fence_radius_m,
            was_outline=site.fence_outline,
            radius_m=radius_m,
            outline=wanted,
        )
        tx.record(fact)
        site.fence_radius_m, site.fence_outline = radius_m, wanted
        await tx.session.flush()
        await _schedule_evaluation(tx.session, site.account_id, tx.at)
    return site


async def report(
    tx: Tx, device_id: UUID, readings: Sequence[ReceivedFix], *, skew_s: float = float("nan")
) -> tuple[Device, IngestOutcome]:
    """Store the fixes that the owner of a device reports; each fix that is refused gets a reason."""
    owner, _, user_id = tx.actor.subject.partition(":")
    device = await tx.session.scalar(
        select(Device).where(
            Device.id == device_id,
            Device.tenant_id == tx.actor.tenant_id,
            Device.user_id == (user_id if owner == "user" else None),
            Device.revoked_at.is_(None),
        )
    )
    if device is None:
        raise Refused(Code.NOT_FOUND, "You have no such device.", argument="deviceId")
    if len(readings) > MAX_FIXES:
        raise Refused(
            Code.INVALID, f"A report may have at most {MAX_FIXES} fixes.", argument="fixes"
        )
    since = await kept_since(tx.session) or tx.at
    post = await device_assignment(tx.session, device_id, since=since)
    if post is None or not readings:
        return device, IngestOutcome(0, 0, ())
    clock = clock_ms(skew_s, post.clock_ms)
    if not isnan(skew_s) and clock != post.clock_ms:
        clock = await set_clock(tx.session, device_id, skew_s)
    report = DeviceReport(post, readings, FixSource.GRAPHQL, skew_s, clock)
    outcome = await accept_one(tx.session, report, at=tx.at, keep=tx.at - since)
    if outcome.refused:
        reason = outcome.refused[-1][1]
        many = len(outcome.refused)
        await note_refusal(tx.session, device_id, reason, REASON_TEXT[reason], count=many, at=tx.at)
    return device, outcome


async def note_read(tx: Tx, account_id: UUID, *, hour: datetime) -> None:
    """Record that the actor viewed the positions of the account's guards, at most once per hour."""
    once_key = f"positions_read:{tx.actor.subject}:{account_id}:{hour:%Y-%m-%dT%H}"
    recorded = select(LedgerRow.id).where(
        LedgerRow.tenant_id == tx.actor.tenant_id, LedgerRow.once_key == once_key
    )
    if await tx.session.scalar(recorded) is None:
        fact = PositionsRead(account_id=account_id, subject_id=account_id, at=tx.at)
        tx.record(fact, once_key=once_key)


async def ensure_partitions(session: AsyncSession, *, at: datetime, keep: timedelta) -> None:
    """Create the partitions of all days that accept fixes, and of the next two. With the system's login only."""
    await session.execute(select(func.fix_days((at - keep).date(), (at + AHEAD).date())))


async def drop_partitions(session: AsyncSession, *, at: datetime, keep: timedelta) -> int:
    """Drop the days that are past the retention of fixes; return how many. With the system's login only."""
    before = at - keep
    ended = select(Duty.id).where(Duty.ended_at < before)
    for model in (Whereabouts, Watched):
        await session.execute(delete(model).where(model.duty_id.in_(ended)))
    return await session.scalar(select(func.fix_forget(before.date()))) or 0


async def _schedule_evaluation(session: AsyncSession, account_id: UUID, at: datetime) -> None:
    """Have the running duties evaluated with the current geofences, even without new fixes."""
    watched = (
        select(Watched.duty_id)
        .join(Duty, Duty.id == Watched.duty_id)
        .where(Watched.account_id == account_id, duties.running(at))
        .order_by(Watched.duty_id)
        .with_for_update(
            of=Watched
        )  # in a fixed order, so that two concurrent changes do not deadlock
    )
    ids = list(await session.scalars(watched))
    await session.execute(update(Watched).where(Watched.duty_id.in_(ids)).values(next_check_at=at))


async def _delete_last_positions(session: AsyncSession, over: Sequence[Duty], at: datetime) -> None:
    """Remove the last position of ended duties from the map, notify subscribers, and evaluate the duties once more."""
    ids = [duty.id for duty in over]
    nowhere = dict.fromkeys(
        ("at", "lat", "lon", "accuracy_m", "speed_mps", "heading_deg", "battery_pct", "site_id")
    )
    await session.execute(
        update(Whereabouts)
        .where(Whereabouts.duty_id.in_(ids))
        .values(over=True, received_at=at, **nowhere)
    )
    for duty in over:
        await session.execute(
            update(Watched).where(Watched.duty_id == duty.id).values(next_check_at=duty.ended_at)
        )
