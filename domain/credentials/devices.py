"""Change devices: enrol and revoke them."""

from uuid import UUID

from sqlalchemy import or_, select

from domain.access import Tx, managed_users
from domain.accounts import User
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line
from domain.credentials.events import DeviceEnrolled, DeviceRevoked
from domain.credentials.model import Device
from domain.credentials.rules import new_secret


async def enrol(tx: Tx, *, name: str) -> tuple[Device, str]:
    """Enrol a device of the signed-in user, so that it can report positions; its token is returned once."""
    kind, _, user_id = tx.actor.subject.partition(":")
    if kind != "user":
        raise Refused(Code.NOT_ALLOWED, "Only a signed-in user can enrol an own device.")
    if not 0 < len(name.strip()) <= 200:
        raise Refused(Code.INVALID, "A device needs a name.", argument="name")
    must_be_line(name, "name")
    secret = new_secret("wd")
    device = Device(
        tenant_id=tx.actor.tenant_id,
        user_id=UUID(user_id),
        name=name.strip(),
        secret_sha256=secret.sha256,
        enrolled_at=tx.at,
    )
    tx.session.add(device)
    await tx.session.flush()
    fact = DeviceEnrolled(account_id=None, subject_id=device.id, at=tx.at, user_id=device.user_id)
    tx.record(fact)
    return device, secret.text


async def revoke_device(tx: Tx, device_id: UUID) -> Device:
    """Revoke a device: one's own, or one of a user whom the actor manages."""
    own = tx.actor.subject.removeprefix("user:") if tx.actor.subject.startswith("user:") else None
    managed = select(User.id).where(managed_users(tx.actor, User))
    query = select(Device).where(
        Device.id == device_id,
        Device.tenant_id == tx.actor.tenant_id,
        or_(Device.user_id == own, Device.user_id.in_(managed)),
    )
    device = await tx.session.scalar(query.with_for_update())
    if device is None:
        raise Refused(Code.NOT_FOUND, "No such device.", argument="id")
    if device.revoked_at is None:
        device.revoked_at = tx.at
        tx.record(DeviceRevoked(account_id=None, subject_id=device.id, at=tx.at))
        await tx.session.flush()
    return device


async def revoke_devices_of(tx: Tx, user: User) -> None:
    """Revoke every device of a user."""
    devices = await tx.session.scalars(
        select(Device)
        .where(Device.user_id == user.id, Device.revoked_at.is_(None))
        .with_for_update()
    )
    for device in devices:
        device.revoked_at = tx.at
        tx.record(DeviceRevoked(account_id=None, subject_id=device.id, at=tx.at))
