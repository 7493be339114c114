"""Facts about how people and devices prove who they are."""

from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class UserInvited(Fact):
    """Somebody may set a password."""

    kind: ClassVar[str] = "user.invited"
    invitation_id: UUID | None = None


class PasswordResetAsked(Fact):
    """Somebody asked for a letter that lets its reader set another password."""

    kind: ClassVar[str] = "user.password_reset_asked"
    invitation_id: UUID


class InvitationEnded(Fact):
    """An open invitation became good for nothing before its time."""

    kind: ClassVar[str] = "user.invitation_ended"
    invitation_id: UUID


class UserChanged(Fact):
    """A user's name, language, role or accounts changed; the accounts are none for who reaches all."""

    kind: ClassVar[str] = "user.changed"
    personal: ClassVar[frozenset[str]] = frozenset({"name_before", "name_after"})
    name_before: str | None
    name_after: str | None
    language_before: str | None
    language_after: str | None
    role_before: str
    role_after: str
    accounts_before: list[UUID]
    accounts_after: list[UUID]


class PasswordChanged(Fact):
    """A user has a new password; every sign-in before it ended."""

    kind: ClassVar[str] = "user.password_changed"


class SignedIn(Fact):
    """Somebody signed in."""

    kind: ClassVar[str] = "user.signed_in"
    sign_in_id: UUID
    method: str


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
