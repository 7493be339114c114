"""Parameters of evidence: how good a measurement must be for each grade. Those of the measured instant apply."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.evidence.thresholds import DEFAULT_THRESHOLDS, EvidenceThresholds
from domain.parameters import (
    AllowedRange,
    ParameterDefinition,
    ParameterScope,
    ParameterUnit,
    ParameterValues,
    Quantity,
    load_values,
)

_APPLIES = " Applies to what is measured from then on, also when it is graded again."


def _definition(
    name: str, description: str, default: tuple[float, ...], unit: ParameterUnit, most: int
) -> ParameterDefinition:
    return ParameterDefinition(
        name=f"evidence.{name}",
        description=description + _APPLIES,
        default=Quantity(tuple(map(round, default)), unit),
        allowed=(AllowedRange(unit, 1, most),),
        count=len(default),
        right=None,
    )


_S, _M = ParameterUnit.SECONDS, ParameterUnit.METRES
_BASE = DEFAULT_THRESHOLDS
ACCURACY = _definition(
    "accuracy",
    "Most metres of inaccuracy for the grades A and B. A scan of a patrol may be outside its point by the second.",
    _BASE.accuracy_m,
    _M,
    1_000,
)
DELAY = _definition(
    "delay",
    "Longest time from the measurement of a position to its receipt for the grades A and B.",
    _BASE.delay_s,
    _S,
    86_400,
)
CLOCK_SKEW = _definition(
    "clock_skew",
    "Greatest error of a device's clock for the grades A and B. Beyond the second nothing is proven.",
    _BASE.skew_s,
    _S,
    3_600,
)
DWELL = _definition(
    "dwell",
    "Shortest time that positions in a row must be inside the geofence for the grade A.",
    _BASE.dwell_s[:1],
    _S,
    3_600,
)
GAP = _definition(
    "gap",
    "Longest time between two positions in a row for the grades A, B and C.",
    _BASE.gap_s,
    _S,
    3_600,
)
POSITION_AGE = _definition(
    "position_age",
    "Greatest age of a single stated position for the grades A, B and C. A scan of a patrol needs the first.",
    _BASE.position_age_s,
    _S,
    86_400,
)
PHOTO_DELAY = _definition(
    "photo_delay",
    "Longest time from taking a photo to its receipt for the grades A, B and C.",
    _BASE.photo_delay_s,
    _S,
    2_678_400,
)
PHOTO_DISTANCE = _definition(
    "photo_distance",
    "Greatest distance outside the geofence at which a photo is graded B; farther away it is graded D.",
    (_BASE.photo_outside_m,),
    _M,
    10_000,
)
PARAMETERS = (
    ACCURACY,
    DELAY,
    CLOCK_SKEW,
    DWELL,
    GAP,
    POSITION_AGE,
    PHOTO_DELAY,
    PHOTO_DISTANCE,
)


@dataclass(frozen=True, slots=True)
class ThresholdHistory:
    """The thresholds of some sites at any instant up to the one that they were loaded for."""

    values: ParameterValues

    def at(self, scope: ParameterScope, instant: datetime) -> EvidenceThresholds:
        """Return the thresholds for what is measured in a scope at an instant."""
        if not self.values.rows:
            return DEFAULT_THRESHOLDS

        def numbers(definition: ParameterDefinition) -> tuple[float, ...]:
            found = self.values.required(definition, scope, at=instant)
            return tuple(map(float, found.numbers))

        dwell = numbers(DWELL)[0]
        return EvidenceThresholds(
            accuracy_m=_pair(numbers(ACCURACY)),
            delay_s=_pair(numbers(DELAY)),
            skew_s=_pair(numbers(CLOCK_SKEW)),
            dwell_s=(dwell, min(dwell, _BASE.dwell_s[1]), min(dwell, _BASE.dwell_s[2])),
            gap_s=_triple(numbers(GAP)),
            position_age_s=_triple(numbers(POSITION_AGE)),
            photo_delay_s=_triple(numbers(PHOTO_DELAY)),
            photo_outside_m=numbers(PHOTO_DISTANCE)[0],
        )


def _pair(numbers: tuple[float, ...]) -> tuple[float, float]:
    first, second = numbers
    return first, second


def _triple(numbers: tuple[float, ...]) -> tuple[float, float, float]:
    first, second, third = numbers
    return first, second, third


async def load_thresholds(
    session: AsyncSession, scopes: Collection[ParameterScope], *, until: datetime
) -> ThresholdHistory:
    """Load the thresholds of these scopes at every instant up to `until`."""
    return ThresholdHistory(await load_values(session, scopes, PARAMETERS, until=until))


async def thresholds_at(
    session: AsyncSession, scope: ParameterScope, instant: datetime
) -> EvidenceThresholds:
    """Return the thresholds for what is measured in one scope at an instant."""
    return (await load_thresholds(session, (scope,), until=instant)).at(scope, instant)
