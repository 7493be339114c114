"""Guards who can be sent to an alarm, the nearest first, and who cannot, with the rule."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from domain import accounts, alarms
from domain.alarms import UnitExclusion
from domain.core.errors import Code, Refused
from schema.core import ids
from schema.core.context import Info
from schema.core.roots import query_fields
from schema.core.types import enum, from_row, resolver
from schema.users import User

enum(
    UnitExclusion,
    "UnitExclusion",
    **{
        "pass": "No valid pass is recorded.",
        "qualification": "A qualification that the alarm system requires is not held.",
        "barred": "The client does not want the guard at its sites.",
        "busy": "The guard is at another alarm.",
        "position": "No position of the last ten minutes is known, or none of the site.",
    },
)
UnitRow = strawberry.Parent[alarms.AlarmUnit]
ExcludedRow = strawberry.Parent[alarms.ExcludedUnit]
MOST_UNITS = 500


@from_row(alarms.AlarmUnit)
class AlarmUnit:
    """A guard on duty who can be sent, and why at this place."""

    distance_m: Annotated[int, "Straight distance to the site, in metres."]
    travel_s: Annotated[int, "Seconds of travel: the straight distance at `speedKmh`."]
    position_at: Annotated[datetime, "Time of the position."]
    is_on_duty_here: Annotated[
        bool, "Whether the duty is for this client, so that positions prove the arrival."
    ]
    reason: Annotated[str, "These figures in words."]

    @resolver(User | None)
    @staticmethod
    async def user(row: UnitRow, info: Info) -> accounts.User | None:
        """User who is the guard."""
        return await info.context.get(accounts.User, row.user_id)


@from_row(alarms.ExcludedUnit)
class ExcludedAlarmUnit:
    """A guard on duty who cannot be sent, and the rule."""

    reason: Annotated[UnitExclusion, "Rule by which the guard is not sent."]
    text: Annotated[str, "Why the guard is not sent, in words."]

    @resolver(User | None)
    @staticmethod
    async def user(row: ExcludedRow, info: Info) -> accounts.User | None:
        """User who is the guard."""
        return await info.context.get(accounts.User, row.user_id)


@strawberry.type(description="Guards on duty for one alarm: who can be sent, and who not.")
class AlarmUnits:
    """Units for an alarm."""

    unit_count: int = strawberry.field(description="Number of guards who can be sent.")
    units: list[AlarmUnit] = strawberry.field(description="The nearest ones first.")
    excluded_count: int = strawberry.field(description="Number of guards who cannot be sent.")
    excluded: list[ExcludedAlarmUnit] = strawberry.field(description="Those, each with the rule.")
    speed_kmh: int = strawberry.field(
        description="Speed over the straight distance, in km/h; no map of roads is used."
    )


@query_fields
class AlarmUnitQuery:
    """Queries of units for alarms."""

    @resolver(AlarmUnits, work=2_000)
    @staticmethod
    async def alarm_units(
        info: Info,
        alarm_id: Annotated[strawberry.ID, "Alarm to send somebody to."],
        first: Annotated[int, "Maximum number of guards in each list, at most 500."] = 50,
    ) -> Any:
        """Guards on duty for an alarm, the nearest who is free and qualified first; for the office."""
        if not 0 <= first <= MOST_UNITS:
            raise Refused(Code.INVALID, f"first must be 0 to {MOST_UNITS}.", argument="first")
        alarm = await info.context.get(alarms.Alarm, ids.wanted(alarm_id, "Alarm", "alarmId"))
        if alarm is None:
            raise Refused(Code.NOT_FOUND, "No such alarm.", argument="alarmId")
        async with info.context.sessions() as session:
            found = await alarms.rank_units(session, info.context.actor, alarm, at=info.context.at)
        return AlarmUnits(
            unit_count=len(found.units),
            units=found.units[:first],  # type: ignore[arg-type]  # rows, as every type here shows
            excluded_count=len(found.excluded),
            excluded=found.excluded[:first],  # type: ignore[arg-type]
            speed_kmh=alarms.KM_AN_HOUR,
        )
