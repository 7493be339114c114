"""Credentials of people and devices: passwords, invitations to set one, sign-ins, device tokens."""

from domain.credentials.devices import enrol, revoke_device
from domain.credentials.invitations import accept, ask_reset, invite, invited_user, new_text
from domain.credentials.model import (
    Device,
    EndedBy,
    Invitation,
    Password,
    Purpose,
    RefreshToken,
    SignIn,
)
from domain.credentials.passwords import change_password, rehash
from domain.credentials.reads import (
    Candidate,
    actors_of_devices,
    candidates,
    current,
    is_over,
    password_of,
    users_of_addresses,
)
from domain.credentials.rules import Requester, fits, hash_of, is_outdated
from domain.credentials.sessions import Renewed, begin, end, end_session, renew, strengthen
from domain.credentials.users import change_user, disable_user

__all__ = [
    "Candidate",
    "Device",
    "EndedBy",
    "Invitation",
    "Password",
    "Purpose",
    "RefreshToken",
    "Renewed",
    "Requester",
    "SignIn",
    "accept",
    "actors_of_devices",
    "ask_reset",
    "begin",
    "candidates",
    "change_password",
    "change_user",
    "current",
    "disable_user",
    "end",
    "end_session",
    "enrol",
    "fits",
    "hash_of",
    "invite",
    "invited_user",
    "is_outdated",
    "is_over",
    "new_text",
    "password_of",
    "rehash",
    "renew",
    "revoke_device",
    "strengthen",
    "users_of_addresses",
]
