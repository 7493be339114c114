"""Facts about the credentials of people and devices."""

from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class UserInvited(Fact):
    """A user got an invitation to set a password."""

    kind: ClassVar[str] = "user.invited"
    subject_type: ClassVar[str | None] = "User"
    invitation_id: UUID | None = None


class PasswordResetAsked(Fact):
    """A link to reset a password was requested."""

    kind: ClassVar[str] = "user.password_reset_asked"
    subject_type: ClassVar[str | None] = "User"
    invitation_id: UUID


class InvitationEnded(Fact):
    """An open invitation was ended early."""

    kind: ClassVar[str] = "user.invitation_ended"
    subject_type: ClassVar[str | None] = "User"
    invitation_id: UUID


class UserChanged(Fact):
    """A user's name, language, role or accounts changed; the accounts are none for a user with access to all."""

    kind: ClassVar[str] = "user.changed"
    subject_type: ClassVar[str | None] = "User"
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
    """A user has a new password; every earlier session has ended."""

    kind: ClassVar[str] = "user.password_changed"
    subject_type: ClassVar[str | None] = "User"


class SignedIn(Fact):
    """A user signed in."""

    kind: ClassVar[str] = "user.signed_in"
    subject_type: ClassVar[str | None] = "User"
    sign_in_id: UUID
    method: str


class SignedOut(Fact):
    """A session was ended early."""

    kind: ClassVar[str] = "user.signed_out"
    subject_type: ClassVar[str | None] = "User"
    sign_in_id: UUID
    ended_by: str


class DeviceEnrolled(Fact):
    """A device was enrolled and can report positions."""

    kind: ClassVar[str] = "device.enrolled"
    subject_type: ClassVar[str | None] = "Device"
    user_id: UUID


class DeviceRevoked(Fact):
    """A device was revoked."""

    kind: ClassVar[str] = "device.revoked"
    subject_type: ClassVar[str | None] = "Device"
