"""Working calendars: the hours in which a promise's clock runs."""

from datetime import date, time
from typing import Annotated, Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from domain import calendars
from domain.calendars import CalendarSpec
from domain.core.errors import Code, Refused
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.mutations import MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields
from schema.core.scalars import Json
from schema.core.types import from_row, input_type, resolver

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

CalendarRow = strawberry.Parent[calendars.Calendar]
VersionRow = strawberry.Parent[calendars.CalendarVersion]


@from_row(calendars.CalendarVersion)
class CalendarVersion(Node):
    """Version of a calendar, with its hours; it never changes."""

    number: Annotated[int, "Number of the version within the calendar: 1, 2, 3 …"]
    spec: Annotated[
        Json,
        (
            "Definition of the hours: `zone`, `always_open`, `hours` (intervals [from, "
            "until] of a weekday in local time), `country`, `subdivision`, "
            "`holiday_categories`, `holidays_left_out`, `closures`."
        ),
    ]

    calendar = to_one(
        "Calendar", calendars.Calendar, "calendar_id", "Calendar to which the version belongs."
    )


@from_row(calendars.Calendar)
class Calendar(Node):
    """Calendar of the hours in which the clock of a promise runs, with all its versions."""

    name: Annotated[str, "Name of the calendar; unique in the company."]

    @resolver(list[CalendarVersion])
    @staticmethod
    async def versions(row: CalendarRow, info: Info) -> list[calendars.CalendarVersion]:
        """Versions of the calendar, newest first."""
        return await info.context.children(
            calendars.CalendarVersion.calendar_id,
            row.id,
            order=(calendars.CalendarVersion.number,),
            descending=True,
        )


@input_type
class HoursInput:
    """Interval of a weekday in which the clock runs. A day may have several intervals."""

    day: Annotated[str, "Day of the week: `mon`, `tue`, `wed`, `thu`, `fri`, `sat` or `sun`."]
    from_time: Annotated[time, "Local time at which the interval starts."]
    until_time: Annotated[
        time | None,
        (
            "Local time at which the interval ends; null, 24:00 and 23:59:59 mean "
            "midnight. A time before `fromTime` is on the next day."
        ),
    ] = None


@mutation_fields
class CalendarMutation:
    """Mutations of calendars."""

    @mutation(CalendarVersion)
    @staticmethod
    async def define_calendar(
        ask: MutationContext,
        name: Annotated[str, "Name of the calendar; unique in the company."],
        zone: Annotated[str, "IANA time zone of the hours."] = "Europe/Amsterdam",
        always_open: Annotated[
            bool,
            "Whether the clock runs around the clock; then no hours, holidays or closures are given.",
        ] = False,
        hours: Annotated[list[HoursInput] | None, "Working hours of the week, by weekday."] = None,
        country: Annotated[
            str | None,
            "Country with public holidays on which the clock does not run, as an ISO 3166 code.",
        ] = None,
        subdivision: Annotated[
            str | None, "Province or state with additional public holidays."
        ] = None,
        holidays_left_out: Annotated[
            list[str] | None,
            "English names of public holidays that are working days, such as Good Friday.",
        ] = None,
        closures: Annotated[
            list[date] | None, "Additional days on which the clock does not run."
        ] = None,
    ) -> calendars.CalendarVersion:
        """Define the hours in which a clock runs.

        Returns the newest version when nothing differs, else a new version.
        """
        stored: dict[str, Any] = {
            "zone": zone,
            "always_open": always_open,
            "hours": _week(hours or []),
            "country": country,
            "subdivision": subdivision,
            "holidays_left_out": holidays_left_out or [],
            "closures": [day.isoformat() for day in closures or []],
        }
        try:
            spec = CalendarSpec.from_dict(stored)
        except ValueError as error:
            part = to_camel_case(getattr(error, "part", "hours"))
            raise Refused(Code.INVALID, f"Not a valid calendar: {error}.", argument=part) from None
        return await calendars.define(ask.tx, name=name, spec=spec)


def _week(hours: list[HoursInput]) -> dict[str, list[list[str]]]:
    week: dict[str, list[list[str]]] = {}
    for span in sorted(hours, key=lambda span: (span.day, span.from_time)):
        if span.day not in _DAYS:
            raise Refused(
                Code.INVALID,
                f"{span.day!r} is not a weekday; use mon, tue, wed, thu, fri, sat or sun.",
                argument="hours",
            )
        begins = _minute(span.from_time, "fromTime")
        until = "24:00" if span.until_time is None else _end(span.until_time)
        week.setdefault(span.day, []).append([begins, until])
    return week


def _end(at: time) -> str:
    """Return midnight for the last second of the day, with which people write 24:00."""
    if (at.hour, at.minute, at.second) == (23, 59, 59):
        return "24:00"
    return "24:00" if at == time() else _minute(at, "untilTime")


def _minute(at: time, argument: str) -> str:
    if at.second or at.microsecond or at.tzinfo is not None:
        raise Refused(
            Code.INVALID,
            f"Hours start and end at whole minutes in the calendar's zone, not at {at.isoformat()}.",
            argument=argument,
        )
    if at.fold and argument == "fromTime":  # 24:00, see schema/core/scalars.py
        raise Refused(Code.INVALID, "An interval must start before 24:00.", argument=argument)
    return f"{at:%H:%M}"
