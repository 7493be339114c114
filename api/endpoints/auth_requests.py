"""Bodies of requests below `/auth`, as JSON."""

from typing import Any

import msgspec


class LoginAsk(msgspec.Struct, rename="camel"):
    """Sign-in. `company` or `user` chooses among several users with this address and password.

    `device` is what an earlier sign-in answered: attempts of a known device are counted by themselves.
    """

    email: str
    password: str
    company: str | None = None
    user: str | None = None
    device: str | None = None
    code: str | None = None
    recovery_code: str | None = None


class FactorAsk(msgspec.Struct, rename="camel"):
    """A challenge of `/auth/login`, and one of the three second factors."""

    challenge: str
    code: str | None = None
    recovery_code: str | None = None
    passkey: dict[str, Any] | None = None


class PasskeyAsk(msgspec.Struct, rename="camel"):
    """Response of an authenticator."""

    credential: dict[str, Any]


class NewPasskeyAsk(msgspec.Struct, rename="camel"):
    """A passkey that an authenticator made, and what to call it."""

    name: str
    credential: dict[str, Any]


class CodeAsk(msgspec.Struct, rename="camel"):
    """A code that an authenticator app shows."""

    code: str


class CurrentAsk(msgspec.Struct, rename="camel"):
    """The current password, of who is signed in."""

    current: str


class NothingAsk(msgspec.Struct, rename="camel"):
    """Empty body: `{}`."""


class RefreshAsk(msgspec.Struct, rename="camel"):
    """A refresh token, to be renewed or ended."""

    refresh_token: str


class PasswordAsk(msgspec.Struct, rename="camel"):
    """A new password, by invitation, or by the current one of who is signed in."""

    password: str
    invitation: str | None = None
    current: str | None = None
    keep_devices: bool = False


class InvitationAsk(msgspec.Struct, rename="camel"):
    """User to invite; `userId` is the global id."""

    user_id: str


class ForgottenAsk(msgspec.Struct, rename="camel"):
    """Request for a link to set a new password."""

    email: str


class DeviceAsk(msgspec.Struct):
    """Name for the device."""

    name: str
