"""Guards: the work profile of a user who guards, qualifications with their expiry, and bars by clients."""

from domain.guards.actions import grant_qualification, set_profile
from domain.guards.bars import bar_guard, barred, lift_bar
from domain.guards.model import GuardBar, GuardProfile, PassColour, Qualification
from domain.guards.reads import erase_guard, held_qualifications, personal_profile
from domain.guards.rules import PASS, missing_qualifications

__all__ = [
    "PASS",
    "GuardBar",
    "GuardProfile",
    "PassColour",
    "Qualification",
    "bar_guard",
    "barred",
    "erase_guard",
    "grant_qualification",
    "held_qualifications",
    "lift_bar",
    "missing_qualifications",
    "personal_profile",
    "set_profile",
]
