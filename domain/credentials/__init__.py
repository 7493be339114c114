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
    actor_of_device,
    candidates,
    is_current,
    password_of,
    user_of_address,
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
    "actor_of_device",
    "begin",
    "candidates",
    "change_password",
    "end",
    "enrol",
    "fits",
    "hash_of",
    "invite",
    "is_current",
    "is_outdated",
    "password_of",
    "rehash",
    "renew",
    "revoke_device",
    "user_of_address",
]
