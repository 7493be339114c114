"""Facts about how people and devices prove who they are."""

from typing import ClassVar
from uuid import UUID

from domain.ledger import Fact


class UserInvited(Fact):
    """Somebody may set a password."""

    kind: ClassVar[str] = "user.invited"


class PasswordChanged(Fact):
    """A user has a new password; every sign-in before it ended."""

    kind: ClassVar[str] = "user.password_changed"


class SignedIn(Fact):
    """Somebody signed in."""

    kind: ClassVar[str] = "user.signed_in"
    sign_in_id: UUID


class SignedOut(Fact):
    """A sign-in ended before its time."""

    kind: ClassVar[str] = "user.signed_out"
    sign_in_id: UUID
    ended_by: str


class DeviceEnrolled(Fact):
    """A device may hand in what it measures."""

    kind: ClassVar[str] = "device.enrolled"
    user_id: UUID


class DeviceRevoked(Fact):
    """A device may no longer."""

    kind: ClassVar[str] = "device.revoked"
