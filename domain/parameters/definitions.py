"""Definitions of parameters: numbers of company policy with their units, limits, levels and defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from domain.access import Right
from domain.accounts.model import CadenceTier, ServiceTier


class ParameterUnit(StrEnum):
    """Unit of a parameter's numbers."""

    PERCENT = "percent"
    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    MONTHS = "months"
    MINUTES_AFTER_MIDNIGHT = "minutes_after_midnight"
    METRES = "metres"
    COUNT = "count"
    THOUSANDTHS = "thousandths"


class ParameterLevel(StrEnum):
    """Level at which a parameter has its value, from the most general to the most specific."""

    DEFAULT = "default"
    TENANT = "tenant"
    TIER = "tier"
    ACCOUNT = "account"
    SITE = "site"


class ParameterTier(StrEnum):
    """Tier of accounts that a value is for: a service tier, or a cadence tier for contacts with clients."""

    BASIC = "basic"
    ENHANCED = "enhanced"
    PREMIUM = "premium"
    STRATEGIC = "strategic"
    CORE = "core"
    STANDARD = "standard"


EVERY_LEVEL = (
    ParameterLevel.TENANT,
    ParameterLevel.TIER,
    ParameterLevel.ACCOUNT,
    ParameterLevel.SITE,
)
OF_ACCOUNTS = EVERY_LEVEL[:-1]
"""Levels of a parameter that does not differ between the sites of an account."""
SERVICE_TIERS = tuple(ParameterTier(each.value) for each in ServiceTier)
CADENCE_TIERS = tuple(ParameterTier(each.value) for each in CadenceTier)
_DURATIONS = {
    ParameterUnit.SECONDS: timedelta(seconds=1),
    ParameterUnit.MINUTES: timedelta(minutes=1),
    ParameterUnit.HOURS: timedelta(hours=1),
    ParameterUnit.DAYS: timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """Whole numbers of one unit."""

    numbers: tuple[int, ...]
    unit: ParameterUnit

    @property
    def number(self) -> int:
        """The only number."""
        [only] = self.numbers
        return only

    @property
    def duration(self) -> timedelta:
        """The only number as a duration; its unit is one of constant length."""
        return self.number * _DURATIONS[self.unit]


@dataclass(frozen=True, slots=True)
class AllowedRange:
    """The numbers that are allowed in one unit."""

    unit: ParameterUnit
    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class ParameterDefinition:
    """A parameter, as its capability declares it.

    `default` applies where nobody set a value, `tier_defaults` before it for accounts of a tier; None means that the
    software decides in another way, which the description says. A parameter of several numbers has exactly `count`,
    each above the one before. `tiers` are those that a value can be set for. `right` is what reading the value needs;
    None for everybody who sees the account.
    """

    name: str
    description: str
    default: Quantity | None
    allowed: tuple[AllowedRange, ...]
    count: int = 1
    levels: tuple[ParameterLevel, ...] = EVERY_LEVEL
    tiers: tuple[ParameterTier, ...] = SERVICE_TIERS
    tier_defaults: Mapping[ParameterTier, Quantity | None] = field(default_factory=dict)
    right: Right | None = Right.READ_SETTINGS
