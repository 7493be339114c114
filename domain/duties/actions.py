"""Assign guards to duties and end the duties."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import CLIENTS, Actor, Right, Tx
from domain.accounts.model import Account, Site, User
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line
from domain.credentials.model import Device
from domain.duties import events
from domain.duties.model import Duty
from domain.duties.parameters import GRACE, SILENT_AFTER
from domain.duties.pseudonyms import number_of
from domain.parameters import ParameterDefinition, ParameterScope, load_values

LONGEST = timedelta(days=31)
_SECONDS = range(30, 86_401)


async def assign(
    tx: Tx,
    device_id: UUID,
    account_id: UUID,
    *,
    from_at: datetime,
    until_at: datetime,
    site_id: UUID | None = None,
    grace_s: int | None = None,
    silent_after_s: int | None = None,
    tour: str | None = None,
) -> Duty:
    """Put the owner of a device on duty for a client; a device has one duty at a time, and a guard one site at a time.

    Several devices of a guard may be on duty at the same site, and at different sites as parts of one `tour`. A duty
    may begin in the past, so that fixes that a device stored while offline count. What `grace_s` and `silent_after_s`
    leave open is decided by the parameters that apply when the duty begins.
    """
    _must_roster(tx.actor)
    await tx.get(Account, account_id, "account", argument="accountId")
    if site_id is not None and not await tx.session.scalar(
        select(Site.id).where(
            Site.id == site_id, Site.account_id == account_id, tx.actor.scope(Site)
        )
    ):
        raise Refused(Code.NOT_FOUND, "The client has no such site.", argument="siteId")
    if not from_at < until_at <= from_at + LONGEST:
        raise Refused(
            Code.INVALID, "untilAt must be after fromAt, within 31 days.", argument="untilAt"
        )
    for name, seconds in (("graceSeconds", grace_s), ("silentAfterSeconds", silent_after_s)):
        if seconds is not None and seconds not in _SECONDS:
            raise Refused(Code.INVALID, "The value must be between 30 s and a day.", argument=name)
    must_be_line(tour, "tour")
    device = await _device(tx, device_id)
    taken = await tx.session.scalar(
        select(Duty.id).where(
            Duty.device_id == device.id,
            Duty.from_at < until_at,
            Duty.until_at > from_at,
            or_(Duty.ended_at.is_(None), Duty.ended_at > from_at),
        )
    )
    if taken is not None:
        raise Refused(
            Code.ALREADY_EXISTS,
            "The device already has a duty in this period.",
            argument="deviceId",
        )
    await _must_be_free(
        tx.session, device.user_id, (account_id, site_id), (from_at, until_at), tour
    )
    scope = ParameterScope(tx.actor.tenant_id, account_id, site_id)
    values = await load_values(tx.session, (scope,), (GRACE, SILENT_AFTER), until=from_at)

    def seconds_of(definition: ParameterDefinition) -> int:
        found = values.required(definition, scope, at=from_at)
        return int(found.duration.total_seconds())

    duty = Duty(
        id=uuid7(),
        tenant_id=tx.actor.tenant_id,
        account_id=account_id,
        site_id=site_id,
        user_id=device.user_id,
        device_id=device.id,
        number=await number_of(tx.session, tx.actor.tenant_id, account_id, device.user_id),
        from_at=from_at,
        until_at=until_at,
        grace_s=seconds_of(GRACE) if grace_s is None else grace_s,
        silent_after_s=seconds_of(SILENT_AFTER) if silent_after_s is None else silent_after_s,
        tour=tour,
    )
    tx.session.add(duty)
    tx.record(
        events.DutyAssigned(
            account_id=account_id,
            subject_id=duty.id,
            at=tx.at,
            site_id=site_id,
            guard=duty.number,
            from_at=from_at,
            until_at=until_at,
        )
    )
    await tx.session.flush()
    return duty


async def begin(tx: Tx, duty: Duty) -> bool:
    """Record once that a duty began; False when it has not, is over, or is being ended at this moment."""
    lasts = await tx.session.scalar(
        select(Duty.id)
        .where(Duty.id == duty.id, Duty.from_at <= tx.at, Duty.ended_at.is_(None))
        # Ending a duty waits for its evaluation; the opposite never happens, so there is no deadlock.
        .with_for_update(skip_locked=True, key_share=True)
    )
    if lasts is None:
        return False
    fact = events.Began(
        account_id=duty.account_id,
        subject_id=duty.id,
        at=duty.from_at,
        site_id=duty.site_id,
        guard=duty.number,
    )
    tx.record(fact, once_key=f"duty.began:{duty.id}")
    return True


async def end(tx: Tx, duty_id: UUID) -> Duty:
    """End a duty; later fixes of the device are refused. A second call has no effect."""
    _must_roster(tx.actor)
    duty = await tx.session.scalar(
        select(Duty).where(Duty.id == duty_id, tx.actor.scope(Duty)).with_for_update()
    )
    if duty is None:
        raise Refused(Code.NOT_FOUND, "No such duty.", argument="id")
    if duty.ended_at is None:
        _end(tx.as_of(max(duty.from_at, min(tx.at, duty.until_at))), duty)
        await tx.session.flush()
    return duty


async def end_overdue(
    session: AsyncSession, *, at: datetime, limit: int = 200, only: UUID | None = None
) -> list[Duty]:
    """End the duties (or `only` that one) whose time is over, as of their own end; several sweepers may run at once."""
    mine = Duty.ended_at.is_(None)
    due = await session.scalars(
        select(Duty)
        .where(Duty.until_at <= at, mine if only is None else and_(mine, Duty.id == only))
        .order_by(Duty.until_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = list(due)
    for duty in found:
        _end(Tx(session, Actor.system(duty.tenant_id, "sweeper"), duty.until_at), duty)
    await session.flush()
    return found


def _end(tx: Tx, duty: Duty) -> None:
    duty.ended_at = tx.at
    fact = events.DutyEnded(
        account_id=duty.account_id,
        subject_id=duty.id,
        at=tx.at,
        site_id=duty.site_id,
        guard=duty.number,
    )
    tx.record(fact)


def _must_roster(actor: Actor) -> None:
    actor.must(Right.ROSTER)


async def _must_be_free(
    session: AsyncSession,
    user_id: UUID,
    post: tuple[UUID, UUID | None],
    span: tuple[datetime, datetime],
    tour: str | None,
) -> None:
    """Refuse a duty at a site while the guard is on duty at another one, except on one tour."""
    # Two concurrent duties of one guard wait for each other here.
    await session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
    account_id, site_id = post
    elsewhere = select(Duty.id).where(
        Duty.user_id == user_id,
        Duty.from_at < span[1],
        func.coalesce(Duty.ended_at, Duty.until_at) > span[0],
        or_(Duty.account_id != account_id, Duty.site_id.is_distinct_from(site_id)),
    )
    if tour is not None:
        elsewhere = elsewhere.where(Duty.tour.is_distinct_from(tour))
    if await session.scalar(elsewhere.limit(1)) is not None:
        raise Refused(
            Code.ALREADY_EXISTS,
            "The guard is on duty elsewhere in this period: end that duty first, or give both the same `tour`.",
            argument="deviceId",
        )


async def _device(tx: Tx, device_id: UUID) -> Device:
    """Lock a device, so that two duties of it cannot be created at once."""
    device = await tx.session.scalar(
        select(Device)
        .join(User, User.id == Device.user_id)
        .where(
            Device.id == device_id,
            Device.tenant_id == tx.actor.tenant_id,
            Device.revoked_at.is_(None),
            User.disabled_at.is_(None),
            User.role.not_in(CLIENTS),
        )
        .with_for_update(of=Device)
    )
    if device is None:
        raise Refused(Code.NOT_FOUND, "No such device.", argument="deviceId")
    return device
