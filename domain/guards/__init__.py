"""Guards: the work profile of a user who guards, and the qualifications with their expiry."""

from domain.guards.actions import grant_qualification, set_profile
from domain.guards.model import GuardProfile, PassColour, Qualification
from domain.guards.reads import erase_guard, held_qualifications, personal_profile
from domain.guards.rules import PASS, missing_qualifications

__all__ = [
    "PASS",
    "GuardProfile",
    "PassColour",
    "Qualification",
    "erase_guard",
    "grant_qualification",
    "held_qualifications",
    "missing_qualifications",
    "personal_profile",
    "set_profile",
]
