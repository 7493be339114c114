"""Parameters of reports: the local time at which each is due."""

from domain.parameters import (
    OF_ACCOUNTS,
    AllowedRange,
    ParameterDefinition,
    ParameterUnit,
    Quantity,
)
from domain.reports.periods import Cadence

_APPLIES = " Applies to the next report that is not made yet, if its new time is not over."


def _time(name: str, description: str, minutes: int) -> ParameterDefinition:
    return ParameterDefinition(
        name=f"reports.{name}",
        description=description + _APPLIES,
        default=Quantity((minutes,), ParameterUnit.MINUTES_AFTER_MIDNIGHT),
        allowed=(AllowedRange(ParameterUnit.MINUTES_AFTER_MIDNIGHT, 0, 1_439),),
        levels=OF_ACCOUNTS,
        right=None,
    )


TIMES = {
    Cadence.DAILY: _time(
        "daily_time", "Local time of the client at which a daily report is due.", 480
    ),
    Cadence.WEEKLY: _time(
        "weekly_time", "Local time of the client at which a weekly report is due.", 510
    ),
}
WEEKLY_DAY = ParameterDefinition(
    name="reports.weekly_day",
    description=f"Weekday on which a weekly report is due: 0 Monday to 6 Sunday.{_APPLIES}",
    default=Quantity((0,), ParameterUnit.COUNT),
    allowed=(AllowedRange(ParameterUnit.COUNT, 0, 6),),
    levels=OF_ACCOUNTS,
    right=None,
)
PARAMETERS = (*TIMES.values(), WEEKLY_DAY)
