"""Credentials of people and devices: passwords, invitations to set one, sign-ins, device tokens."""

from domain.credentials.actor_names import as_user
from domain.credentials.devices import enrol, revoke_device
from domain.credentials.events import PasswordChanged, SignedOut
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
from domain.credentials.notices import IdentityLetter, letter_for
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
from domain.credentials.rules import (
    LONGEST,
    SHORTEST,
    Requester,
    check_password,
    fits,
    hash_of,
    is_outdated,
)
from domain.credentials.sessions import Renewed, begin, end, end_all, end_session, renew, strengthen
from domain.credentials.users import change_user, disable_user

__all__ = [
    "LONGEST",
    "SHORTEST",
    "Candidate",
    "Device",
    "EndedBy",
    "IdentityLetter",
    "Invitation",
    "Password",
    "PasswordChanged",
    "Purpose",
    "RefreshToken",
    "Renewed",
    "Requester",
    "SignIn",
    "SignedOut",
    "accept",
    "actors_of_devices",
    "as_user",
    "ask_reset",
    "begin",
    "candidates",
    "change_password",
    "change_user",
    "check_password",
    "current",
    "disable_user",
    "end",
    "end_all",
    "end_session",
    "enrol",
    "fits",
    "hash_of",
    "invite",
    "invited_user",
    "is_outdated",
    "is_over",
    "letter_for",
    "new_text",
    "password_of",
    "rehash",
    "renew",
    "revoke_device",
    "strengthen",
    "users_of_addresses",
]
