"""Enums of parameters: units, levels and tiers."""

from domain.parameters import ParameterLevel, ParameterTier, ParameterUnit
from schema.core.types import enum

__all__ = ["ParameterLevel", "ParameterTier", "ParameterUnit"]

enum(
    ParameterUnit,
    "ParameterUnit",
    percent="Percent, from 0 to 100.",
    seconds="Seconds of elapsed time.",
    minutes="Minutes of 60 seconds.",
    hours="Hours of 60 minutes.",
    days="Days of the calendar of the client.",
    months="Months of the calendar of the client.",
    minutes_after_midnight="Minutes after midnight on the clock of the client: a time of day.",
    metres="Metres on the ground.",
    count="A count, without a unit.",
    thousandths="Thousandths of the unit that the description names.",
)
enum(
    ParameterLevel,
    "ParameterLevel",
    default="Default of the software.",
    tenant="Value of the company.",
    tier="Value of a tier of accounts.",
    account="Value of an account.",
    site="Value of a site.",
)
enum(
    ParameterTier,
    "ParameterTier",
    basic="Accounts with the service tier BASIC.",
    enhanced="Accounts with the service tier ENHANCED.",
    premium="Accounts with the service tier PREMIUM.",
    strategic="Accounts with the cadence tier STRATEGIC.",
    core="Accounts with the cadence tier CORE.",
    standard="Accounts with the cadence tier STANDARD.",
)
