"""How people and devices prove who they are: passwords, invitations to set one, sign-ins, device tokens."""

from domain.credentials.actions import (
    Renewed,
    accept,
    begin,
    change_password,
    end,
    enrol,
    invite,
    rehash,
    renew,
    revoke_device,
)
from domain.credentials.model import Device, EndedBy, Invitation, Password, RefreshToken, SignIn
from domain.credentials.reads import (
    Candidate,
    actors_of_devices,
    candidates,
    current,
    password_of,
    users_of_addresses,
)
from domain.credentials.rules import fits, hash_of, is_outdated

__all__ = [
    "Candidate",
    "Device",
    "EndedBy",
    "Invitation",
    "Password",
    "RefreshToken",
    "Renewed",
    "SignIn",
    "accept",
    "actors_of_devices",
    "begin",
    "candidates",
    "change_password",
    "current",
    "end",
    "enrol",
    "fits",
    "hash_of",
    "invite",
    "is_outdated",
    "password_of",
    "rehash",
    "renew",
    "revoke_device",
    "users_of_addresses",
]
