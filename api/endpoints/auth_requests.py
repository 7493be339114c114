"""JSON bodies of the requests below `/auth`."""

from typing import Any

import msgspec


class LoginAsk(msgspec.Struct, rename="camel"):
    """A sign-in. `company` or `user` selects one of several users with this address and password.

    `device` is the device token of an earlier sign-in: attempts of a known device are counted separately.
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
    """The response of an authenticator."""

    credential: dict[str, Any]


class NewPasskeyAsk(msgspec.Struct, rename="camel"):
    """A new passkey and its name."""

    name: str
    credential: dict[str, Any]


class CodeAsk(msgspec.Struct, rename="camel"):
    """A code from an authenticator app."""

    code: str


class CurrentAsk(msgspec.Struct, rename="camel"):
    """The current password of the signed-in user."""

    current: str


class NothingAsk(msgspec.Struct, rename="camel"):
    """An empty object."""


class RefreshAsk(msgspec.Struct, rename="camel"):
    """A refresh token to renew or to revoke."""

    refresh_token: str


class PasswordAsk(msgspec.Struct, rename="camel"):
    """A new password, authorized by an invitation or by the signed-in user's current password."""

    password: str
    invitation: str | None = None
    current: str | None = None
    keep_devices: bool = False


class InvitationAsk(msgspec.Struct, rename="camel"):
    """The user to invite, by global id."""

    user_id: str


class ForgottenAsk(msgspec.Struct, rename="camel"):
    """The email address of a user who forgot the password."""

    email: str


class DeviceAsk(msgspec.Struct):
    """The name of a new device."""

    name: str
